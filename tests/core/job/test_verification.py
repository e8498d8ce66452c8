"""Promised against found: one oracle after the other, each with its own word for what is wrong."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest

from core.job.verification import bad_lines, discrepancy
from core.tasks.spec import (
    EncodeTrack,
    ExamineCopy,
    JoinFilm,
    JoinSound,
    JoinVideo,
    Made,
    MixSound,
    RenderSegment,
)

RENDER = RenderSegment(
    key="v1",
    argv=(),
    part="/s/v1.1.mov",
    frames=24,
    signature="prores 3",
    source="/m/a.mov",
    fingerprint="f",
)
CARD = msgspec.structs.replace(RENDER, source="", fingerprint="", slate=("Shot 1",))
COPY = ExamineCopy(
    key="c1",
    path="/m/a.mov",
    fingerprint="f",
    stream=0,
    first_frame=0,
    frames=24,
    signature="prores 3",
)
MIX = MixSound(
    key="a1",
    part="/s/a1.1.pcm",
    samples=48000,
    sample_rate=48000,
    channels=2,
    bytes_per_sample=3,
    sounds=(),
)
TRACK = EncodeTrack(key="t1", argv=(), part="/s/t1.1.m4a", inputs=(), samples=48000)
JOIN = JoinFilm(
    cut="f1",
    part="/film/.hotsplice/f.part.mov",
    container="mov",
    rate=Fraction(24),
    reorder=0,
    signature="prores 3",
    timecode="",
    video=(JoinVideo(key="v1", frames=20, digest="d"), JoinVideo(key="v2", frames=4, digest="d")),
    sound=(),
    pcm="pcm_s24le",
    sample_rate=48000,
    channels=2,
    samples=48000,
)
HEARD = msgspec.structs.replace(
    JOIN, sound=(JoinSound(key="a1", file="/s/a1.pcm", samples=48000, digest="d"),)
)
GOOD = Made(
    frames=24, signature="prores 3", log=("[prores @ 0x1] [warning] a remark",), digest="48000"
)
SOUND = Made(frames=48000)


@pytest.mark.parametrize(
    ("order", "made"),
    [
        (RENDER, GOOD),
        (CARD, GOOD),
        (COPY, GOOD),
        (MIX, SOUND),
        (TRACK, SOUND),
        (JOIN, GOOD),
        (HEARD, GOOD),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_as_promised_is_nothing_to_speak_of(order, made):
    assert discrepancy(order, made) is None


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"frames": 23}, "too-few-frames"), ({"frames": 0}, "too-few-frames"), ({"frames": 25}, "too-many-frames"),
        ({"on_grid": False}, "off-grid"), ({"signature": "prores 2"}, "other-signature"), ({"signature": ""}, "other-signature"),
        ({"log": ("[prores @ 0x1] [warning] corrupt decoded frame",)}, "log-says-damage"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "order", [RENDER, CARD, COPY, JOIN], ids=lambda order: type(order).__name__
)
def test_each_oracle_has_its_word(order, change, note):
    seen = discrepancy(order, msgspec.structs.replace(GOOD, **change))
    assert seen is not None
    assert seen.note == note
    assert (seen.frames_wanted, seen.frames_seen) == (24, change.get("frames", 24))


@pytest.mark.parametrize(
    ("frames", "note"), [(47999, "too-few-frames"), (48001, "too-many-frames")]
)
@pytest.mark.parametrize("order", [MIX, TRACK], ids=lambda order: type(order).__name__)
def test_sound_is_counted_to_the_sample(order, frames, note):
    seen = discrepancy(order, Made(frames=frames))
    assert seen is not None
    assert (seen.note, seen.place) == (note, "scratch")


def test_a_film_whose_sound_ends_early_is_not_the_film():
    seen = discrepancy(HEARD, msgspec.structs.replace(GOOD, digest="47999"))
    assert seen is not None
    assert (seen.note, seen.frames_wanted, seen.frames_seen) == ("too-few-samples", 48000, 47999)
    assert discrepancy(HEARD, msgspec.structs.replace(GOOD, digest="48500")) is None, (
        "coded sound is padded"
    )


def test_the_place_is_the_source_only_where_there_is_one():
    few = msgspec.structs.replace(GOOD, frames=1)
    places = {}
    for order in (RENDER, CARD, COPY, JOIN):
        seen = discrepancy(order, few)
        assert seen is not None
        places[order.part if not isinstance(order, ExamineCopy) else order.path, seen.path] = (
            seen.place
        )
    assert places == {
        ("/s/v1.1.mov", "/m/a.mov"): "source", ("/s/v1.1.mov", "/s/v1.1.mov"): "scratch", ("/m/a.mov", "/m/a.mov"): "source",
        ("/film/.hotsplice/f.part.mov", "/film/.hotsplice/f.part.mov"): "output",
    }  # fmt: skip


def test_the_lines_that_speak_of_damage_are_the_evidence():
    log = (
        "[info] fine",
        "[prores @ 0x1] [warning] corrupt decoded frame",
        "[x] [warning] fine too",
    )
    seen = discrepancy(RENDER, msgspec.structs.replace(GOOD, log=log))
    assert seen is not None
    assert seen.stderr == log[1:2]


@pytest.mark.parametrize(
    "line",
    [
        "[vist#0:0/prores @ 0x55] [dec:prores @ 0x56] [warning] corrupt decoded frame",
        "[h264 @ 0x55] [warning] concealing 120 DC, 120 AC, 120 MV errors in P frame",
        "[h264 @ 0x55] [error] left block unavailable for requested intra mode",
        "[matroska,webm @ 0x55] [warning] File ended prematurely",
        "[mov,mp4,m4a,3gp,3g2,mj2 @ 0x55] [warning] Packet corrupt (stream = 0, dts = 12)",
        "[in#0/mov @ 0x55] [warning] corrupt input packet in stream 0: partial file",
        "[prores @ 0x55] [warning] ac tex damaged 1024, 1024",
        "[fatal] Error opening input files: Input/output error",
        "[panic] no more memory",
    ],
)
def test_ffmpeg_exits_0_and_its_log_tells_the_truth(line):
    assert bad_lines((line,)) == (line,)


@pytest.mark.parametrize(
    "line",
    [
        "", "[swscaler @ 0x55] [warning] deprecated pixel format used, make sure you did set range correctly",
        "[mov,mp4,m4a,3gp,3g2,mj2 @ 0x55] [warning] Could not find codec parameters for stream 2 (Unknown: none (tmcd))",
        "[aost#0:0/pcm_s24le @ 0x55] [warning] Guessed Channel Layout: stereo",
        "[mp4 @ 0x55] [info] no errors here",
    ],
)  # fmt: skip
def test_remarks_of_ffmpeg_are_no_damage(line):
    assert bad_lines((line,)) == ()


@pytest.mark.parametrize(
    "line",
    [
        "[h264 @ 0x55] [error] mmco: unref short failure",
        "[h264 @ 0x55] [error] co located POCs unavailable",
        "[h264 @ 0x55] [error] reference picture missing during reorder",
        "[h264 @ 0x55] [error] Missing reference picture, default is 65562",
    ],
)
def test_complaints_about_pictures_before_the_run_up_are_no_damage_and_elsewhere_they_are(line):
    assert bad_lines((line,), run_up=True) == ()
    assert bad_lines((line,)) == (line,)
    healthy = msgspec.structs.replace(GOOD, log=(line,), again=True)
    assert discrepancy(RENDER, healthy) is None
    assert discrepancy(RENDER, msgspec.structs.replace(healthy, again=False)) is not None


def test_damage_after_a_run_up_is_damage():
    line = "[h264 @ 0x55] [error] error while decoding MB 19 4, bytestream -28"
    assert bad_lines((line,), run_up=True) == (line,)
