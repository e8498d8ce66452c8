"""Who is suspected when a worker fell silent."""

from __future__ import annotations

from fractions import Fraction

import pytest

from core.executors.kernel_waits import KernelWait
from core.executors.suspects import suspect
from core.graph.nodes import Sound
from core.tasks.spec import (
    CheckFilm,
    EncodeTrack,
    ExamineSource,
    JoinFilm,
    JoinSound,
    JoinVideo,
    MixSound,
    Order,
    ProbePlace,
    ProveEncoder,
    RenderSegment,
    ValidateSeal,
)

RENDER = RenderSegment(
    key="k", argv=(), part="/s/k.1.mov", frames=1, signature="", source="/m/a.mov"
)
SLATE = RenderSegment(key="k", argv=(), part="/s/k.1.mov", frames=1, signature="")
MIX = MixSound(
    key="m", part="/s/m.pcm", samples=1, sample_rate=48000, channels=2, bytes_per_sample=3,
    sounds=(
        Sound(clip="c", shot_name="", path="/m/v.wav", fingerprint="", stream=0, source_in_s=Fraction(0), at=0, samples=1),
        Sound(clip="d", shot_name="", path="/m/w.wav", fingerprint="", stream=0, source_in_s=Fraction(0), at=0, samples=1),
    ),
)  # fmt: skip
JOIN = JoinFilm(
    cut="c", part="/o/.h/f.mov", container="mov", rate=Fraction(24), reorder=0, signature="", timecode="", pcm="",
    video=(JoinVideo(key="a", frames=1, digest="", file="/s/a.mov"), JoinVideo(key="b", frames=1, digest="", source="/m/b.mov")),
    sound=(JoinSound(key="s", file="/s/s.pcm", samples=1, digest=""),), sample_rate=48000, channels=2, samples=1,
)  # fmt: skip


@pytest.mark.parametrize(
    ("order", "waited", "expected"),
    [
        (RENDER, "/m/a.mov", ("source", "/m/a.mov")),
        (RENDER, "/s/k.1.mov", ("scratch", "/s/k.1.mov")),
        (RENDER, "/s/k.1.mov.png", ("scratch", "/s/k.1.mov")),
        (RENDER, "/m/a.mov.other", ("source", "/m/a.mov")),
        (MIX, "/m/w.wav", ("source", "/m/w.wav")),
        (MIX, "/s/m.pcm", ("scratch", "/s/m.pcm")),
        (JOIN, "/o/.h/f.mov", ("output", "/o/.h/f.mov")),
        (JOIN, "/m/b.mov", ("source", "/m/b.mov")),
        (JOIN, "/s/s.pcm", ("scratch", "/s/s.pcm")),
        (
            EncodeTrack(key="t", argv=(), part="/s/t", inputs=JOIN.sound, samples=1),
            "/s/s.pcm",
            ("scratch", "/s/s.pcm"),
        ),
        (ValidateSeal(key="k", path="/s/k", bytes=1, file_hash=""), "/s/k", ("scratch", "/s/k")),
        (
            CheckFilm(path="/o/f", film_hash="", frames=1, samples=0, deep=False),
            "/o/f",
            ("output", "/o/f"),
        ),
        (ExamineSource(path="/m/a"), "/m/a", ("source", "/m/a")),
        (ProbePlace(path="/o", write=True), "/o", ("scratch", "/o")),
        (ProveEncoder(argv=(), part="/s/p"), "/s/p", ("scratch", "/s/p")),
    ],
)
def test_the_file_that_is_waited_for(order: Order, waited: str, expected: tuple[str, str]) -> None:
    assert suspect(order, KernelWait(known=True, paths=("/lib/x.so", waited))) == expected


@pytest.mark.parametrize("order", [RENDER, SLATE, MIX, JOIN])
def test_who_waits_for_nothing_is_at_fault_himself(order: Order) -> None:
    assert suspect(order, KernelWait(known=True))[0] == "program"
    assert suspect(order, KernelWait(known=True, stopped=True))[0] == "program"


@pytest.mark.parametrize(
    ("order", "place"), [(RENDER, "source"), (SLATE, "scratch"), (MIX, "source"), (JOIN, "output")]
)
def test_where_nothing_is_told_the_likeliest_is(order: Order, place: str) -> None:
    assert suspect(order, KernelWait())[0] == place
    assert suspect(order, KernelWait(known=True, blocked=True))[0] == place
