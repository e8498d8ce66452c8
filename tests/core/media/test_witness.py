"""ffmpeg alone as a witness: healthy media passes however odd it is, and what is lost is heard."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import pytest
from PIL import Image

from core.media import witness
from tests.film.media import ffmpeg

PROGRAM = imageio_ffmpeg.get_ffmpeg_exe()
_PICTURES = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=4")


def _heard(path: Path, begin: int, end: int) -> witness.Heard:
    return witness.of_pictures(
        PROGRAM, str(path), 0, Fraction(begin, 25), Fraction(end, 25), frames=end - begin
    )


@pytest.fixture(scope="module")
def h264(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("witness") / "a.mp4"
    ffmpeg(
        *_PICTURES,
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-g",
        "12",
        "-movflags",
        "+faststart",
        path,
    )
    return path


def test_a_healthy_range_is_clean_wherever_it_begins(h264: Path) -> None:
    for begin, end in ((0, 100), (7, 9), (31, 60)):
        assert _heard(h264, begin, end) == witness.Heard(True)


def test_a_range_that_begins_between_two_frames_has_all_its_frames(tmp_path: Path) -> None:
    """A copy begins half a frame early, and so does the witness: no frame at the end is lost by rounding to whole frames."""
    path, half = tmp_path / "a.mov", Fraction(1, 50)
    ffmpeg(*_PICTURES, "-c:v", "mjpeg", path)
    for begin, frames in ((1, 8), (7, 3), (50, 49)):
        begin_s = Fraction(begin, 25) - half
        assert witness.of_pictures(
            PROGRAM, str(path), 0, begin_s, begin_s + Fraction(frames, 25), frames=frames
        ).clean
        end_s = begin_s + Fraction(frames + 1, 25)
        assert (
            witness.of_pictures(PROGRAM, str(path), 0, begin_s, end_s, frames=frames + 2).clean
            is False
        ), "it counts"


def test_what_a_decoder_conceals_is_heard(h264: Path, tmp_path: Path) -> None:
    """Zeroes in the middle of a slice decode with a guess: only what the decoder conceals tells."""
    data = bytearray(h264.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = bytes(2000)
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(data)
    assert not _heard(bad, 25, 75).clean
    assert _heard(bad, 0, 20).clean, "damage elsewhere is no damage of the range"


def test_up_to_a_cut_everything_decodes(h264: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(h264.read_bytes()[: h264.stat().st_size * 2 // 3])
    assert _heard(cut, 10, 40).clean
    heard = _heard(cut, 40, 100)
    assert not heard.clean and any("frames decode" in line for line in heard.said)


def test_more_than_there_is_cannot_be_had(h264: Path) -> None:
    assert not _heard(h264, 80, 120).clean


def test_a_stream_of_intra_refresh_needs_a_longer_run_up(tmp_path: Path) -> None:
    path = tmp_path / "ir.mp4"
    refresh = ("-x264-params", "intra-refresh=1:keyint=50:bframes=0")
    ffmpeg(*_PICTURES, "-c:v", "libx264", "-preset", "veryfast", *refresh, path)
    heard = _heard(path, 62, 80)
    assert heard == witness.Heard(True, Fraction(62, 25))


def test_a_tiff_with_ordinary_tags_is_clean(tmp_path: Path) -> None:
    path = tmp_path / "a%02d.tif"
    Image.new("RGB", (64, 48), (200, 30, 30)).save(path, dpi=(300, 300))
    assert witness.of_pictures(PROGRAM, str(path), 0, Fraction(0), Fraction(0), frames=1).clean


def test_what_ffmpeg_cannot_open_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.mov"
    path.write_bytes(b"\0\0\0\x14ftypqt  " + bytes(4000))
    assert not witness.opens(PROGRAM, str(path), pictures=True).clean
    assert not witness.opens(PROGRAM, str(path), pictures=False).clean
