"""What is waited for, and who waits."""

from __future__ import annotations

import errno

import pytest

from core.errors.failure import Evidence
from core.job import circuit_breaker
from core.job.classify import diagnose
from tests.core.props import clip, cut, picture, plan, source, voice

VOLUMES = {"/Volumes/A/a.mov": "/Volumes/A", "/Volumes/B/b.mov": "/Volumes/B"}
A, B = (source(path, picture(), voice()) for path in VOLUMES)
FILM = plan(
    cut(
        [clip(0, 24, A.path), clip(24, 24, B.path), clip(60, 24, A.path)],
        audio=([clip(0, 24, B.path)],),
    ),
    {A.path: A, B.path: B},
)


def of(place: str, path: str = A.path, **more: object) -> str:
    return circuit_breaker.gate_of(
        diagnose(Evidence(operation="render", place=place, path=path, **more)), VOLUMES
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("gate", "seen"),
    [
        ("source:/Volumes/A", {"place": "source", "note": "hung"}),
        ("source:/Volumes/B", {"place": "source", "path": B.path, "errno": errno.ENODEV}),
        ("source:/Volumes/A", {"place": "source", "errno": errno.ESTALE}),
        ("scratch", {"place": "scratch", "errno": errno.ENOSPC}),
        ("scratch", {"place": "scratch", "errno": errno.ESTALE}),
        ("output", {"place": "output", "errno": errno.ENOSPC}),
        ("output", {"place": "output", "errno": errno.ENOENT}),
        ("machine", {"place": "program", "errno": errno.EAGAIN}),
        ("", {"place": "source", "note": "log-says-damage"}),
        ("", {"place": "source", "errno": errno.ENOENT}),
        ("", {"place": "scratch", "errno": errno.EROFS}),
        ("", {"place": "source", "path": "/elsewhere/c.mov", "note": "hung"}),
    ],
)
def test_the_place_at_fault_is_the_gate(gate, seen):
    assert of(**seen) == gate


def test_a_missing_file_on_a_mount_point_that_is_not_there_is_a_volume_that_went():
    missing = Evidence(
        operation="render", place="source", path=A.path, errno=errno.ENOENT, volume="/"
    )
    assert diagnose(circuit_breaker.with_its_volume(missing, VOLUMES)).code == "source-volume-gone"


@pytest.mark.parametrize("volume", ["/Volumes/A", ""])
def test_a_missing_file_on_its_own_volume_is_a_missing_file(volume):
    missing = Evidence(
        operation="render", place="source", path=A.path, errno=errno.ENOENT, volume=volume
    )
    assert circuit_breaker.with_its_volume(missing, VOLUMES) is missing
    assert diagnose(missing).code == "source-missing"


def test_each_piece_of_work_needs_its_own_places():
    first, gap = (
        FILM.segments[0],
        next(s for s in FILM.segments if type(s.picture).__name__ == "Black"),
    )
    assert circuit_breaker.behind("render", first, None, FILM.segments, VOLUMES) == {
        "machine",
        "scratch",
        "source:/Volumes/A",
    }
    assert circuit_breaker.behind("render", gap, None, FILM.segments, VOLUMES) == {
        "machine",
        "scratch",
    }
    assert circuit_breaker.behind("mix", None, FILM.chunks[0], FILM.segments, VOLUMES) == {
        "machine",
        "scratch",
        "source:/Volumes/B",
    }
    assert circuit_breaker.behind("join", None, None, FILM.segments, VOLUMES) == {
        "machine",
        "scratch",
        "output",
    }
    assert circuit_breaker.behind("publish", None, None, FILM.segments, VOLUMES) == {
        "machine",
        "output",
    }


def test_joining_reads_the_volumes_that_packets_are_copied_from():
    same = source(A.path, picture(signature="prores 3 1920x1080 yuv422p10le", intra_only=True))
    copied = plan(cut([clip(0, 24, A.path)]), same)
    assert circuit_breaker.behind("join", None, None, copied.segments, VOLUMES) == {
        "machine",
        "scratch",
        "output",
        "source:/Volumes/A",
    }
