"""Healthy media is not blamed, and of a file that was cut off every frame before the cut is in the film."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from tests.film.assembling import House
from tests.film.barcode import Mark
from tests.film.comparing import shown
from tests.film.cutlist import SLATE
from tests.film.media import make_movie, make_still
from tests.film.timelines import timeline

FRAMES = 72


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "home")


def _cut_off(path: Path, share: float) -> int:
    """Truncate a file; how many of its frames are whole and lean on nothing behind the cut."""
    size = int(path.stat().st_size * share)
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size and packet.pts is not None]
    whole = [packet for packet in packets if packet.pos + packet.size <= size]
    lost = min(packet.pts for packet in packets[len(whole) :])
    os.truncate(path, size)
    os.utime(path, (1_600_000_000, 1_600_000_000))
    return sum(packet.pts < lost for packet in whole)


@pytest.mark.parametrize(("codec", "suffix"), [("prores", ".mov"), ("h264", ".mp4")])
def test_every_frame_before_the_cut_of_a_file_is_kept(house: House, tmp_path: Path, codec: str, suffix: str) -> None:
    reel = make_movie(tmp_path / f"whole{suffix}", source_id=3, frames=FRAMES, codec=codec, gop=12)  # type: ignore[arg-type]
    with av.open(str(reel.path)) as container, av.open(str(tmp_path / f"cut{suffix}"), "w", options={"movflags": "faststart"}) as out:
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
    assert shown(tmp_path / "film.mkv") == [Mark(3, n) for n in range(kept)] + [SLATE] * (FRAMES - kept)
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
