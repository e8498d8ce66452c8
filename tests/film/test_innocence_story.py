"""Healthy media is not blamed, and of a file that was cut off every frame before the cut is in the film."""

from __future__ import annotations

import os
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from tests.film.assembling import House
from tests.film.barcode import Mark
from tests.film.comparing import shown
from tests.film.cutlist import SLATE
from tests.film.media import ffmpeg, make_movie, make_still
from tests.film.timelines import timeline

FRAMES = 72


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "home")


def _cut_off(path: Path, share: float) -> int:
    """Truncate a file; how many of its frames are whole and lean on nothing behind the cut."""
    size = int(path.stat().st_size * share)
    with av.open(str(path)) as container:
        packets = [
            packet for packet in container.demux(video=0) if packet.size and packet.pts is not None
        ]
    whole = [packet for packet in packets if packet.pos + packet.size <= size]
    lost = min(packet.pts for packet in packets[len(whole) :])
    os.truncate(path, size)
    os.utime(path, (1_600_000_000, 1_600_000_000))
    return sum(packet.pts < lost for packet in whole)


@pytest.mark.parametrize(("codec", "suffix"), [("prores", ".mov"), ("h264", ".mp4")])
def test_every_frame_before_the_cut_of_a_file_is_kept(
    house: House, tmp_path: Path, codec: str, suffix: str
) -> None:
    reel = make_movie(tmp_path / f"whole{suffix}", source_id=3, frames=FRAMES, codec=codec, gop=12)  # type: ignore[arg-type]
    with (
        av.open(str(reel.path)) as container,
        av.open(str(tmp_path / f"cut{suffix}"), "w", options={"movflags": "faststart"}) as out,
    ):
        video = out.add_stream_from_template(container.streams.video[0])
        for packet in container.demux(video=0):
            if packet.dts is not None:
                packet.stream = video
                out.mux(packet)
    cut = tmp_path / f"cut{suffix}"
    kept = _cut_off(cut, 0.6)
    assert 30 < kept < 60
    line = timeline(Fraction(24))
    line.video().clip(cut, 0, FRAMES, media_frames=FRAMES)
    ended = house.assemble(line.save(tmp_path / "cut.otio"), tmp_path / "film.mkv", "ffv1")
    assert (ended.code, ended.codes) == (1, {"shot-mended"})
    assert shown(tmp_path / "film.mkv") == [Mark(3, n) for n in range(kept)] + [SLATE] * (
        FRAMES - kept
    )
    assert [(p["first"], p["frames"]) for p in ended.summary["problems"]] == [(kept, FRAMES - kept)]


def test_a_still_with_ordinary_tags_is_in_the_film(house: House, tmp_path: Path) -> None:
    """TIFF tags that FFmpeg does not know are a complaint of its own, and no damage."""
    plain = make_still(tmp_path / "plain.png", (320, 180), 5)
    with Image.open(plain) as picture:
        picture.save(tmp_path / "tagged.tif", dpi=(300, 300), compression="tiff_lzw")
    line = timeline(Fraction(24))
    line.video().clip(tmp_path / "tagged.tif", 0, 12, media_frames=1)
    ended = house.assemble(line.save(tmp_path / "cut.otio"), tmp_path / "film.mkv", "ffv1")
    assert (ended.code, ended.codes) == (0, set())
    assert shown(tmp_path / "film.mkv") == [Mark(5, 0)] * 12


def test_a_recording_without_a_length_in_its_head_is_counted(house: House, tmp_path: Path) -> None:
    """What was written to a pipe has no duration: only its packets tell that it is long enough."""
    reel = make_movie(tmp_path / "reel.mov", source_id=6, frames=24, codec="prores").path
    live, bare = tmp_path / "live.mkv", tmp_path / "bare.h264"
    lossless = ("-an", "-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv420p", "-bf", "2")
    with live.open("wb") as out:
        subprocess.run(
            ["ffmpeg", "-v", "error", "-i", reel, *lossless, "-f", "matroska", "-"],
            stdout=out,
            check=True,
        )
    ffmpeg("-i", reel, *lossless, bare)
    line = timeline(Fraction(24))
    line.video().clip(live, 4, 12, media_frames=24).clip(bare, 6, 12, media_frames=24)
    ended = house.assemble(line.save(tmp_path / "cut.otio"), tmp_path / "film.mkv", "ffv1")
    assert (ended.code, ended.codes) == (0, set())
    assert shown(tmp_path / "film.mkv") == [Mark(6, 4 + n) for n in range(12)] + [
        Mark(6, 6 + n) for n in range(12)
    ]


def test_recordings_end_to_end_are_not_called_damaged(house: House, tmp_path: Path) -> None:
    """Their time stamps begin anew, so that no time names a frame: what is missing for it is named, and nothing is blamed. They are
    known whatever their size; padding makes this one 70 MiB long."""
    reel = make_movie(tmp_path / "reel.mov", source_id=6, frames=48, codec="prores").path
    part, both = tmp_path / "part.ts", tmp_path / "both.ts"
    ffmpeg(
        "-i", reel, "-an", "-c:v", "mpeg2video", "-q:v", "2", "-bf", "2", "-muxrate", "150M", part
    )
    both.write_bytes(part.read_bytes() * 2)
    assert both.stat().st_size > 64 << 20
    line = timeline(Fraction(24))
    line.video().clip(both, 60, 12, media_frames=96).clip(part, 12, 12, media_frames=48)
    ended = house.assemble(line.save(tmp_path / "cut.otio"), tmp_path / "film.mkv", "ffv1")
    assert (ended.code, ended.codes) == (1, {"source-begins-anew"})
    assert shown(tmp_path / "film.mkv") == [SLATE] * 12 + [Mark(6, 12 + n) for n in range(12)]


def test_a_program_stream_is_like_its_record_wherever_reading_begins(
    house: House, tmp_path: Path
) -> None:
    """Its packets are cut by a parser: the first after a seek holds the end of the one before."""
    reel = make_movie(tmp_path / "reel.mov", source_id=6, frames=60, codec="prores").path
    disc = tmp_path / "disc.mpg"
    ffmpeg(
        "-i",
        reel,
        "-an",
        "-c:v",
        "mpeg2video",
        "-b:v",
        "4M",
        "-r",
        "25",
        "-g",
        "15",
        "-bf",
        "2",
        disc,
    )
    line = timeline(Fraction(25))
    row = line.video()
    for first in range(0, 57, 6):
        row.clip(disc, first, 3, media_frames=60)
    ended = house.assemble(line.save(tmp_path / "cut.otio"), tmp_path / "film.mkv", "ffv1")
    assert (ended.code, ended.codes) == (0, set())


def test_a_shot_that_outruns_its_media_for_want_of_its_speed_blames_no_media(
    house: House, tmp_path: Path
) -> None:
    reel = make_movie(tmp_path / "reel.mov", source_id=6, frames=24, codec="prores").path
    line = timeline(Fraction(24))
    line.video().clip(reel, 0, 40, media_frames=24, speed=0.5)
    ended = house.assemble(line.save(tmp_path / "cut.otio"), tmp_path / "film.mkv", "ffv1")
    assert ended.code == 1
    assert ended.codes == {"speed-runs-out"}
    assert shown(tmp_path / "film.mkv") == [Mark(6, n) for n in range(24)] + [SLATE] * 16
