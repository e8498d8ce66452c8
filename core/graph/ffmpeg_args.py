"""Segments to ffmpeg arguments. Pure: compiled by ffmpeg-python, run elsewhere.

Names of clips and files never reach a filter graph (a clip name can open other files there); paths are given as
`file:` URLs, so that nothing in a name is taken for a protocol, an option or a pattern.
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import floor
from typing import Any

import ffmpeg

from core.graph.nodes import Black, Copy, Earlier, Fit, Piece, Segment, Slate, Still
from core.graph.preset import Preset
from core.timeline.timeline import Format

_CAREFUL = (
    "-hide_banner",
    "-nostdin",
    "-y",
    "-loglevel",
    "level+warning",
    "-nostats",
    "-progress",
    "pipe:1",
    "-stats_period",
    "0.2",
    "-xerror",
    "-abort_on",
    "empty_output+empty_output_stream",
    "-filter_threads",
    "1",
)
"""-nostdin: a `q` on an inherited terminal ends the film early with exit 0. -xerror: read errors are fatal."""


def _ratio(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"


def microseconds(time_s: Fraction) -> str:
    """Seconds with six decimals, rounded down: three decimals missed 8 of 24 in-points by a frame."""
    whole = floor(time_s * 1_000_000)
    sign, whole = ("-", -whole) if whole < 0 else ("", whole)
    return f"{sign}{whole // 1_000_000}.{whole % 1_000_000:06}"


def _compiled(ffmpeg_path: str, stream: Any, *, to_the_end: bool = False) -> tuple[str, ...]:
    """`to_the_end`: when reading ends in an error, the frames read before it are still decoded and written. With -xerror
    ffmpeg throws away as many of them as its threads hold at that moment."""
    careful = [word for word in _CAREFUL if not (to_the_end and word == "-xerror")]
    return tuple(str(word) for word in ffmpeg.compile(stream, cmd=[ffmpeg_path, *careful]))


_MATRIX = {1: "bt709", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020"}


def _placed(node: Any, fit: Fit, form: Format, preset: Preset, *, matrix: int, alpha: bool) -> Any:
    """Scale into the frame, bars around, square pixels, the recipe's pixel format; the colour matrix is converted where
    the source names another one than the film's."""
    if alpha:
        node = node.filter("format", "rgba").filter("premultiply", inplace=1)
    convert = {
        "out_range": "pc" if _full_range(preset) else "tv"
    }  # unsaid, ffmpeg 9 leaves a full range as it is
    wanted = _MATRIX.get(form.colour[2], "bt709")
    if matrix == 0 or alpha:  # laid on black it is RGB, whatever the source was
        convert |= {"out_color_matrix": wanted}
    elif matrix in _MATRIX and form.colour[2] in _MATRIX and _MATRIX[matrix] != wanted:
        convert |= {"in_color_matrix": _MATRIX[matrix], "out_color_matrix": wanted}
    node = node.filter("scale", fit.width, fit.height, flags="bicubic+accurate_rnd", **convert)
    if (fit.width, fit.height) != (form.width, form.height):
        node = node.filter("pad", form.width, form.height, fit.x, fit.y, color="black")
    return node.filter("setsar", 1).filter("format", preset.video.pixel_format)


def _full_range(preset: Preset) -> bool:
    return preset.video.pixel_format.startswith("yuvj")


def _on_grid(node: Any, rate: Fraction) -> Any:
    """Frame n is shown at n/rate exactly, whatever the source's time stamps were rounded to."""
    return node.filter("settb", expr=_ratio(1 / rate)).filter("setpts", "N")


def _tagged(node: Any, form: Format, preset: Preset) -> Any:
    """Every frame of the film carries the same colour tags; encoders take them from the frames."""
    primaries, transfer, matrix = form.colour
    return node.filter(
        "setparams",
        color_primaries=primaries,
        color_trc=transfer,
        colorspace=matrix,
        range="pc" if _full_range(preset) else "tv",
    )


def _encoded(
    node: Any,
    part: str,
    form: Format,
    preset: Preset,
    frames: int,
    ffmpeg_path: str,
    *,
    to_the_end: bool = False,
) -> tuple[str, ...]:
    options: dict[str, Any] = {
        "c:v": preset.video.encoder,
        "pix_fmt": preset.video.pixel_format,
        "threads": 1,
        "r": _ratio(form.rate),
        "fps_mode": "cfr",
        "frames:v": frames,
        "f": preset.container,
        "map_metadata": "-1",
        "fflags": "+bitexact",
        **preset.video.options,
    }
    output = ffmpeg.output(_tagged(node, form, preset), f"file:{part}", **options)
    return _compiled(ffmpeg_path, output, to_the_end=to_the_end)


def leaves_out(build: str) -> bool:
    """Whether an ffmpeg (by the first line it says of itself) can leave out packets before its decoder: from 7.1 on."""
    found = re.search(r"version n?(\d+)\.(\d+)", build)
    return found is None or (int(found[1]), int(found[2])) >= (7, 1)


