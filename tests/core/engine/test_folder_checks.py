"""The film's folder and the scratch folder are known again, and nothing else is taken for them."""

from __future__ import annotations

import errno
from pathlib import Path

import msgspec
import pytest

from core.engine import folder_checks
from core.engine.reconcile import catch_up
from core.errors.refusal import Refused
from core.job.events import FolderRecorded, JobAccepted, JobFinished
from core.storage import folder_mark
from core.storage.journal import Journal
from core.storage.workspace import Workspace
from core.system.folder import FolderIdentity
from core.tasks import volume_probe

HOME = Path("/data")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    (tmp_path / "films").mkdir()
    return tmp_path / "films" / "film.mov"


def recorded(output: Path) -> FolderIdentity:
    return folder_checks.record_film_folder(
        volume_probe.identify(output.parent), output, HOME
    ).folder


def unplugged(known: FolderIdentity) -> FolderIdentity:
    """The same record as if the folder had been on a drive of its own: so the one that is there is the empty mount point."""
    return msgspec.structs.replace(
        known, mount=known.path, device=known.device + 1, filesystem=known.filesystem + 1
    )


def test_a_folder_is_known_again_by_its_token_wherever_its_drive_is_mounted(output):
    known = recorded(output)
    assert volume_probe.changed(known) == ""
    assert volume_probe.changed(unplugged(known)) == "", (
        "a drive gets another device number each time it is plugged in"
    )


def test_an_empty_mount_point_is_not_the_drive(output):
    known = unplugged(recorded(output))
    (output.parent / known.mark).unlink()
    assert volume_probe.changed(known) == "volume-gone"
    output.parent.joinpath(".hotsplice").rmdir()
    output.parent.rmdir()
    assert volume_probe.changed(known) == "volume-gone"


def test_a_renamed_folder_is_gone_and_a_new_one_is_not_taken_for_it(output, tmp_path):
    known = recorded(output)
    output.parent.rename(tmp_path / "away")
    assert volume_probe.changed(known) == "folder-gone"
    output.parent.mkdir()
    assert volume_probe.changed(known) == "folder-replaced"
    output.parent.rmdir()
    (tmp_path / "away").rename(output.parent)
    assert volume_probe.changed(known) == ""


@pytest.mark.parametrize("left", [b"", b"another token"])
def test_a_token_that_was_deleted_or_spoilt_does_not_matter_in_the_same_folder(output, left):
    known = recorded(output)
    mark = output.parent / known.mark
    mark.write_bytes(left) if left else mark.unlink()
    assert volume_probe.changed(known) == "" and not volume_probe.marked(known)


def test_a_folder_that_takes_no_token_is_recorded_without_one(output, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder_mark, "leave", full)
    known = recorded(output)
    assert known.token == "" and volume_probe.changed(known) == ""
    assert volume_probe.changed(unplugged(known)) == "volume-gone"


def test_a_drive_that_is_pulled_before_the_job_is_accepted_is_not_marked(output, tmp_path):
    seen = volume_probe.identify(output.parent)
    output.parent.rename(tmp_path / "away")
    output.parent.mkdir()
    with pytest.raises(Refused, match="output-gone"):
        folder_checks.record_film_folder(seen, output, HOME)
    assert list(output.parent.iterdir()) == []


def test_nothing_is_made_on_the_way_to_a_film(tmp_path):
    gone = tmp_path / "drive" / "films" / "film.mov"
    space = Workspace(tmp_path / "home", tmp_path / "scratch")
    for act in (
        lambda: space.staged("job1", gone),
        lambda: folder_mark.write(gone, ".hotsplice/film.mov.place", "t"),
    ):
        with pytest.raises(FileNotFoundError):
            act()
    assert not (tmp_path / "drive").exists()


