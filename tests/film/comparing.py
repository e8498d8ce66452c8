"""A finished film against its cut: every frame, every sample, every time stamp. Each function returns faults in words;
an empty list is a film that is right. Decoding is PyAV's, or the bundled ffmpeg's where it says so."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from tests.film import barcode, reading
from tests.film.barcode import Mark
from tests.film.cutlist import BLACK, SLATE, Cut, Shown
from tests.film.sound import FULL_SCALE, lag

_MOST = 8
_WINDOW_S = 0.12


def faults(film: Path, cut: Cut) -> list[str]:
    """Everything there is to be wrong with a film whose preset has uncompressed sound."""
    return [*picture_faults(film, cut), *pcm_faults(film, cut), *stamp_faults(film, cut)]


def shown(film: Path) -> list[Shown | None]:
    """What every frame shows: its mark, black, or (neither) a card."""
    return [_shown(frame) for frame in reading.frames(film)]


def _shown(frame: av.VideoFrame) -> Shown | None:
    mark = barcode.read(reading.luma(frame))
    if mark is not None:
        return mark
    return BLACK if reading.black(frame) else SLATE


def picture_faults(film: Path, cut: Cut) -> list[str]:
    """Frames that do not show what the cut says, bars that are not black, a picture that is not where it belongs."""
    wrong: list[str] = []
    wanted, shapes, count = cut.pictures(), cut.shapes(), 0
    for count, frame in enumerate(reading.frames(film), start=1):
        if count > len(wanted):
            continue
        found = _shown(frame)
        if found != wanted[count - 1]:
            wrong.append(f"frame {count - 1} shows {found}, not {wanted[count - 1]}")
        elif isinstance(found, Mark) and (shape := shapes[count - 1]) is not None:
            wrong += [f"frame {count - 1} {text}" for text in _frame_faults(frame, shape)]
    if count != len(wanted):
        wrong.append(f"{count} frames, not {len(wanted)}")
    return _shortened(wrong)


def _frame_faults(frame: av.VideoFrame, shape: Fraction) -> list[str]:
    """The picture stands centred and as large as it goes with its proportions; around it all is black."""
    luma = reading.luma(frame)
    high, wide = luma.shape
    scale = min(wide / shape, Fraction(high))
    width, height = float(shape * scale), float(scale)
    left, top = (wide - width) / 2, (high - height) / 2
    slack = 3
    if width > wide - slack and height > high - slack:
        return []
    level = (
        (21 << (frame.format.components[0].bits - 8))
        if not frame.format.name.startswith("yuvj")
        else 6
    )
    bars = np.ones(luma.shape, bool)
    bars[
        max(0, int(top - slack)) : int(top + height + slack) + 1,
        max(0, int(left - slack)) : int(left + width + slack) + 1,
    ] = False
    wrong = (
        []
        if not bars.any() or int(luma[bars].max()) <= level
        else [f"has bars as light as {int(luma[bars].max())}"]
    )
    found = barcode.active_picture(luma)
    if (
        found is None
        or max(
            abs(found.x - left),
            abs(found.y - top),
            abs(found.width - width),
            abs(found.height - height),
        )
        > slack
    ):
        wrong.append(
            f"has its picture at {found}, not {width:.0f}x{height:.0f} at {left:.0f},{top:.0f}"
        )
    return wrong


def pcm_faults(film: Path, cut: Cut) -> list[str]:
    """Samples that are not the mix: to the bit, but for the slack that a cut's sources have."""
    wanted, slack = cut.sound()
    heard = reading.samples(film)
    if not len(wanted):
        return [] if not len(heard) else [f"{len(heard)} samples in a film without sound"]
    if heard.shape != wanted.shape:
        return [f"sound of {heard.shape}, not {wanted.shape}"]
    apart = np.abs(heard - wanted).max(axis=1)
    wrong = [
        f"samples {begin} to {end} differ by up to {apart[begin:end].max():.0f}"
        for begin, end in _runs(apart > slack)
    ]
    return _shortened(wrong)


