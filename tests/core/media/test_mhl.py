"""Media hash lists of both formats, as copying tools write them, and as they never should be."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import xxhash

from core.media import mhl
from core.media.mhl import NotUnderstood, Record

CONTENT = b"a recording" * 1000
V2 = """<?xml version="1.0" encoding="UTF-8"?>
<hashlist version="2.0" xmlns="urn:ASC:MHL:v2.0">
  <creatorinfo><creationdate>2026-01-17T14:30:00+00:00</creationdate><tool version="1">a tool</tool></creatorinfo>
  <processinfo>
    <process>in-place</process>
    <roothash><content><xxh64>8e52e9c3d15e055c</xxh64></content><structure><xxh64>eacb8a6b1c8f5fc3</xxh64></structure></roothash>
    <ignore><pattern>.DS_Store</pattern></ignore>
  </processinfo>
  <hashes>{hashes}
    <directoryhash><path>Clips</path><content><xxh64>4c226b42e27d7af3</xxh64></content></directoryhash>
  </hashes>
</hashlist>
"""
V1 = """<?xml version="1.0" encoding="UTF-8"?>
<hashlist version="1.1">
  <creatorinfo><name>A</name><tool>a tool</tool><startdate>2026-01-17T14:30:00Z</startdate></creatorinfo>
  {hashes}
</hashlist>
"""


def asc(root: Path, hashes: str, name: str = "0001_A001_2026-01-17_143000Z.mhl") -> str:
    """An ASC MHL history with one list in a folder."""
    (root / "ascmhl").mkdir(parents=True, exist_ok=True)
    (root / "ascmhl" / name).write_text(V2.format(hashes=hashes), encoding="utf-8")
    return str(root / "ascmhl" / name)


def classic(root: Path, hashes: str) -> str:
    """An MHL 1.1 file."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "A001.mhl").write_text(V1.format(hashes=hashes), encoding="utf-8")
    return str(root / "A001.mhl")


def entry(
    path: str,
    content: bytes = CONTENT,
    *,
    action: str = "original",
    algorithm: str = "xxh64",
    size: int | None = None,
) -> str:
    """An element of an ASC MHL."""
    made = {
        "xxh64": xxhash.xxh64_hexdigest,
        "xxh128": xxhash.xxh3_128_hexdigest,
        "xxh3": xxhash.xxh3_64_hexdigest,
    }
    value = (
        made[algorithm](content)
        if algorithm in made
        else hashlib.new(algorithm, content).hexdigest()
    )
    size = len(content) if size is None else size
    return f'<hash><path size="{size}">{path}</path><{algorithm} action="{action}" hashdate="x">{value}</{algorithm}></hash>'


def test_a_list_of_the_second_format(tmp_path):
    history = asc(tmp_path / "A001", entry("Clips/a.mov") + entry("Clips/b.mov", b"b"))
    (found,) = mhl.records(history, {"a.mov"})
    assert found == Record(
        "Clips/a.mov", len(CONTENT), {"xxh64": frozenset({xxhash.xxh64_hexdigest(CONTENT)})}
    )


def test_a_list_of_the_first_format_with_a_path_of_another_system(tmp_path):
    md5 = hashlib.md5(CONTENT).hexdigest()
    history = classic(
        tmp_path,
        f"<hash><file>Clips\\a.mov</file><size>{len(CONTENT)}</size><md5>{md5.upper()}</md5></hash>",
    )
    (found,) = mhl.records(history, {"a.mov"})
    assert found == Record("Clips/a.mov", len(CONTENT), {"md5": frozenset({md5})})


def test_the_first_format_writes_one_hash_with_its_bytes_reversed(tmp_path):
    value = xxhash.xxh64(CONTENT).digest()
    for text in (value.hex(), value[::-1].hex()):
        history = classic(
            tmp_path, f"<hash><file>a.mov</file><size>9</size><xxhash64>{text}</xxhash64></hash>"
        )
        (found,) = mhl.records(history, {"a.mov"})
        assert mhl.quickest(found.hashes) == "xxh64" and value.hex() in found.hashes["xxh64"]
    history = classic(
        tmp_path,
        f"<hash><file>a.mov</file><size>9</size><xxhash64be>{value[::-1].hex()}</xxhash64be></hash>",
    )
    (found,) = mhl.records(history, {"a.mov"})
    assert found.hashes["xxh64"] == {value[::-1].hex()}


@pytest.mark.parametrize(
    ("history", "roots"),
    [
        ("/v/A001/ascmhl/0001_A001_2026-01-16_091500Z.mhl", ["/v/A001", "A001"]),
        ("/v/new/ascmhl/0012_A_B-C 1_2026-01-16_091500.mhl", ["/v/new", "A_B-C 1"]),
        ("/v/A001/A001_2026-01-16_091500.mhl", ["/v/A001", "A001"]),
        ("/v/A001/A001.MHL", ["/v/A001", "A001"]),
        ("/v/lists/packinglist_A001_2026-01-16_091500Z.mhl", ["/v/lists", "A001"]),
        ("/v/A001/.mhl", ["/v/A001"]),
    ],
)
def test_a_list_knows_the_folder_it_is_about_and_what_it_was_called(history, roots):
    assert mhl.roots_of(history) == roots


