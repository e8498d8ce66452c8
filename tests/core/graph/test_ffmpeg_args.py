"""The exact words that ffmpeg is given, and that no name of a file or clip can ever become one of them."""

from __future__ import annotations

import re
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.graph import ffmpeg_args
from core.graph.ffmpeg_args import microseconds
from core.graph.nodes import Black, Copy, Fit, Picture, Piece, Segment, Slate, Still
from core.graph.preset import Preset
from core.timeline.timeline import Format
from tests.core.props import DNXHR, FFV1, H264, HD, MJPEG, PRESETS, PRORES

WHOLE = Fit(width=1920, height=1080, x=0, y=0)
PILLARS = Fit(width=1440, height=1080, x=240, y=0)
PIECE = Piece(
    path="/m/a.mov",
    fingerprint="f",
    stream=0,
    first_frame=48,
    source_rate=Fraction(24),
    seek_s=Fraction(1_989_583, 1_000_000),
    phase_s=Fraction(10_417, 1_000_000),
    fit=WHOLE,
)
STILL = Still(path="/m/a.png", fingerprint="f", fit=PILLARS)
SLATE = Slate(lines=("Shot 1: a", "Media offline"))
CAREFUL = (
    "/bin/ffmpeg -hide_banner -nostdin -y -loglevel level+warning -nostats -progress pipe:1 -stats_period 0.2 -xerror"
    " -abort_on empty_output+empty_output_stream -filter_threads 1 "
)
TAGS = "setparams=color_primaries=1:color_trc=1:colorspace=1:range="
PRORES_OUT = (
    " -f mov -c:v prores_ks -fflags +bitexact -fps_mode cfr -frames:v 24 -map_metadata -1 -pix_fmt yuv422p10le -profile:v 3"
    " -r 24/1 -threads 1 -vendor apl0 file:/s/v1.1.mov"
)


def words(
    shown: Picture, preset: Preset = PRORES, form: Format = HD, *, part: str = "/s/v1.1.mov"
) -> tuple[str, ...]:
    segment = Segment(key="v1", shot=1, record_in=0, frames=24, picture=shown)
    return ffmpeg_args.render(
        segment, form=form, preset=preset, part=part, ffmpeg_path="/bin/ffmpeg"
    )


def graph_of(argv: tuple[str, ...]) -> str:
    return argv[argv.index("-filter_complex") + 1]


def after(argv: tuple[str, ...], option: str) -> str:
    return argv[argv.index(option) + 1]


# Golden ---------------------------------------------------------------------------------------------------------------


def found(begin_ns: int) -> str:
    """Pictures by the file's own time, from the in-point plus a tenth of a source frame on."""
    return (
        f"settb=expr=1/1000000000[s0];[s0]setpts=PTS-{begin_ns}[s1];[s1]fps=fps=24/1:round=up[s2];"
        "[s2]trim=end_pts=24:start_pts=0[s3];[s3]"
    )


def test_a_piece_of_a_movie():
    assert " ".join(words(PIECE)) == (
        CAREFUL
        + "-copyts -err_detect explode -noaccurate_seek -protocol_whitelist file -ss 1.989583 -start_at_zero -threads 1"
        f" -i file:/m/a.mov -filter_complex [0:0]{found(2_004_166_668)}scale=1920:1080:flags=bicubic+accurate_rnd:out_range=tv[s4];"
        f"[s4]setsar=1[s5];[s5]format=yuv422p10le[s6];[s6]settb=expr=1/24[s7];[s7]setpts=N[s8];[s8]{TAGS}tv[s9] -map [s9]"
        + PRORES_OUT
    )


def test_a_piece_at_another_rate_in_another_matrix_between_bars():
    piece = msgspec.structs.replace(
        PIECE,
        stream=2,
        conform=True,
        source_rate=Fraction(25),
        phase_s=Fraction(1, 2),
        fit=PILLARS,
        matrix=5,
    )
    assert graph_of(words(piece)) == (
        f"[0:2]{found(2_493_583_002)}scale=1440:1080:flags=bicubic+accurate_rnd:in_color_matrix=bt601"
        ":out_color_matrix=bt709:out_range=tv[s4];"
        "[s4]pad=1920:1080:240:0:color=black[s5];[s5]setsar=1[s6];[s6]format=yuv422p10le[s7];"
        f"[s7]settb=expr=1/24[s8];[s8]setpts=N[s9];[s9]{TAGS}tv[s10]"
    )