def coded_faults(film: Path, cut: Cut) -> list[str]:
    """Coded sound (AAC) through the bundled ffmpeg: the exact number of samples, not one late or early at the start, in
    the middle and at the end, and no loss of energy where clips meet."""
    wanted = cut.sound().samples / FULL_SCALE
    if not len(wanted):
        return [] if not len(reading.samples(film)) else ["there is sound in a film without sound"]
    heard = reading.decoded(film, cut.channels)
    if heard.shape != wanted.shape:
        return [f"{heard.shape[0]} samples after decoding, not {wanted.shape[0]}"]
    wrong = []
    window = int(_WINDOW_S * cut.sample_rate)
    for place, begin in (("start", 0), ("middle", len(wanted) // 2), ("end", len(wanted) - window)):
        for channel in range(cut.channels):
            part = slice(begin, begin + window)
            if not wanted[part, channel].any():
                continue
            late, likeness = lag(heard[part, channel], wanted[part, channel])
            if late or likeness < 0.98:
                wrong.append(
                    f"channel {channel} is {late} samples late at the {place} (likeness {likeness:.3f})"
                )
    wrong += _dips(heard, wanted, cut.joins(), cut.sample_rate // 100)
    return _shortened(wrong)


def _dips(
    heard: NDArray[Any], wanted: NDArray[Any], joins: Sequence[int], window: int
) -> list[str]:
    """Places around joins where 10 ms of sound have less than three quarters of their level, or silence is not silent."""
    wrong = []
    for join in joins:
        for begin in (join - window, join - window // 2, join):
            part = slice(max(0, begin), begin + window)
            have, want = (float(np.sqrt((sound[part] ** 2).mean())) for sound in (heard, wanted))
            if want > 0.005 and not 0.75 <= have / want <= 1.35:
                wrong.append(
                    f"the level at the join at sample {join} is {have / want:.2f} of what it should be"
                )
    return wrong


def complaints(film: Path) -> list[str]:
    """What the bundled ffmpeg says, down to warnings, when it decodes the whole film."""
    done = subprocess.run(
        [
            imageio_ffmpeg.get_ffmpeg_exe(),
            "-v",
            "level+warning",
            "-nostdin",
            "-xerror",
            "-i",
            str(film),
            "-f",
            "null",
            "-",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [
        line for line in done.stderr.splitlines() if "Guessed Channel Layout" not in line
    ]  # Matroska does not name it
    return _shortened(
        [*said, *([f"ffmpeg ended with {done.returncode}"] if done.returncode else [])]
    )


def stamp_faults(film: Path, cut: Cut) -> list[str]:
    """Time stamps off the rate's grid, a length other than frames / rate, another start timecode.

    QuickTime and MP4 hold every frame boundary exactly; Matroska rounds to a millisecond."""
    rounding = Fraction(1, 1000) if film.suffix == ".mkv" else Fraction(0)
    wrong: list[str] = []
    with av.open(str(film)) as container:
        video = container.streams.video[0]
        base = video.time_base or Fraction(1)
        packets = [
            packet for packet in container.demux(video) if packet.size and packet.pts is not None
        ]
        for place, pts in enumerate(sorted(packet.pts or 0 for packet in packets)):
            if abs(pts * base - place / Fraction(cut.rate)) > rounding:
                wrong.append(f"frame {place} stands at {float(pts * base):.6f} s")
        late = [
            number
            for number, packet in enumerate(packets)
            if packet.dts is not None and packet.dts > (packet.pts or 0)
        ]
        decoding = [packet.dts for packet in packets if packet.dts is not None]
        if late or decoding != sorted(set(decoding)):
            wrong.append(f"decoding times are out of order (packets {late[:3]})")
        length_s = cut.frames / Fraction(cut.rate)
        if rounding == 0 and (video.duration or 0) * base != length_s:
            wrong.append(
                f"the picture lasts {float((video.duration or 0) * base):.6f} s, not {float(length_s):.6f}"
            )
        if (
            abs(Fraction(container.duration or 0, 1_000_000) - length_s)
            > Fraction(1, 1000) + rounding
        ):
            wrong.append(
                f"the film lasts {(container.duration or 0) / 1e6:.6f} s, not {float(length_s):.6f}"
            )
        if video.average_rate != cut.rate and rounding == 0:
            wrong.append(f"its rate is {video.average_rate}, not {cut.rate}")
        audio = container.streams.audio[0] if container.streams.audio else None
        if audio is not None and rounding == 0:
            lasts = (audio.duration or 0) * (audio.time_base or Fraction(1)) * cut.sample_rate
            if not audio.codec_context.name.startswith("aac") and lasts != cut.samples:
                wrong.append(f"the sound lasts {float(lasts):.1f} samples, not {cut.samples}")
        tags = [
            container.metadata,
            *(stream.metadata for stream in container.streams if stream.type == "data"),
        ]
        said = {tag.get("timecode") or tag.get("TIMECODE") for tag in tags}
        if cut.start and cut.start not in said:
            wrong.append(f"the timecode is {said}, not {cut.start}")
        if film.suffix == ".mov" and not any(stream.type == "data" for stream in container.streams):
            wrong.append("there is no timecode track")
    return _shortened(wrong)


def payloads(path: Path, first: int = 0, count: int | None = None) -> list[bytes]:
    """The picture packets of a file, bytes as they stand, in order."""
    with av.open(str(path)) as container:
        packets = [
            bytes(packet) for packet in container.demux(container.streams.video[0]) if packet.size
        ]
    return packets[first : None if count is None else first + count]


def _runs(where: NDArray[np.bool_]) -> Iterable[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], where.astype(np.int8), [0]))))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _shortened(wrong: list[str]) -> list[str]:
    return wrong if len(wrong) <= _MOST else [*wrong[:_MOST], f"and {len(wrong) - _MOST} more"]