def test_nothing_is_sealed_below_an_empty_mount_point(tmp_path):
    space = Workspace(tmp_path / "home", tmp_path / "scratch")
    space.prepare("job1")
    (tmp_path / "scratch").rename(tmp_path / "away")
    (tmp_path / "scratch").mkdir()
    with pytest.raises(FileNotFoundError):
        space.seal(tmp_path / "part.mov", "v01", ".mov")
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_mark_stays_while_a_job_can_be_resumed_and_is_swept_when_none_can(output, tmp_path):
    space, journal = Workspace(HOME, tmp_path / "scratch"), Journal(tmp_path / "journal.db")
    known = recorded(output)
    accepted = JobAccepted(
        digest="r", timeline_path="", timeline_name="", output=str(output), preset=""
    )
    journal.accept("job1", accepted, b"", 1.0)
    catch_up(output, journal, space)
    assert volume_probe.marked(known)
    journal.append("job1", [JobFinished(outcome="complete")], 2.0)
    catch_up(output, journal, space)
    assert not volume_probe.marked(known)


def test_a_mark_that_a_power_cut_left_serves_the_next_job_and_a_torn_one_is_written_anew(output):
    first = recorded(output)
    assert recorded(output).token == first.token
    (output.parent / first.mark).write_bytes(bytes(16))
    second = recorded(output)
    assert second.token != first.token
    assert volume_probe.marked(second)


def test_two_data_folders_have_marks_of_their_own(output):
    other = folder_checks.record_film_folder(
        volume_probe.identify(output.parent), output, HOME / "other"
    ).folder
    assert other.mark != recorded(output).mark


def test_what_is_on_record_of_a_folder_reads_as_it_was_written(output):
    from core.job.events import Fact
    from core.system import codec

    fact = FolderRecorded(role="film", folder=recorded(output), by_person=True)
    assert codec.decode(codec.encode(fact), Fact) == fact  # type: ignore[arg-type]


def test_a_drive_that_goes_while_its_mark_is_left_has_no_record_that_nothing_could_match(
    output, tmp_path, monkeypatch
):
    seen = volume_probe.identify(output.parent)

    def pulled(*_: object) -> str:
        output.parent.rename(tmp_path / "away")
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    monkeypatch.setattr(folder_mark, "leave", pulled)
    with pytest.raises(Refused) as refused:
        folder_checks.record_film_folder(seen, output, HOME)
    assert refused.value.code == "output-gone"


def test_a_folder_that_takes_no_mark_is_known_by_its_volume(output, monkeypatch):
    def full(*_: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folder_mark, "leave", full)
    assert recorded(output).token == ""


def test_nothing_is_made_in_a_scratch_folder_whose_drive_went_since_it_was_looked_at(tmp_path):
    mount = folder_checks.machine.mount_point(tmp_path)
    folder_checks.refuse_scratch_elsewhere(tmp_path, mount)
    with pytest.raises(Refused) as refused:
        folder_checks.refuse_scratch_elsewhere(tmp_path, str(tmp_path))
    assert (refused.value.code, refused.value.fields["drive"]) == ("scratch-gone", str(tmp_path))


def test_an_error_of_our_own_code_accuses_no_drive(output, tmp_path, monkeypatch):
    known = recorded(output)
    journal = Journal(tmp_path / "journal.db")

    def broken(path):
        raise PermissionError(errno.EPERM, "raised by us")

    monkeypatch.setattr(volume_probe.machine, "file_system", broken)
    with pytest.raises(PermissionError):
        folder_checks.check_place(output, journal, ())
    monkeypatch.setattr(volume_probe.machine, "mount_point", broken)
    with pytest.raises(PermissionError):
        folder_checks.record_film_folder(known, output, HOME)


def test_a_drive_that_answers_with_an_error_is_away(output, monkeypatch):
    known = recorded(output)

    def dead(path):
        raise OSError(errno.ENOTCONN, "not connected", str(path))

    monkeypatch.setattr(volume_probe.os, "stat", dead)
    with pytest.raises(Refused) as refused:
        folder_checks.record_film_folder(known, output, HOME)
    assert refused.value.code == "output-gone"