def test_a_run_up_begins_earlier_and_shows_the_same():
    piece = msgspec.structs.replace(PIECE, run_up_s=Fraction(1))
    segment = Segment(key="v1", shot=1, record_in=0, frames=24, picture=piece)
    argv = words(piece)
    again = ffmpeg_args.with_run_up(argv, segment)
    assert after(argv, "-ss") == "1.989583"
    assert again == tuple("0.989583" if word == "1.989583" else word for word in argv)


def test_a_run_up_begins_at_the_start_of_the_file_when_there_is_no_room_for_it():
    piece = msgspec.structs.replace(PIECE, run_up_s=Fraction(2))
    again = ffmpeg_args.with_run_up(
        words(piece), Segment(key="v1", shot=1, record_in=0, frames=24, picture=piece)
    )
    assert "-ss" not in again and "1.989583" not in again
    assert graph_of(again) == graph_of(words(piece))


def test_a_run_up_is_decoded_without_a_device_and_without_strictness_where_the_codec_complains():
    piece = msgspec.structs.replace(PIECE, run_up_s=Fraction(1), complains=True)
    segment = Segment(key="v1", shot=1, record_in=0, frames=24, picture=piece)
    argv = ffmpeg_args.render(
        segment,
        form=HD,
        preset=PRORES,
        part="/s/v1.1.mov",
        ffmpeg_path="/bin/ffmpeg",
        hwaccel="vaapi",
    )
    assert {"-hwaccel", "vaapi", "-err_detect", "explode"} <= set(argv)
    assert {"-hwaccel", "vaapi", "-err_detect", "explode"}.isdisjoint(
        ffmpeg_args.with_run_up(argv, segment)
    )


def test_a_source_that_stands_alone_has_no_run_up():
    assert (
        ffmpeg_args.with_run_up(
            words(PIECE), Segment(key="v1", shot=1, record_in=0, frames=24, picture=PIECE)
        )
        == ()
    )


def test_a_still_is_decoded_once_and_held():
    assert " ".join(words(STILL)) == (
        CAREFUL
        + "-f image2 -err_detect explode -framerate 24/1 -pattern_type none -protocol_whitelist file -threads 1"
        " -i file:/m/a.png -filter_complex [0:v]scale=1440:1080:flags=bicubic+accurate_rnd:out_color_matrix=bt709"
        ":out_range=tv[s0];[s0]pad=1920:1080:240:0:color=black[s1];[s1]setsar=1[s2];[s2]format=yuv422p10le[s3];[s3]loop=loop=23:size=1:start=0[s4];"
        f"[s4]settb=expr=1/24[s5];[s5]setpts=N[s6];[s6]{TAGS}tv[s7] -map [s7]" + PRORES_OUT
    )


def test_a_slate_is_drawn_beside_its_part():
    assert " ".join(words(SLATE)) == (
        CAREFUL
        + "-f image2 -err_detect explode -framerate 24/1 -pattern_type none -protocol_whitelist file -threads 1"
        " -i file:/s/v1.1.mov.png -filter_complex [0:v]scale=1920:1080:flags=bicubic+accurate_rnd:out_color_matrix=bt709"
        ":out_range=tv[s0];[s0]setsar=1[s1];[s1]format=yuv422p10le[s2];[s2]loop=loop=23:size=1:start=0[s3];"
        f"[s3]settb=expr=1/24[s4];[s4]setpts=N[s5];[s5]{TAGS}tv[s6] -map [s6]" + PRORES_OUT
    )


def test_black_comes_from_nowhere():
    ntsc = msgspec.structs.replace(HD, rate=Fraction(24000, 1001))
    assert " ".join(words(Black(), MJPEG, ntsc)) == (
        CAREFUL
        + "-f lavfi -i color=c=black:s=1920x1080:r=24000/1001 -filter_complex [0:v]setsar=1[s0];[s0]format=yuvj422p[s1];"
        f"[s1]settb=expr=1001/24000[s2];[s2]setpts=N[s3];[s3]{TAGS}pc[s4] -map [s4]"
        " -f mov -c:v mjpeg -fflags +bitexact -fps_mode cfr -frames:v 24 -map_metadata -1 -pix_fmt yuvj422p -q:v 3"
        " -r 24000/1001 -threads 1 file:/s/v1.1.mov"
    )