def render(
    segment: Segment,
    *,
    form: Format,
    preset: Preset,
    part: str,
    ffmpeg_path: str,
    leave_out: bool = True,
    hwaccel: str = "",
) -> tuple[str, ...]:
    """The command that makes a segment in `part`. A slate is expected drawn as `part`.png. ValueError for a copy.

    With `hwaccel` decoding is left to that device. With `leave_out` damaged packets beside a piece are not decoded: a decoder
    runs ahead of what is wanted, and would fail on them.
    """
    rate = form.rate
    match segment.picture:
        case Piece() as piece:
            node = _piece(piece, segment.frames, rate, hwaccel=hwaccel, leave_out=leave_out)
            node = _placed(node, piece.fit, form, preset, matrix=piece.matrix, alpha=piece.alpha)
            node = _on_grid(node, rate)
        case Still() as still:
            node = _still(
                f"file:{still.path}",
                still.fit,
                form,
                preset,
                segment.frames,
                alpha=still.alpha,
                matrix=still.matrix,
            )
        case Slate():
            whole = Fit(width=form.width, height=form.height, x=0, y=0)
            node = _still(
                f"file:{part}.png", whole, form, preset, segment.frames, alpha=False, matrix=0
            )
        case Black():
            node = _black(form, preset)
        case Copy() | Earlier():
            raise ValueError("what is there already is not rendered")
    return _encoded(
        node, part, form, preset, segment.frames, ffmpeg_path, to_the_end=beside_damage(segment)
    )


def with_run_up(argv: tuple[str, ...], segment: Segment) -> tuple[str, ...]:
    """The command of `render` with decoding begun earlier by the piece's run-up, and without a graphics device. Empty where
    there is no run-up.

    In an open group of pictures, or where a stream has no index, decoding begins amid the stream, and may fail for want of
    frames that were before; a run-up leaves that behind.
    """
    piece = segment.picture
    if not isinstance(piece, Piece) or not piece.run_up_s:
        return ()
    words, early, early_s = iter(argv), list[str](), piece.seek_s - piece.run_up_s
    for word in words:
        if word == "-ss":
            next(words)
            early += [word, microseconds(early_s)] if early_s > 0 else []
        elif word == "-hwaccel" or (word == "-err_detect" and piece.complains):
            next(words)
        else:
            early.append(word)
    return tuple(early)


def beside_damage(segment: Segment) -> bool:
    """Whether a segment ends where its source is damaged: what reading meets beyond its last frame is no loss of it."""
    return isinstance(segment.picture, Piece) and bool(segment.picture.until_s)


def _piece(piece: Piece, frames: int, rate: Fraction, *, hwaccel: str, leave_out: bool) -> Any:
    """Record frame k is what the source shows at its in-point + k / rate, a tenth of a frame allowed for rounded stamps.

    Time is the file's own: shifted to the in-point it would be rounded to the stream's ticks, which in MXF and AVI are
    whole frames. Nothing is shown of a time before the first frame that was decoded, so that frames which a demuxer
    passed over are missing in the count.
    """
    options: dict[str, Any] = {"err_detect": "explode"}
    if piece.seek_s > 0:  # not every demuxer can seek to where it is
        options["ss"] = microseconds(piece.seek_s)
    if hwaccel:
        options["hwaccel"] = hwaccel
    unwanted = [
        f"{compare}(pts*tb,{microseconds(at_s)})"
        for compare, at_s in (("lt", piece.from_s), ("gte", piece.until_s))
        if at_s
    ]
    if unwanted and leave_out:
        options[f"bsf:{piece.stream}"] = f"noise=drop='{'+'.join(unwanted)}'"
    node = ffmpeg.input(
        f"file:{piece.path}",
        copyts=None,
        start_at_zero=None,
        noaccurate_seek=None,
        threads=1,
        protocol_whitelist="file",
        **options,
    )[str(piece.stream)]
    # In nanoseconds, two early: a frame that comes at the very tenth is there, whatever is rounded on its way.
    begin = (
        floor((piece.seek_s + piece.phase_s + Fraction(1, 10) / piece.source_rate) * 1_000_000_000)
        + 2
    )
    node = node.filter("settb", expr="1/1000000000").filter("setpts", f"PTS-{begin}")
    return node.filter("fps", fps=_ratio(rate), round="up").filter(
        "trim", start_pts=0, end_pts=frames
    )


def _still(
    url: str, fit: Fit, form: Format, preset: Preset, frames: int, *, alpha: bool, matrix: int
) -> Any:
    node = ffmpeg.input(
        url,
        f="image2",
        pattern_type="none",
        framerate=_ratio(form.rate),
        threads=1,
        protocol_whitelist="file",
        err_detect="explode",
    )
    node = _placed(node.video, fit, form, preset, matrix=matrix, alpha=alpha)
    # Decoded and scaled once, then held.
    return _on_grid(node.filter("loop", loop=frames - 1, size=1, start=0), form.rate)


def _black(form: Format, preset: Preset) -> Any:
    source = ffmpeg.input(
        f"color=c=black:s={form.width}x{form.height}:r={_ratio(form.rate)}", f="lavfi"
    )
    node = source.video.filter("setsar", 1).filter("format", preset.video.pixel_format)
    return _on_grid(node, form.rate)


def prove(*, form: Format, preset: Preset, part: str, ffmpeg_path: str) -> tuple[str, ...]:
    """One black frame through the recipe."""
    return _encoded(_black(form, preset), part, form, preset, 1, ffmpeg_path)


def encode_track(*, form: Format, preset: Preset, part: str, ffmpeg_path: str) -> tuple[str, ...]:
    """The mixed sound from standard input through the recipe's encoder."""
    node = ffmpeg.input("pipe:0", f="s24le", ar=form.sample_rate, ac=form.channels)
    options: dict[str, Any] = {
        "c:a": preset.audio.codec,
        "f": "mp4",
        "fflags": "+bitexact",
        "movie_timescale": form.sample_rate,
    }
    if preset.audio.bits_per_second:
        options["b:a"] = preset.audio.bits_per_second
    return _compiled(ffmpeg_path, ffmpeg.output(node.audio, f"file:{part}", **options))
