"""Compile segments to ffmpeg arguments. Pure: uses ffmpeg-python, runs nothing.

Names of clips and files never reach a filter graph, because a clip name can open other files there.
Paths are given as `file:` URLs, so that nothing in a name is read as a protocol, an option or a
pattern.
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
"""Options of every command.

-nostdin: a `q` on an inherited terminal ends the film early with exit code 0. -xerror: read errors
are fatal.
"""


def _ratio(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"


def microseconds(time_s: Fraction) -> str:
    """Return seconds with six decimals, rounded down.

    Three decimals missed 8 of 24 in-points by a frame.
    """
    whole = floor(time_s * 1_000_000)
    sign, whole = ("-", -whole) if whole < 0 else ("", whole)
    return f"{sign}{whole // 1_000_000}.{whole % 1_000_000:06}"


def _compiled(ffmpeg_path: str, stream: Any, *, to_the_end: bool = False) -> tuple[str, ...]:
    """Return the command line for a stream.

    With `to_the_end`, frames that were read before a read error are still decoded and written. With
    -xerror, ffmpeg discards as many of them as its threads hold at that moment.
    """
    careful = [word for word in _CAREFUL if not (to_the_end and word == "-xerror")]
    return tuple(str(word) for word in ffmpeg.compile(stream, cmd=[ffmpeg_path, *careful]))


_MATRIX = {1: "bt709", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020"}


def _placed(node: Any, fit: Fit, form: Format, preset: Preset, *, matrix: int, alpha: bool) -> Any:
    """Scale a picture into the frame: bars around it, square pixels, the recipe's pixel format.

    The colour matrix is converted if the source's matrix differs from the film's.
    """
    if alpha:
        node = node.filter("format", "rgba").filter("premultiply", inplace=1)
    # Without an explicit range, ffmpeg 9 keeps a full-range source as it is.
    convert = {"out_range": "pc" if _full_range(preset) else "tv"}
    wanted = _MATRIX.get(form.colour[2], "bt709")
    if matrix == 0 or alpha:  # blended with black, it is RGB whatever the source was
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
    """Show frame n at exactly n/rate, however the source's time stamps were rounded."""
    return node.filter("settb", expr=_ratio(1 / rate)).filter("setpts", "N")


def _tagged(node: Any, form: Format, preset: Preset) -> Any:
    """Give every frame the film's colour tags; encoders take them from the frames."""
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
    """Return whether an ffmpeg build can drop packets before its decoder: from 7.1 on.

    `build` is the first line of its version output; an unknown version counts as able.
    """
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
    """Return the command that renders a segment to `part`.

    A slate must already be drawn, as `part`.png. With `hwaccel`, that device decodes. With
    `leave_out`, damaged packets next to a piece are not decoded: a decoder reads ahead of the
    wanted frames, and would fail on them. Raises ValueError for a copy or an earlier render.
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
    """Return `render`'s command with decoding started earlier by the piece's run-up.

    It uses no graphics device, and no strict error detection if the decoder complains about healthy
    streams. Empty if the piece has no run-up.

    In an open group of pictures, or in a stream without an index, decoding starts in the middle of
    the stream and may fail because earlier frames are missing; the run-up avoids that.
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
    """Return whether a segment ends where its source is damaged.

    Read errors beyond its last frame then do not affect it.
    """
    return isinstance(segment.picture, Piece) and bool(segment.picture.until_s)


def _piece(piece: Piece, frames: int, rate: Fraction, *, hwaccel: str, leave_out: bool) -> Any:
    """Show, as record frame k, what the source shows at its in-point + k / rate.

    A tenth of a frame is allowed for rounded time stamps. Times are the file's own: shifted to the
    in-point, they would be rounded to the stream's ticks, which are whole frames in MXF and AVI.
    Times before the first decoded frame show nothing, so that frames which a demuxer skipped are
    missing from the count.
    """
    options: dict[str, Any] = {"err_detect": "explode"}
    if piece.seek_s > 0:  # not every demuxer can seek to its start
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
    # In nanoseconds, and 2 ns more, so that a frame exactly a tenth late is included despite
    # rounding.
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
    # The picture is decoded and scaled once, then held.
    return _on_grid(node.filter("loop", loop=frames - 1, size=1, start=0), form.rate)


def _black(form: Format, preset: Preset) -> Any:
    source = ffmpeg.input(
        f"color=c=black:s={form.width}x{form.height}:r={_ratio(form.rate)}", f="lavfi"
    )
    node = source.video.filter("setsar", 1).filter("format", preset.video.pixel_format)
    return _on_grid(node, form.rate)


def prove(*, form: Format, preset: Preset, part: str, ffmpeg_path: str) -> tuple[str, ...]:
    """Return a command that encodes one black frame with the recipe."""
    return _encoded(_black(form, preset), part, form, preset, 1, ffmpeg_path)


def encode_track(*, form: Format, preset: Preset, part: str, ffmpeg_path: str) -> tuple[str, ...]:
    """Return the command that encodes the mixed sound from standard input with the recipe."""
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
