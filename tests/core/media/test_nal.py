"""What no encoder writes is seen without decoding."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from core.media import nal
from tests.film.media import Movie, ffmpeg


def _packets(path: Path) -> tuple[int, list[bytes]]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return nal.length_size(stream), [
            bytes(packet) for packet in container.demux(stream) if packet.size
        ]


def test_what_encoders_write_is_well_formed(h264: Movie, tmp_path: Path) -> None:
    size, packets = _packets(h264.path)
    assert size == 4 and len(packets) == 72
    assert not any(nal.malformed(data, size) for data in packets)
    hevc = tmp_path / "hevc.mp4"
    ffmpeg(
        "-i",
        h264.path,
        "-map",
        "0:v",
        "-frames:v",
        "8",
        "-c:v",
        "libx265",
        "-x265-params",
        "log-level=error",
        hevc,
    )
    size, packets = _packets(hevc)
    assert size == 4 and not any(nal.malformed(data, size, hevc=True) for data in packets)


def test_zeroes_and_lengths_that_do_not_add_up_are_seen(h264: Movie) -> None:
    size, packets = _packets(h264.path)
    data = packets[3]
    holed = data[:20] + bytes(8) + data[28:]
    assert (
        nal.malformed(holed, size)
        and nal.malformed(data[:-1], size)
        and nal.malformed(b"\0\0\0\0" + data, size)
    )
    padded = len(data[4:]) + 3
    assert not nal.malformed(padded.to_bytes(4, "big") + data[4:] + bytes(3), size), (
        "zeroes at the end are padding"
    )


@pytest.mark.parametrize("codec", ["prores", "mjpeg"])
def test_of_other_codecs_nothing_is_said(codec: str, request: pytest.FixtureRequest) -> None:
    size, packets = _packets(request.getfixturevalue(codec).path)
    assert size == 0 and not nal.malformed(bytes(len(packets[0])), size)