def test_one_frame_proves_the_encoder():
    argv = ffmpeg_args.prove(form=HD, preset=H264, part="/s/p.mp4", ffmpeg_path="/bin/ffmpeg")
    assert " ".join(argv) == (
        CAREFUL
        + "-f lavfi -i color=c=black:s=1920x1080:r=24/1 -filter_complex [0:v]setsar=1[s0];[s0]format=yuv420p[s1];"
        f"[s1]settb=expr=1/24[s2];[s2]setpts=N[s3];[s3]{TAGS}tv[s4] -map [s4] -f mp4 -c:v libx264 -crf 18 -fflags +bitexact"
        " -fps_mode cfr -frames:v 1 -map_metadata -1 -pix_fmt yuv420p -preset medium -profile:v high"
        " -r 24/1 -threads 1 file:/s/p.mp4"
    )


def test_the_sound_track_is_encoded_from_standard_input():
    argv = ffmpeg_args.encode_track(
        form=HD, preset=H264, part="/s/t.m4a", ffmpeg_path="/bin/ffmpeg"
    )
    assert " ".join(argv) == (
        CAREFUL
        + "-f s24le -ac 2 -ar 48000 -i pipe:0 -map 0:a -f mp4 -b:a 320000 -c:a aac -fflags +bitexact"
        " -movie_timescale 48000 file:/s/t.m4a"
    )
    plain = msgspec.structs.replace(
        H264, audio=msgspec.structs.replace(H264.audio, bits_per_second=None)
    )
    assert "-b:a" not in ffmpeg_args.encode_track(
        form=HD, preset=plain, part="/s/t.m4a", ffmpeg_path="/bin/ffmpeg"
    )


def test_packets_are_not_rendered():
    with pytest.raises(ValueError, match="there already"):
        words(Copy(path="/m/a.mov", fingerprint="f", stream=0, first_frame=0))