def test_32_bits_prove_nothing(tmp_path):
    history = classic(
        tmp_path, "<hash><file>a.mov</file><size>9</size><xxhash>3063416180</xxhash></hash>"
    )
    assert mhl.records(history, {"a.mov"}) == [Record("a.mov", 9, {})]


def test_what_a_check_found_wrong_is_a_damaged_copy_with_its_size_and_all_its_hashes(tmp_path):
    other = f'<md5 action="new" hashdate="x">{hashlib.md5(b"cut").hexdigest()}</md5></hash>'
    failed = entry("a.mov", b"cut", action="failed").replace("</hash>", other)
    assert mhl.records(asc(tmp_path, failed + entry("b.mov")), {"a.mov", "b.mov"}) == mhl.records(
        asc(tmp_path / "good", entry("b.mov")), {"b.mov"}
    )


def test_a_file_that_was_renamed_is_told_under_both_names(tmp_path):
    renamed = entry("new.mov").replace("</path>", "</path><previousPath>old.mov</previousPath>")
    (found,) = mhl.records(asc(tmp_path, renamed), {"old.mov"})
    assert (found.told, found.size) == ("old.mov", len(CONTENT))


def test_accents_are_the_same_however_they_are_written(tmp_path):
    apart = "cafe\u0301.mov"
    (found,) = mhl.records(asc(tmp_path, entry(apart)), {mhl.name_of("/x/caf\u00e9.mov")})
    assert found.size == len(CONTENT)


@pytest.mark.parametrize("algorithm", ["xxh128", "xxh3", "xxh64", "md5", "sha1", "c4"])
def test_every_hash_is_computed_as_it_is_written(tmp_path, algorithm):
    (tmp_path / "a.mov").write_bytes(b"")
    empty = {
        "xxh128": "99aa06d3014798d86001c324468d497f", "xxh3": "2d06800538d394c2", "xxh64": "ef46db3751d8e999",
        "md5": "d41d8cd98f00b204e9800998ecf8427e", "sha1": "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "c4": "c459dsjfscH38cYeXXYogktxf4Cd9ibshE3BHUo6a58hBXmRQdZrAkZzsWcbWtDg5oQstpDuni4Hirj75GEmTc1sFT",
    }  # fmt: skip
    assert mhl.hash_of(str(tmp_path / "a.mov"), algorithm) == empty[algorithm]


def test_a_long_file_is_hashed_whole_and_can_be_stopped(tmp_path):
    content = bytes(range(256)) * 20000
    (tmp_path / "a.mov").write_bytes(content)
    blocks = []
    assert mhl.hash_of(
        str(tmp_path / "a.mov"), "xxh64", lambda: blocks.append(1)
    ) == xxhash.xxh64_hexdigest(content)
    assert len(blocks) == 5


BOMB = '<?xml version="1.0"?><!DOCTYPE hashlist [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><hashlist>&b;</hashlist>'
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE hashlist [<!ENTITY a SYSTEM "file:///etc/hostname">]><hashlist>&a;</hashlist>'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "damaged"), ("no list", "damaged"), (V1.format(hashes="<hash>"), "damaged"), ("<html/>", "no media hash list"),
        (V2.format(hashes=entry("a.mov"))[:-40], "damaged"), (BOMB, "document type"), (OUTSIDE, "document type"),
        ("<hashlist>" * 2000, "nested"), ('<?xml version="1.0" encoding="no-such"?><hashlist/>', "damaged"), ("\x00\x01", "damaged"),
        ("<hashlist>&a;</hashlist>", "damaged"),
    ],
)  # fmt: skip
def test_what_is_no_list_is_said_to_be_none(tmp_path, text, why):
    (tmp_path / "x.mhl").write_text(text, encoding="utf-8")
    with pytest.raises(NotUnderstood, match=why):
        mhl.records(str(tmp_path / "x.mhl"), {"a.mov"})


def test_a_list_beyond_all_size_is_not_read(tmp_path):
    with (tmp_path / "x.mhl").open("wb") as handle:
        handle.truncate(mhl.MOST_BYTES + 1)
    with pytest.raises(NotUnderstood, match="larger"):
        mhl.records(str(tmp_path / "x.mhl"), {"a.mov"})


@pytest.mark.parametrize("size", ["", "-4", "many", "1e3", "²"])
def test_a_size_that_is_no_number_is_no_size(tmp_path, size):
    history = classic(tmp_path, f"<hash><file>a.mov</file><size>{size}</size></hash>")
    assert mhl.records(history, {"a.mov"}) == [Record("a.mov", None, {})]
