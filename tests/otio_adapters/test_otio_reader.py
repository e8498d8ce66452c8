"""The door."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from otio_building import as_json, clip, message, timeline, track

from core.errors.refusal import Part
from core.system import codec
from core.timeline.timeline import Timeline
from otio_adapters import read as reader
from otio_adapters.refuse import TimelineRefused, named


def test_a_timeline_survives_the_journal(read):
    made = read(timeline(track(clip("Über", rate=23.976)), start=(86400, 23.976)))
    assert codec.decode(codec.encode(made), Timeline) == made


def test_reading_twice_is_the_same(read):
    content = timeline(track(clip("a"), clip("b")), track(clip("c"), kind="Audio")).to_json_string()
    assert read(content) == read(content)


def test_bytes_may_be_read_before_and_elsewhere():
    raw = timeline(track(clip(media=None)), name="").to_json_string().encode()
    made = reader.timeline_from(raw, Path("/gone/cut 3.otio"))
    assert made.name == "cut 3"


def test_no_media_is_touched(read, monkeypatch):
    seen = []
    stat = Path.stat
    monkeypatch.setattr(
        Path, "stat", lambda self, **more: seen.append(self.name) or stat(self, **more)
    )
    read(timeline(track(clip())))
    assert set(seen) <= {"reel.otio"}


def test_an_exception_out_of_opentimelineio_is_a_refusal_with_its_cause(refused):
    made = as_json(timeline(track(clip("shot"))))
    del made["tracks"]["children"][0]["kind"]
    error = refused(made)
    assert error.code == "timeline-invalid"
    assert isinstance(error.__cause__, KeyError)
    assert "kind" in message(error)
    assert "N14opentimelineio" not in message(error)


def test_any_other_exception_is_a_refusal_with_its_cause(read, monkeypatch):
    def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("what\nwas that")

    monkeypatch.setattr(reader, "timeline_of", break_down)
    with pytest.raises(TimelineRefused) as caught:
        read(timeline(track(clip())))
    assert (caught.value.code, type(caught.value.__cause__)) == ("timeline-invalid", RuntimeError)
    assert "\n" not in message(caught.value)


def test_a_lone_surrogate_is_refused(refused):
    text = timeline(track(clip("SHOT"))).to_json_string()
    assert refused(text.replace("SHOT", "\\ud800")).code == "timeline-invalid"


def test_a_refusal_travels_between_processes():
    error = TimelineRefused("timeline-invalid", why="no-length", where=Part(kind="gap", name="x"))
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.code, again.fields) == (
        TimelineRefused,
        "timeline-invalid",
        error.fields,
    )
    assert message(again) == message(error) == "Gap “x” on a track has no length."


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a b", "“a b”"),
        ("", "without a name"),
        (" ", "without a name"),
        ("x" * 500, f"“{'x' * 79}…”"),
        ("a\x1b[2J\n\0b", "“a\ufffd[2J\ufffd\ufffdb”"),
        ("\ud800", "“\ufffd”"),
        (None, "“None”"),
    ],
)
def test_names_are_safe_to_show(name, shown):
    assert named(name) == shown