@pytest.mark.parametrize(
    ("preset", "coded"),
    [
        (PRORES, "-f mov -c:v prores_ks -pix_fmt yuv422p10le -profile:v 3 -vendor apl0"),
        (DNXHR, "-f mov -c:v dnxhd -pix_fmt yuv422p -profile:v dnxhr_hq"),
        (FFV1, "-f matroska -c:v ffv1 -pix_fmt yuv422p10le -g 1 -level 3 -slicecrc 1 -slices 4"),
        (H264, "-f mp4 -c:v libx264 -pix_fmt yuv420p -preset medium -crf 18 -profile:v high"),
        (MJPEG, "-f mov -c:v mjpeg -pix_fmt yuvj422p -q:v 3"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_every_preset_says_its_recipe_and_one_thread(preset, coded):
    argv = words(PIECE, preset)
    said = coded.split()
    for option, value in zip(said[::2], said[1::2], strict=True):
        assert after(argv, option) == value or (option == "-f" and value in argv)
    assert [argv[n + 1] for n, word in enumerate(argv) if word == "-threads"] == ["1", "1"], (
        "output depends on threads"
    )


# Colour ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("matrix", "film", "convert"),
    [
        (1, 1, ""), (2, 1, ""), (5, 5, ""), (5, 6, ""),  # the same, or unsaid: taken to be the film's
        (6, 1, ":in_color_matrix=bt601:out_color_matrix=bt709"),
        (1, 9, ":in_color_matrix=bt709:out_color_matrix=bt2020"),
        (7, 1, ":in_color_matrix=smpte240m:out_color_matrix=bt709"),
        (0, 1, ":out_color_matrix=bt709"),
        (0, 9, ":out_color_matrix=bt2020"),
        (0, 2, ":out_color_matrix=bt709"),
    ],
)  # fmt: skip
def test_the_matrix_is_converted_where_the_source_names_another(matrix, film, convert):
    form = msgspec.structs.replace(HD, colour=(1, 1, film))
    graph = graph_of(words(msgspec.structs.replace(PIECE, matrix=matrix), form=form))
    assert f"]scale=1920:1080:flags=bicubic+accurate_rnd{convert}:out_range=tv[s" in graph
    assert f"colorspace={film}:" in graph


def test_what_is_seen_through_is_laid_on_black_and_is_rgb_then():
    for shown in (
        msgspec.structs.replace(PIECE, alpha=True, matrix=1),
        msgspec.structs.replace(STILL, alpha=True),
    ):
        graph = graph_of(words(shown))
        assert re.search(
            r"\]format=rgba\[(s\d)\];\[\1\]premultiply=inplace=1\[(s\d)\];\[\2\]scale=", graph
        )
        assert ":out_color_matrix=bt709:out_range=tv[s" in graph, "RGB becomes BT.601 unless told"


def test_a_full_range_recipe_is_tagged_and_filled_full():
    for shown in (PIECE, STILL, SLATE):
        assert ":out_range=pc[" in graph_of(words(shown, MJPEG))
        assert ":out_range=tv[" in graph_of(words(shown, PRORES)), (
            "unsaid, ffmpeg 9 leaves a full range as it is"
        )
    assert graph_of(words(PIECE, MJPEG)).endswith(f"{TAGS}pc[s9]")


# Seeking --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("time_s", "text"),
    [
        (Fraction(0), "0.000000"), (Fraction(1, 3), "0.333333"), (Fraction(2, 3), "0.666666"), (Fraction(3600), "3600.000000"),
        (Fraction(1, 1_000_000), "0.000001"), (Fraction(1, 3_000_000), "0.000000"), (Fraction(-1, 2), "-0.500000"),
        (Fraction(-1, 3), "-0.333334"),
    ],
)  # fmt: skip
def test_microseconds_are_rounded_down(time_s, text):
    assert microseconds(time_s) == text


@given(st.fractions(-(10**6), 10**6))
def test_microseconds_are_never_late_and_never_a_whole_one_early(time_s):
    assert 0 <= time_s - Fraction(microseconds(time_s)) < Fraction(1, 1_000_000)


@given(
    st.integers(0, 10**6),
    st.sampled_from(
        [Fraction(24), Fraction(25), Fraction(24000, 1001), Fraction(60000, 1001), Fraction(120)]
    ),
)
def test_a_seek_never_falls_on_another_frame(frame, rate):
    asked = Fraction(microseconds((frame + Fraction(1, 2)) / rate))
    assert frame / rate < asked < (frame + 1) / rate


def test_nothing_is_seeked_before_the_beginning():
    first = msgspec.structs.replace(
        PIECE, first_frame=0, seek_s=Fraction(0), phase_s=Fraction(0), run_up_s=Fraction(1)
    )
    assert "-ss" not in words(first), "not every demuxer can seek to where it is"


# Names are data -------------------------------------------------------------------------------------------------------

NASTY = [
    "/m/it's.mov", '/m/"quoted".mov', "/m/[x];movie=secret.mov", "/m/a,b=c:d.mov", "/m/100%03d.mov",
    "/m/line\nbreak.mov", "/m/back\\slash.mov",
    "/m/-i.mov", "/m/ lead.mov", "/m/{}$(x)`y`.mov", "/m/*?.mov", "/m/\u202eevil\u0000.mov", "/m/http:/x.mov",
    "concat:/a|/b", "-y", "pipe:0",
]  # fmt: skip
paths = st.one_of(
    st.sampled_from(NASTY),
    st.text(alphabet="/'\"[]();,=:%\\\n|*?-ab\u00e9\U0001f3ac", min_size=1, max_size=30),
)


@given(paths, paths, st.sampled_from(sorted(PRESETS)))
def test_no_name_reaches_a_filter_graph_or_becomes_an_option(path, part, preset):
    for shown in (
        PIECE,
        msgspec.structs.replace(PIECE, conform=True, alpha=True),
        STILL,
        msgspec.structs.replace(STILL, alpha=True),
    ):
        plain = words(shown, PRESETS[preset])
        named = words(msgspec.structs.replace(shown, path=path), PRESETS[preset], part=part)
        assert graph_of(named) == graph_of(plain)
        assert after(named, "-i") == f"file:{path}"
        assert named[-1] == f"file:{part}"
        expected = [*plain]
        expected[plain.index("-i") + 1], expected[-1] = f"file:{path}", f"file:{part}"
        assert list(named) == expected, "one word for each name and no word more"


@given(st.text(max_size=40))
def test_what_a_slate_says_is_nowhere_in_the_command(text):
    assert words(Slate(lines=(text, text))) == words(SLATE)


def test_only_files_may_be_opened():
    for shown in (PIECE, STILL, SLATE):
        argv = words(shown)
        assert after(argv, "-protocol_whitelist") == "file"
        assert argv.index("-protocol_whitelist") < argv.index("-i")
        assert all(word.startswith("file:") for word in (after(argv, "-i"), argv[-1]))
        assert "-nostdin" in argv
