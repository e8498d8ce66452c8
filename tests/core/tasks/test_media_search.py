"""Looking for media: by content and by what lists say, never by name, never without end."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec
import pytest
import xxhash

from core.executors import worker
from core.media import hashes, mhl
from core.system import machine
from core.tasks import media_search
from core.tasks.spec import Assignment, FindSources, Found, Wanted
from tests.core.media.test_mhl import asc, classic, entry

LONG = os.urandom(200_000)


def file(path: Path, content: bytes = LONG) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def seen(path: Path, content: bytes = LONG) -> Wanted:
    """A file as it once was, which is not there now."""
    there = file(path, content)
    wanted = Wanted(path=str(path), size=len(content), mark=hashes.content_mark(there))
    there.unlink()
    return wanted


def find(
    *wanted: Wanted, folders: tuple[Path, ...] = (), near: tuple[Path, ...] = (), **more: object
) -> Found:
    beside = tuple(one.path for one in wanted)
    order = FindSources(
        wanted=wanted,
        folders=tuple(map(str, folders)),
        near=tuple(map(str, near)),
        **{"beside": beside, **more},  # type: ignore[arg-type]
    )
    return media_search.find(order)


def rows(found: Found) -> list[tuple[str, str]]:
    return sorted((match.how, match.to) for match in found.matches)


# Seen before ----------------------------------------------------------------------------------------------------------


def test_a_file_renamed_in_its_place_is_known_by_its_content(tmp_path):
    wanted = seen(tmp_path / "day" / "a.mov")
    other = file(tmp_path / "day" / "take_12_final.mov")
    file(tmp_path / "day" / "noise.mov", os.urandom(200_000))
    os.utime(other, ns=(5, 5))
    assert rows(find(wanted)) == [("samples", str(other))]


def test_a_file_moved_to_a_named_folder_deep_down(tmp_path):
    wanted = seen(tmp_path / "day" / "a.mov")
    there = file(tmp_path / "volume" / "x" / "y" / "z" / "a.mov")
    assert find(wanted).matches == (), "nobody named that folder"
    assert rows(find(wanted, folders=(tmp_path / "volume",))) == [("samples", str(there))]


def test_a_file_moved_to_where_other_media_are_and_beside_these(tmp_path):
    wanted = seen(tmp_path / "gone" / "a.mov")
    (tmp_path / "gone").rmdir()
    near = file(tmp_path / "media" / "day1" / "b.mov", b"b")
    for place in (
        near.parent / "a.mov",
        near.parent / "sub" / "a.mov",
        tmp_path / "media" / "day2" / "a.mov",
    ):
        there = file(place)
        assert rows(find(wanted, near=(near,), beside=())) == [("samples", str(there))], (
            "its folder, those in it, its neighbours"
        )
        there.unlink()


def test_a_folder_that_was_renamed(tmp_path):
    wanted = seen(tmp_path / "media" / "day1" / "a.mov")
    (tmp_path / "media" / "day1").rename(tmp_path / "media" / "day1 old")
    there = file(tmp_path / "media" / "day1 old" / "a.mov")
    assert rows(find(wanted)) == [("samples", str(there))]


def test_the_same_name_with_other_content_is_never_taken(tmp_path):
    wanted = seen(tmp_path / "day" / "a.mov")
    longer = file(tmp_path / "v" / "1" / "a.mov", LONG + b"!")
    other = file(tmp_path / "v" / "2" / "a.mov", os.urandom(len(LONG)))
    os.utime(other, ns=(5, 5))
    assert rows(find(wanted, folders=(tmp_path / "v",))) == [
        ("unlike", str(longer)),
        ("unlike", str(other)),
    ]


def test_all_copies_of_a_place_are_told(tmp_path):
    wanted = seen(tmp_path / "day" / "a.mov")
    copies = [file(tmp_path / "v" / n / "a.mov") for n in ("1", "2")]
    assert rows(find(wanted, folders=(tmp_path / "v",))) == [
        ("samples", str(copy)) for copy in copies
    ]


def test_when_everything_is_found_farther_places_are_left_in_peace(tmp_path):
    wanted = seen(tmp_path / "day" / "a.mov")
    near, far = file(tmp_path / "day" / "b.mov"), file(tmp_path / "far" / "a.mov")
    assert rows(find(wanted, folders=(far.parent,))) == [("samples", str(near))]


def test_one_name_for_the_size_and_no_mark_is_a_proposal(tmp_path):
    there = file(tmp_path / "v" / "a.mov")
    file(tmp_path / "v" / "b.mov")
    wanted = Wanted(path=str(tmp_path / "day" / "a.mov"), size=len(LONG))
    assert rows(find(wanted, folders=(tmp_path / "v",))) == [("alike", str(there))]


def test_of_a_file_nobody_knows_anything_about_a_name_says_nothing(tmp_path):
    file(tmp_path / "v" / "a.mov")
    assert (
        find(Wanted(path=str(tmp_path / "day" / "a.mov")), folders=(tmp_path / "v",)).matches == ()
    )


# Lists ----------------------------------------------------------------------------------------------------------------


def new(path: Path) -> Wanted:
    """A file that was never opened here."""
    return Wanted(path=str(path))


def test_a_list_that_stayed_behind_proves_a_file_that_was_moved_and_renamed(tmp_path):
    history = asc(tmp_path / "A001", entry("Clips/a.mov", LONG))
    there = file(tmp_path / "v" / "other name.mov")
    file(tmp_path / "v" / "noise.mov", os.urandom(len(LONG)))
    (tmp_path / "A001" / "Clips").mkdir()
    found = find(new(tmp_path / "A001" / "Clips" / "a.mov"), folders=(tmp_path / "v",))
    assert [(m.how, m.to, m.history) for m in found.matches] == [("mhl", str(there), history)]


@pytest.mark.parametrize("algorithm", ["xxh64", "xxh128", "xxh3", "md5", "sha1"])
def test_a_list_that_moved_along_proves_by_any_of_its_hashes(tmp_path, algorithm):
    there = file(tmp_path / "v" / "A001" / "Clips" / "a.mov")
    asc(tmp_path / "v" / "A001", entry("Clips/a.mov", LONG, algorithm=algorithm))
    assert rows(find(new(Path("/gone/A001/Clips/a.mov")), folders=(tmp_path / "v",))) == [
        ("mhl", str(there))
    ]


def test_a_path_of_another_system_is_understood(tmp_path):
    there = file(tmp_path / "v" / "Clips" / "a.mov")
    asc(tmp_path / "v", entry("Clips/a.mov", LONG))
    wanted = Wanted(path="D:\\Shoot\\v\\Clips\\a.mov")
    assert rows(find(wanted, folders=(tmp_path / "v",), beside=())) == [("mhl", str(there))]


def test_a_list_of_the_first_format_proves(tmp_path):
    there = file(tmp_path / "v" / "Clips" / "a.mov")
    value = xxhash.xxh64_hexdigest(LONG)
    classic(
        tmp_path / "v",
        f"<hash><file>Clips/a.mov</file><size>{len(LONG)}</size><xxhash64be>{value}</xxhash64be></hash>",
    )
    assert rows(find(new(Path("/gone/v/Clips/a.mov")), folders=(tmp_path / "v",))) == [
        ("mhl", str(there))
    ]


def test_a_list_around_the_searched_folder_is_read(tmp_path):
    there = file(tmp_path / "A001" / "Clips" / "a.mov")
    asc(tmp_path / "A001", entry("Clips/a.mov", LONG))
    assert rows(find(new(Path("/gone/A001/Clips/a.mov")), folders=(there.parent,))) == [
        ("mhl", str(there))
    ]


def test_a_list_that_contradicts_is_said_and_the_file_not_taken(tmp_path):
    flipped = bytearray(LONG)
    flipped[150_000] ^= 1
    there = file(tmp_path / "v" / "Clips" / "a.mov", bytes(flipped))
    shorter = file(tmp_path / "v" / "old" / "a.mov", LONG[:-1])
    history = asc(tmp_path / "v", entry("Clips/a.mov", LONG))
    found = find(new(Path("/gone/v/Clips/a.mov")), folders=(tmp_path / "v",))
    assert rows(found) == [("unlike", str(there)), ("unlike", str(shorter))]
    assert {match.history for match in found.matches} == {history}


@pytest.mark.parametrize("inside", ["C0001.MP4", "CLIP/C0001.MP4", "PRIVATE/M4ROOT/CLIP/C0001.MP4"])
def test_another_cards_list_with_the_same_names_proves_nothing(tmp_path, inside):
    """Every card has the same folders and names, and a list that vouches for its own."""
    wanted = new(Path("/gone/A001") / inside)
    there = file(tmp_path / "v" / "B002" / inside)
    asc(tmp_path / "v" / "B002", entry(inside, LONG), "0001_B002_2026-01-17_143000Z.mhl")
    assert rows(find(wanted, folders=(tmp_path / "v",))) == [("alike", str(there))], (
        "a person may know better"
    )
    right = file(tmp_path / "v" / "A001" / inside, b"the right one")
    asc(tmp_path / "v" / "A001", entry(inside, b"the right one"))
    found = find(wanted, folders=(tmp_path / "v",))
    assert rows(found) == [("mhl", str(right)), ("unlike", str(there))]


def test_a_card_whose_folder_was_renamed_is_known_by_its_lists_name(tmp_path):
    there = file(tmp_path / "v" / "card of monday" / "CLIP" / "C0001.MP4")
    asc(
        tmp_path / "v" / "card of monday",
        entry("CLIP/C0001.MP4", LONG),
        "0001_A001_2026-01-17_143000Z.mhl",
    )
    assert rows(find(new(Path("/gone/A001/CLIP/C0001.MP4")), folders=(tmp_path / "v",))) == [
        ("mhl", str(there))
    ]


def test_a_list_of_the_whole_volume_does_not_weaken_that_of_the_card(tmp_path):
    there = file(tmp_path / "v" / "day1" / "A001" / "C0001.MP4")
    asc(there.parent, entry("C0001.MP4", LONG))
    asc(tmp_path / "v", entry("day1/A001/C0001.MP4", LONG), "0001_v_2026-01-17_143000Z.mhl")
    wanted = new(Path("/gone/day1/A001/C0001.MP4"))
    assert rows(find(wanted, folders=(tmp_path / "v",))) == [("mhl", str(there))]
    asc(
        tmp_path / "v",
        entry("day1/A001/C0001.MP4", os.urandom(len(LONG))),
        "0001_v_2026-01-17_143000Z.mhl",
    )
    assert rows(find(wanted, folders=(tmp_path / "v",))) == [("alike", str(there))], (
        "unless it contradicts"
    )


def test_lists_that_contradict_each_other_prove_nothing(tmp_path):
    there = file(tmp_path / "v" / "Clips" / "a.mov")
    asc(tmp_path / "v", entry("Clips/a.mov", LONG), "0001_v.mhl")
    asc(tmp_path / "v", entry("Clips/a.mov", os.urandom(len(LONG))), "0002_v.mhl")
    assert rows(find(new(Path("/gone/v/Clips/a.mov")), folders=(tmp_path / "v",))) == [
        ("alike", str(there))
    ]


def test_lists_that_name_two_sizes_prove_nothing(tmp_path):
    there = file(tmp_path / "v" / "Clips" / "a.mov")
    asc(tmp_path / "v", entry("Clips/a.mov", LONG), "0001_v.mhl")
    asc(tmp_path / "v", entry("Clips/a.mov", LONG, size=7), "0002_v.mhl")
    assert rows(find(new(Path("/gone/v/Clips/a.mov")), folders=(tmp_path / "v",))) == [
        ("alike", str(there))
    ]


def test_where_all_cameras_name_alike_some_are_told_and_all_are_compared(tmp_path):
    wanted = seen(tmp_path / "day" / "C0001.MP4")
    for n in range(20):
        file(tmp_path / "v" / f"{n:02}" / "C0001.MP4", b"x" * n)
    there = file(tmp_path / "v" / "zz" / "C0001.MP4")
    found = find(wanted, folders=(tmp_path / "v",))
    assert [match.how for match in found.matches].count("unlike") == 8
    assert ("samples", str(there)) in rows(found)


def test_a_list_without_a_hash_that_proves_is_a_proposal(tmp_path):
    there = file(tmp_path / "v" / "Clips" / "a.mov")
    classic(
        tmp_path / "v",
        f"<hash><file>Clips/a.mov</file><size>{len(LONG)}</size><xxhash>123</xxhash></hash>",
    )
    assert rows(find(new(Path("/gone/v/Clips/a.mov")), folders=(tmp_path / "v",))) == [
        ("alike", str(there))
    ]


def test_a_damaged_list_is_passed_over_and_said(tmp_path):
    there = file(tmp_path / "v" / "Clips" / "a.mov")
    asc(tmp_path / "v", entry("Clips/a.mov", LONG))
    bad = tmp_path / "v" / "ascmhl" / "0002_bad.mhl"
    bad.write_bytes(b"<hashlist><hashes><ha\xff")
    found = find(new(Path("/gone/v/Clips/a.mov")), folders=(tmp_path / "v",))
    assert rows(found) == [("mhl", str(there))]
    assert (
        len(found.trouble) == 1 and str(bad) in found.trouble[0] and "damaged" in found.trouble[0]
    )


def test_without_time_to_hash_it_stays_a_proposal(tmp_path, monkeypatch):
    there = file(tmp_path / "v" / "Clips" / "a.mov")
    asc(tmp_path / "v", entry("Clips/a.mov", LONG))
    moment = [0.0]
    monkeypatch.setattr(machine, "monotonic", lambda: moment[0])
    real = mhl.hash_of

    def slow(path, algorithm, breathe):
        moment[0] += 100.0
        return real(path, algorithm, breathe)

    monkeypatch.setattr(mhl, "hash_of", slow)
    found = find(new(Path("/gone/v/Clips/a.mov")), folders=(tmp_path / "v",))
    assert rows(found) == [("alike", str(there))]
    assert "ended after 20 s" in found.trouble[0]


# Bounds ---------------------------------------------------------------------------------------------------------------


def test_links_that_lead_in_circles_are_walked_once(tmp_path):
    wanted = seen(tmp_path / "day" / "a.mov")
    there = file(tmp_path / "v" / "x" / "a.mov")
    (tmp_path / "v" / "x" / "up").symlink_to(tmp_path / "v")
    (tmp_path / "v" / "self").symlink_to(tmp_path / "v" / "self")
    (tmp_path / "v" / "nowhere").symlink_to(tmp_path / "none")
    found = find(wanted, folders=(tmp_path / "v",))
    assert rows(found) == [("samples", str(there))]
    assert found.looked_at == 1


def test_a_folder_that_may_not_be_opened_is_counted_and_the_rest_searched(tmp_path, monkeypatch):
    wanted = seen(tmp_path / "day" / "a.mov")
    there = file(tmp_path / "v" / "open" / "a.mov")
    file(tmp_path / "v" / "closed" / "a.mov")
    real = os.scandir

    def refuse(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)  # whoever runs as root may open everything
    found = find(wanted, folders=(tmp_path / "v",))
    assert rows(found) == [("samples", str(there))]
    assert found.trouble == (), "all is found"
    there.unlink()
    found = find(wanted, folders=(tmp_path / "v",))
    assert found.trouble == ("1 of the folders and files looked at could not be opened.",)


def test_a_file_that_may_not_be_read_is_counted(tmp_path, monkeypatch):
    wanted = seen(tmp_path / "day" / "a.mov")
    file(tmp_path / "v" / "a.mov")
    monkeypatch.setattr(
        hashes, "content_mark", lambda path: (_ for _ in ()).throw(PermissionError(13, "no"))
    )
    found = find(wanted, folders=(tmp_path / "v",))
    assert found.matches == () and "1 of the folders" in found.trouble[0]


def test_a_named_folder_that_is_not_there_is_said(tmp_path):
    wanted = seen(tmp_path / "day" / "a.mov")
    found = find(wanted, folders=(tmp_path / "none", tmp_path / "day"))
    assert found.trouble == (
        f"{tmp_path / 'none'} could not be searched: No such file or directory.",
    )


def test_hidden_folders_and_our_own_are_not_entered(tmp_path):
    wanted = seen(tmp_path / "day" / "a.mov")
    for folder in (".hotsplice", ".Trash", "home"):
        file(tmp_path / "v" / folder / "a.mov")
    file(tmp_path / "v" / ".a.mov")
    found = find(
        wanted,
        folders=(tmp_path / "v",),
        skip=(str(tmp_path / "v" / "home"), str(tmp_path / "none")),
    )
    assert (found.matches, found.looked_at) == ((), 0)


def test_a_huge_tree_ends_at_the_number_of_files(tmp_path):
    wanted = seen(tmp_path / "day" / "a.mov")
    for n in range(300):
        file(tmp_path / "v" / str(n % 10) / f"{n}.mov", b"x")
    found = find(wanted, folders=(tmp_path / "v",), most=100)
    assert found.looked_at == 100
    assert found.trouble == ("The search ended after 100 files; not everything was looked at.",)


def test_a_huge_tree_ends_when_time_is_up_and_what_was_seen_is_compared(tmp_path, monkeypatch):
    wanted = seen(tmp_path / "day" / "a.mov")
    there = file(tmp_path / "v" / "0" / "renamed.mov")
    for n in range(1, 40):
        file(tmp_path / "v" / "0" / "deep" / f"{n:02}" / "x.mov", b"x")
    moment = [0.0]

    def tick() -> float:
        moment[0] += 0.5
        return moment[0]

    monkeypatch.setattr(machine, "monotonic", tick)
    found = find(wanted, folders=(tmp_path / "v",))
    assert rows(found) == [("samples", str(there))]
    assert found.looked_at < 40
    assert found.trouble == ("The search ended after 20 s; not everything was looked at.",)


def test_a_name_that_is_no_text_is_passed_over(tmp_path):
    wanted = seen(tmp_path / "day" / "a.mov")
    folder = os.fsencode(tmp_path / "v")
    os.mkdir(folder)
    try:
        with open(folder + b"/\xff.mov", "wb") as handle:
            handle.write(LONG)
    except OSError:
        pytest.skip("this file system takes text alone")
    assert find(wanted, folders=(tmp_path / "v",)).matches == ()


def test_it_says_how_many_it_has(tmp_path):
    wanted = [seen(tmp_path / "day" / f"{n}.mov", os.urandom(1000)) for n in range(2)]
    file(tmp_path / "v" / "sub" / "x.mov")
    heard: list[int] = []
    order = FindSources(wanted=tuple(wanted), folders=(str(tmp_path / "v"),))
    media_search.find(order, heard.append)
    assert heard and set(heard) == {0}
    for n in range(2):
        shutil.copyfile(file(tmp_path / "keep", os.urandom(1000)), tmp_path / "v" / f"{n}.mov")
    order = FindSources(wanted=tuple(seen(tmp_path / "day" / f"{n}.mov", (tmp_path / "v" / f"{n}.mov").read_bytes()) for n in range(2)),
                        folders=(str(tmp_path / "v"),))  # fmt: skip
    media_search.find(order, heard.append)
    assert max(heard) == 2


def test_a_worker_does_it(tmp_path):
    wanted = seen(tmp_path / "day" / "a.mov")
    there = file(tmp_path / "day" / "b.mov")
    found = worker.perform(Assignment(order=FindSources(wanted=(wanted,), beside=(wanted.path,))))
    assert isinstance(found, Found) and found.matches[0].to == str(there)


def test_a_copy_that_was_bad_once_takes_nothing_from_what_is_on_record_of_the_file(tmp_path):
    """As ascmhl writes it: another size, `failed`, and then the file is verified again."""
    there = file(tmp_path / "v" / "Clips" / "a.mov", LONG)
    asc(tmp_path / "v", entry("Clips/a.mov", LONG), "0001_v_2026-01-17_143000Z.mhl")
    asc(
        tmp_path / "v",
        entry("Clips/a.mov", b"cut", action="failed"),
        "0002_v_2026-01-18_143000Z.mhl",
    )
    wanted = new(Path("/gone/v/Clips/a.mov"))
    assert rows(find(wanted, folders=(tmp_path / "v",))) == [("mhl", str(there))]
    asc(
        tmp_path / "v",
        entry("Clips/a.mov", LONG, action="verified"),
        "0003_v_2026-01-19_143000Z.mhl",
    )
    assert rows(find(wanted, folders=(tmp_path / "v",))) == [("mhl", str(there))]


def test_a_packing_list_beside_the_folder_speaks_of_it(tmp_path):
    there = file(tmp_path / "v" / "renamed.mov", LONG)
    text = Path(asc(tmp_path / "x", entry("Clips/a.mov", LONG))).read_text()
    shutil.rmtree(tmp_path / "x")
    (tmp_path / "v" / "packinglist_A001_2026-01-17_143000Z.mhl").write_text(text)
    assert rows(find(new(Path("/gone/A001/Clips/a.mov")), folders=(tmp_path / "v",))) == [
        ("mhl", str(there))
    ]
    assert rows(find(new(Path("/gone/B002/Clips/a.mov")), folders=(tmp_path / "v",))) == []


def test_a_list_tells_of_a_file_on_record_what_the_record_cannot(tmp_path):
    """Its samples are equal and not all that is used of it is on record: only the list's hash proves it."""
    wanted = seen(tmp_path / "A001" / "Clips" / "a.mov")
    there = file(tmp_path / "v" / "renamed.mov")
    asc(tmp_path / "A001", entry("Clips/a.mov", LONG))
    unproven = msgspec.structs.replace(wanted, unproven=(str(there),))
    assert rows(find(unproven, folders=(tmp_path / "v",))) == [("mhl", str(there))]
    there.write_bytes(LONG[:-1] + b"x")
    assert rows(find(unproven, folders=(tmp_path / "v",))) == [], "the list knows better"
    asc(tmp_path / "A001", entry("Clips/a.mov", LONG + b"x"))
    assert rows(find(unproven, folders=(tmp_path / "v",))) == [], (
        "it speaks of a file of another size"
    )


def test_other_media_of_the_film_are_no_lookalikes(tmp_path):
    wanted = seen(tmp_path / "day1" / "C0001.mov")
    other, own = (
        file(tmp_path / "day1" / "v" / "C0001.mov", b"b"),
        file(tmp_path / "day1" / "w" / "C0001.mov", b"c"),
    )
    assert rows(find(wanted, near=(own,))) == [("unlike", str(other))]
