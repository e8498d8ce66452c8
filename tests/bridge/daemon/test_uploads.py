"""Timelines on their way: what stands on the disk after each piece, and what is refused."""

from __future__ import annotations

import os
import stat

import pytest

from bridge.daemon import uploads
from bridge.daemon.uploads import Uploads
from bridge.protocol.requests import LARGEST_TIMELINE, Chunk, Submit, Upload
from bridge.protocol.wire import digest
from core.errors.refusal import Refused

DATA = bytes(range(256)) * 40
KEY, NAME = b"key", "12345678"


@pytest.fixture
def store(tmp_path):
    return Uploads(tmp_path)


def begin(store, *, name=NAME, data=DATA, key=KEY, size=None):
    return store.begin(
        key,
        Upload(
            request="u",
            submission=name,
            sha256=digest(data),
            size=len(data) if size is None else size,
        ),
    )


def add(store, at, piece, *, name=NAME, data=DATA, key=KEY):
    return store.add(key, Chunk(request="c", submission=name, at=at), digest(data), piece)


def test_pieces_in_order_are_the_timeline_readable_by_the_user_alone(store):
    assert begin(store) == 0
    assert [add(store, at, DATA[at : at + 4000]) for at in range(0, len(DATA), 4000)] == [
        4000,
        8000,
        10240,
    ]
    path = store.place(KEY, NAME, digest(DATA))
    assert uploads.read(path) == DATA
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(store.folder.stat().st_mode)) == (
        0o600,
        0o700,
    )


def test_a_piece_that_is_not_the_next_one_changes_nothing(store):
    begin(store)
    add(store, 0, DATA[:100])
    assert (
        add(store, 0, DATA[:100])
        == add(store, 200, DATA[200:300])
        == add(store, 50, b"x" * 100)
        == 100
    )
    assert uploads.read(store.place(KEY, NAME, digest(DATA))) == DATA[:100]


def test_another_process_goes_on_where_the_last_one_ended(store, tmp_path):
    begin(store)
    add(store, 0, DATA[:5000])
    later = Uploads(tmp_path)
    with pytest.raises(Refused, match="upload-missing"):
        add(later, 5000, DATA[5000:])
    assert begin(later) == 5000 and add(later, 5000, DATA[5000:]) == len(DATA)


def test_an_upload_is_of_its_key_its_name_and_its_bytes(store):
    begin(store)
    add(store, 0, DATA[:100])
    assert (
        begin(store, key=b"other")
        == begin(store, name="87654321")
        == begin(store, data=DATA[::-1])
        == 0
    )


def test_more_than_was_announced_is_refused(store):
    begin(store, size=100)
    with pytest.raises(Refused, match="message-too-large"):
        add(store, 0, DATA[:101])
    with pytest.raises(Refused, match="message-too-large"):
        begin(store, size=LARGEST_TIMELINE + 1)


def test_what_is_longer_than_announced_is_begun_anew(store):
    begin(store)
    add(store, 0, DATA)
    assert begin(store, size=50) == 0 and add(store, 0, DATA[:50]) == 50


def test_a_timeline_in_one_piece_stands_there_like_an_upload(store):
    path = store.whole(
        KEY, Submit(request="s", submission=NAME, output="/f.mov", sha256=digest(DATA)), DATA
    )
    assert (
        uploads.read(path) == DATA
        and path == store.place(KEY, NAME, digest(DATA))
        and begin(store) == len(DATA)
    )


@pytest.mark.parametrize(("limit", "other"), [("MOST_OF_ONE", KEY), ("MOST", b"other")])
def test_there_are_not_too_many_at_once_and_one_that_rests_makes_room(
    store, monkeypatch, limit, other
):
    monkeypatch.setattr(uploads, limit, 2)
    for number in range(2):
        begin(store, name=f"upload-{number}")
    with pytest.raises(Refused, match="companion-busy"):
        begin(store, name="upload-2", key=other)
    assert begin(store, name="upload-1") == 0, "one that is there already goes on"
    rested = store.place(KEY, "upload-0", digest(DATA))
    os.utime(rested, (1.0, rested.stat().st_mtime - uploads.RESTED_S - 1))
    assert begin(store, name="upload-2", key=other) == 0 and not rested.exists()


def test_what_nobody_goes_on_with_is_removed_after_a_day(store):
    begin(store)
    begin(store, name="upload-new")
    old = store.place(KEY, NAME, digest(DATA))
    changed = old.stat().st_mtime
    assert store.tidy(changed + uploads.KEPT_S - 60) == 0
    os.utime(old, (1.0, changed - 120))
    assert store.tidy(changed + uploads.KEPT_S - 60) == 1
    assert not old.exists() and store.place(KEY, "upload-new", digest(DATA)).exists()


def test_a_disk_that_takes_nothing_is_refused_with_its_own_words(store, tmp_path):
    (tmp_path / uploads.FOLDER).write_text("no folder")
    with pytest.raises(Refused) as refused:
        begin(store)
    assert refused.value.code == "upload-failing" and refused.value.fields["detail"]
