"""The data folder: made at its first use and nowhere else, and not taken for the empty mount point of its drive."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from core.engine import data_folder
from core.errors.refusal import Refused
from core.storage import scratch_leases
from core.storage.journal import Journal
from core.system import codec
from core.system.folder import FolderIdentity
from core.tasks import volume_probe


@pytest.fixture
def records(tmp_path: Path) -> Path:
    return tmp_path / "state" / "data-folders"


def on_record(home: Path, records: Path, **changes: object) -> FolderIdentity:
    """A record as if the data folder had been used on a drive that is mounted at the folder above it."""
    home.mkdir(parents=True, exist_ok=True)
    known = msgspec.structs.replace(volume_probe.identify(home), mount=str(home.parent), **changes)
    records.mkdir(parents=True, exist_ok=True)
    (records / scratch_leases.name(home)).write_bytes(codec.encode(known))
    return known


def prepared(home: Path, records: Path, **how: bool) -> str:
    """The code of the refusal; empty when the folder can be used."""
    try:
        data_folder.prepare(home, records, usual=how.pop("usual", False), **how)
    except Refused as error:
        return error.code
    return ""


def test_a_first_use_creates_the_folder_and_no_parent_that_may_be_a_drive(tmp_path, records):
    assert prepared(tmp_path / "media" / "DRIVE" / "hotsplice", records) == "data-folder-unusable"
    assert list(tmp_path.iterdir()) == []
    assert prepared(tmp_path / "hotsplice", records) == "" and (tmp_path / "hotsplice").is_dir()
    assert not records.exists(), "a folder on the records' own volume cannot be lost alone"
    assert prepared(tmp_path / ".local" / "share" / "Hotsplice", records, usual=True) == ""
    assert (tmp_path / ".local" / "share" / "Hotsplice").stat().st_mode & 0o777 == 0o700


def test_an_empty_mount_point_is_not_the_data_folder(tmp_path, records):
    home = tmp_path / "drive" / "hotsplice"
    on_record(home, records)
    home.rmdir()
    assert (
        prepared(home, records) == "data-folder-gone" and list((tmp_path / "drive").iterdir()) == []
    )
    home.mkdir()
    (home / "journal.db").touch()  # written beneath the mount point by an older version
    with pytest.raises(Refused) as refused:
        data_folder.check(home, records)
    assert refused.value.fields == {"path": str(home), "drive": str(home.parent)}


def test_the_folder_is_used_as_it_is_when_a_person_says_so(tmp_path, records):
    home = tmp_path / "drive" / "hotsplice"
    on_record(home, records)
    assert prepared(home, records, accept=True) == ""
    assert prepared(home, records) == "", "and from then on"


def test_a_power_cut_before_the_journal_stands_leaves_a_folder_that_is_used_for_the_first_time(
    tmp_path, records, monkeypatch
):
    home, mount = tmp_path / "drive" / "hotsplice", data_folder.machine.mount_point
    home.parent.mkdir()
    monkeypatch.setattr(
        data_folder.machine, "mount_point",
        lambda path: str(tmp_path / "drive") if Path(path).is_relative_to(tmp_path / "drive") else mount(path),
    )  # fmt: skip
    assert prepared(home, records) == "" and not records.exists()
    Journal(home / "journal.db").close()
    data_folder.put_on_record(home, records)
    (home / "journal.db").unlink()
    home.rmdir()
    monkeypatch.setattr(data_folder.machine, "mount_point", mount)
    assert prepared(home, records) == "data-folder-gone", (
        "once the journal stood, the folder is missed"
    )


@pytest.mark.parametrize(("journal", "code"), [(True, ""), (False, "data-folder-gone")])
def test_another_volume_is_the_data_folder_only_with_a_journal(
    tmp_path, records, monkeypatch, journal, code
):
    """A drive that was copied to a new one is as good as the old one; an empty one is not."""
    home = tmp_path / "drive" / "hotsplice"
    known = on_record(home, records)
    mount = data_folder.machine.mount_point
    monkeypatch.setattr(
        data_folder.machine,
        "mount_point",
        lambda path: known.mount if Path(path).is_relative_to(known.mount) else mount(path),
    )
    assert prepared(home, records) == ""
    on_record(home, records, device=known.device + 1, filesystem=known.filesystem + 1)
    monkeypatch.setattr(data_folder.machine, "listed_mount", lambda path: (known.mount, "ext4"))
    if journal:
        (home / "journal.db").touch()
    assert prepared(home, records) == code
