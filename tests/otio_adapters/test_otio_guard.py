"""Bytes to plain JSON: what is refused before OpenTimelineIO sees it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from otio_building import as_json, clip, timeline, track

from otio_adapters import guard
from otio_adapters.read import read_timeline
from otio_adapters.refuse import TimelineRefused


def code_of(path: Path) -> str:
    with pytest.raises(TimelineRefused) as caught:
        read_timeline(path)
    return caught.value.code


def parse_code(data: bytes) -> str:
    with pytest.raises(TimelineRefused) as caught:
        guard.parse(data)
    return caught.value.code


def test_a_file_that_is_not_there_is_missing(tmp_path):
    assert code_of(tmp_path / "no.otio") == "timeline-missing"
    (tmp_path / "file").write_text("x")
    assert code_of(tmp_path / "file" / "no.otio") == "timeline-missing"
    (tmp_path / "link.otio").symlink_to(tmp_path / "nowhere.otio")
    assert code_of(tmp_path / "link.otio") == "timeline-missing"


def test_a_folder_a_pipe_and_an_impossible_name_are_no_file(tmp_path):
    assert code_of(tmp_path) == code_of(Path("/")) == "timeline-no-file"
    assert code_of(tmp_path / "a\0b.otio") == "timeline-no-file"
    assert code_of(tmp_path / ("x" * 5000)) == "timeline-no-file"
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.otio")
        assert code_of(tmp_path / "pipe.otio") == "timeline-no-file"


def test_a_forbidden_file_and_a_failing_disk_are_told_apart(tmp_path, monkeypatch):
    path = tmp_path / "a.otio"
    path.write_text("{}")
    failing = {
        "timeline-no-permission": PermissionError(13, "Permission denied"),
        "timeline-unreadable": OSError(5, "I/O error"),
    }
    for code, error in failing.items():

        def fail(*_: object, error: OSError = error, **__: object) -> None:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", fail)
            assert code_of(path) == code


def test_a_large_file_is_not_read_to_its_end(tmp_path):
    path = tmp_path / "a.otio"
    with path.open("wb") as file:
        file.truncate(guard.LARGEST_BYTES + 1)
    assert code_of(path) == "timeline-too-large"


@pytest.mark.parametrize("levels", [guard.DEEPEST + 1, 900, 5_000, 100_000])
@pytest.mark.parametrize(("left", "right"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_deep_nesting_is_too_large(levels, left, right):
    """OpenTimelineIO crashes the process at 50,000 levels."""
    assert parse_code(left * levels + b"1" + right * levels) == "timeline-too-large"


def test_the_deepest_allowed_is_allowed():
    levels = guard.DEEPEST - 1
    assert guard.parse(b"[" * levels + b"1" + b"]" * levels)


def test_too_many_nodes_are_counted_exactly_and_before_they_cost_memory(monkeypatch):
    monkeypatch.setattr(guard, "MOST_NODES", 100)
    assert len(guard.parse(json.dumps([1] * 99).encode())) == 99
    assert guard.parse(json.dumps(["," * 150]).encode())
    assert parse_code(json.dumps([1] * 100).encode()) == "timeline-too-large"
    monkeypatch.setattr(guard.json, "loads", lambda *_, **__: pytest.fail("parsed a bomb"))
    assert parse_code(json.dumps([[]] * 201).encode()) == "timeline-too-large"


def test_running_out_of_memory_is_too_large(monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(guard.json, "loads", full)
    assert parse_code(b"{}") == "timeline-too-large"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"  ",
        b"not json",
        b"{",
        b'{"a": Inf}',
        b'{"a": NaN}',
        b"[Infinity]",
        b"[-Infinity]",
        b"\xff\xfe\xfa",
        b'"\xc3\x28"',
        b"[1] 2",
        b"TITLE: an edl\n001  AX V C",
    ],
)
def test_what_is_not_json_is_refused(data):
    assert parse_code(data) == "timeline-not-json"


@pytest.mark.parametrize(
    "data", [b'{"a": 1, "a": 2}', b"[1e999]", b"[-1e999]", b"[" + b"9" * 5000 + b"]"]
)
def test_json_that_readers_would_read_differently_is_invalid(data):
    assert parse_code(data) == "timeline-invalid"


def test_large_integers_become_floats_as_in_opentimelineio():
    assert guard.parse(b"[170141183460469231731687303715884105728, 12]") == [
        1.7014118346046923e38,
        12,
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-le"])
def test_every_encoding_of_json_is_read(read, encoding):
    text = json.dumps(as_json(timeline(track(clip("Über")))), ensure_ascii=False)
    assert read(text.encode(encoding)).tracks[0].clips[0].name == "Über"
