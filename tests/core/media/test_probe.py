"""Opening media: what each file says it is, and what is refused."""

from __future__ import annotations

import os
import random
from fractions import Fraction
from pathlib import Path

import av
import pytest

from core.media import hashes, packets, probe
from core.media.media_errors import NotMedia
from core.timeline.source import AudioFacts, Source, VideoFacts
from tests.film.media import Movie, ffmpeg, make_still, make_wav


def _picture(source: Source) -> VideoFacts:
    assert source.video is not None
    return source.video


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "intra", "matrix"),
    [
        ("prores", "prores", "yuv422p10le", True, 1),
        ("dnxhr", "dnxhd", "yuv422p", True, 1),
        ("h264", "h264", "yuv420p", False, 1),
        ("ffv1", "ffv1", "yuv422p10le", False, 1),
        ("mjpeg", "mjpeg", "yuvj422p", True, 5),
    ],
)
def test_every_codec(
    name: str, codec: str, pixels: str, intra: bool, matrix: int, request: pytest.FixtureRequest
) -> None:
    movie: Movie = request.getfixturevalue(name)
    source = probe.examine(str(movie.path))
    assert source.video == VideoFacts(
        stream=0, codec=codec, width=320, height=180, pixel_format=pixels, rate=movie.rate, frames=movie.frames,
        start_s=Fraction(0), constant_rate=True, intra_only=intra, still=False, rotation=0, alpha=False, interlaced=False,
        signature=packets.count_video(movie.path, movie.rate).signature, colour=(1, 1, matrix),
    )  # fmt: skip
    facts = os.stat(movie.path)
    assert (source.path, source.size, source.inode) == (
        str(movie.path),
        facts.st_size,
        (facts.st_dev, facts.st_ino),
    )
    assert (source.fingerprint, source.mark) == (
        hashes.fingerprint(movie.path),
        hashes.content_mark(movie.path),
    )


@pytest.mark.parametrize(
    ("name", "codec", "at_least", "at_most"),
    [
        ("prores", "pcm_s24le", 60000, 60000),
        ("dnxhr", "pcm_s16le", 32032, 32032),
        ("h264", "aac", 138240, 138240),
        (
            "ffv1",
            "pcm_s24le",
            80000,
            80000 + 96,
        ),  # Matroska's lengths are in milliseconds, and must not cost a sample
    ],
)
def test_sound(
    name: str, codec: str, at_least: int, at_most: int, request: pytest.FixtureRequest
) -> None:
    (sound,) = probe.examine(str(request.getfixturevalue(name).path)).audio
    assert at_least <= sound.samples <= at_most
    assert sound == AudioFacts(
        stream=1,
        codec=codec,
        sample_rate=48000,
        channels=2,
        samples=sound.samples,
        start_s=Fraction(0),
    )


def test_sound_alone(tmp_path: Path) -> None:
    path = make_wav(
        tmp_path / "voice.wav", source_id=1, samples=1001, sample_rate=44100, channels=1, bits=16
    )
    source = probe.examine(str(path))
    heard = AudioFacts(
        stream=0,
        codec="pcm_s16le",
        sample_rate=44100,
        channels=1,
        samples=1001,
        start_s=Fraction(0),
    )
    assert (source.video, source.audio) == (None, (heard,))


def test_sound_that_begins_later(prores: Movie, tmp_path: Path) -> None:
    path = tmp_path / "late.mov"
    ffmpeg(
        "-i",
        prores.path,
        "-itsoffset",
        "0.5",
        "-i",
        prores.path,
        "-map",
        "0:v",
        "-map",
        "1:a",
        "-c",
        "copy",
        path,
    )
    source = probe.examine(str(path))
    assert _picture(source).start_s == 0
    assert source.audio[0].start_s == Fraction(1, 2)


@pytest.mark.parametrize("name", ["still.png", "still.jpg", "still.tif", "still.webp"])
def test_a_still_is_one_frame(tmp_path: Path, name: str) -> None:
    video = _picture(probe.examine(str(make_still(tmp_path / name, (64, 48), 1))))
    assert (video.still, video.frames, video.width, video.height) == (True, 1, 64, 48)


def test_a_name_is_no_pattern(tmp_path: Path) -> None:
    """To ffmpeg `%02d` is a sequence of pictures; here it is a file's name."""
    make_still(tmp_path / "shot01.png", (32, 32), 1)
    wanted = make_still(tmp_path / "shot%02d.png", (64, 48), 2)
    assert _picture(probe.examine(str(wanted))).width == 64


@pytest.mark.parametrize("counter_clockwise", [90, 180, 270])
def test_rotation_is_clockwise_degrees(h264: Movie, tmp_path: Path, counter_clockwise: int) -> None:
    path = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", str(counter_clockwise), "-i", h264.path, "-c", "copy", path)
    video = _picture(probe.examine(str(path)))
    assert video.rotation == 360 - counter_clockwise
    assert (video.width, video.height) == (320, 180), "as coded, not as shown"


def test_a_variable_rate_is_seen(h264: Movie, tmp_path: Path) -> None:
    path = tmp_path / "vfr.mp4"
    ffmpeg(
        "-i",
        h264.path,
        "-vf",
        "setpts=(N+mod(N\\,3)*0.3)/(25*TB)",
        "-fps_mode",
        "vfr",
        "-c:v",
        "libx264",
        path,
    )
    video = _picture(probe.examine(str(path)))
    assert (video.constant_rate, video.frames) == (False, 72)


def test_a_rate_that_was_written_short_keeps_its_own_grid(tmp_path: Path) -> None:
    """`-r 23.976` is 2997/125: meant as 24000/1001, and after 69 minutes a tenth of a frame away from it."""
    for written, grid in (("23.976", Fraction(2997, 125)), ("24000/1001", None), ("25", None)):
        ffmpeg(
            "-f",
            "lavfi",
            "-i",
            f"testsrc=size=64x64:rate={written}",
            "-frames:v",
            "12",
            "-c:v",
            "mjpeg",
            tmp_path / "r.mov",
        )
        video = probe.examine(str(tmp_path / "r.mov")).video
        assert video is not None and video.constant_rate and video.grid == grid
        assert video.rate == (25 if written == "25" else Fraction(24000, 1001))


@pytest.mark.parametrize(("group", "intra"), [("1", True), ("12", False)])
def test_only_its_packets_tell_whether_ffv1_is_intra(
    ffv1: Movie, tmp_path: Path, group: str, intra: bool
) -> None:
    path = tmp_path / "again.mkv"
    ffmpeg("-i", ffv1.path, "-frames:v", "6", "-an", "-c:v", "ffv1", "-g", group, path)
    assert _picture(probe.examine(str(path))).intra_only is intra


def test_alpha_field_order_and_pixel_aspect(prores: Movie, tmp_path: Path) -> None:
    few = ("-i", prores.path, "-frames:v", "2", "-an", "-c:v", "prores_ks")
    ffmpeg(*few, "-profile:v", "4", "-pix_fmt", "yuva444p10le", tmp_path / "alpha.mov")
    ffmpeg(*few, "-vf", "setfield=tff,setsar=4/3", "-flags", "+ildct", tmp_path / "fields.mov")
    alpha, fields = (
        _picture(probe.examine(str(tmp_path / name))) for name in ("alpha.mov", "fields.mov")
    )
    assert (alpha.alpha, alpha.interlaced, alpha.pixel_aspect) == (True, False, 1)
    assert (fields.alpha, fields.interlaced, fields.pixel_aspect) == (False, True, Fraction(4, 3))


def test_a_transport_stream_counts_from_its_own_start(h264: Movie, tmp_path: Path) -> None:
    ffmpeg(
        "-i",
        h264.path,
        "-c",
        "copy",
        "-an",
        "-muxdelay",
        "0",
        "-output_ts_offset",
        "900",
        tmp_path / "cam.ts",
    )
    video = _picture(probe.examine(str(tmp_path / "cam.ts")))
    assert (video.rate, video.codec, video.frames, video.start_s) == (25, "h264", 72, 0)


def test_raw_dv_counts_pictures_and_not_ticks(mjpeg: Movie, tmp_path: Path) -> None:
    path = tmp_path / "tape.dv"
    ffmpeg("-i", mjpeg.path, "-target", "pal-dv", path)
    video = _picture(probe.examine(str(path)))
    assert (video.rate, video.constant_rate) == (25, True)
    assert video.frames == path.stat().st_size // 144_000, "bytes of a PAL frame"


def test_an_avi_begins_with_its_first_picture_and_not_when_that_is_decoded(
    mjpeg: Movie, tmp_path: Path
) -> None:
    path = tmp_path / "leaning.avi"
    ffmpeg("-i", mjpeg.path, "-an", "-c:v", "mpeg4", "-bf", "2", "-q:v", "2", path)
    video = _picture(probe.examine(str(path)))
    assert (video.start_s, video.frames) == (1 / mjpeg.rate, mjpeg.frames)


def test_a_cover_is_no_picture_track(tmp_path: Path) -> None:
    make_wav(tmp_path / "song.wav", source_id=1, samples=48000)
    make_still(tmp_path / "cover.png", (64, 64), 1)
    inputs = ("-i", tmp_path / "song.wav", "-i", tmp_path / "cover.png")
    coded = ("-c:a", "aac", "-c:v", "copy", "-disposition:v", "attached_pic")
    ffmpeg(*inputs, "-map", "0", "-map", "1", *coded, tmp_path / "song.m4a")
    source = probe.examine(str(tmp_path / "song.m4a"))
    assert source.video is None
    assert [sound.codec for sound in source.audio] == ["aac"]


def test_timecode_in_seconds(prores: Movie, dnxhr: Movie, ffv1: Movie, mjpeg: Movie) -> None:
    assert probe.examine(str(prores.path)).timecode_s == 3600 + Fraction(12, 24)
    assert probe.examine(str(dnxhr.path)).timecode_s == 107892 * Fraction(1001, 30000), (
        "drop-frame: an hour is 108 fewer"
    )
    assert probe.examine(str(ffv1.path)).timecode_s == 36000, "a tag of Matroska"
    assert probe.examine(str(mjpeg.path)).timecode_s is None


def test_a_timecode_that_is_none_is_none(mjpeg: Movie, tmp_path: Path) -> None:
    path = tmp_path / "odd.mkv"
    ffmpeg("-i", mjpeg.path, "-frames:v", "2", "-c", "copy", "-metadata", "timecode=at noon", path)
    assert probe.examine(str(path)).timecode_s is None


@pytest.mark.timeout(20)
def test_what_is_no_file_is_refused_without_hanging(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mov")
    for path in (tmp_path, tmp_path / "pipe.mov", Path("/dev/null")):
        with pytest.raises(NotMedia) as refused:
            probe.examine(str(path))
        assert refused.value.note == "not-a-file"


@pytest.mark.parametrize(
    ("name", "content", "note"),
    [
        ("empty.mov", b"", "empty-file"),
        ("notes.txt", b"Bring the tapes on Monday.\n" * 40, "refused"),
        (
            "list.m3u8",
            b"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nshot.mov\n#EXT-X-ENDLIST\n",
            "refused",
        ),
        ("list.ffconcat", b"ffconcat version 1.0\nfile shot.mov\n", "refused"),
        ("text.mov", b"Bring the tapes on Monday.\n" * 40, "not-media"),
        ("list.mp4", b"ffconcat version 1.0\nfile shot.mov\n", "refused"),
        ("titles.srt", b"1\n00:00:01,000 --> 00:00:02,000\nGood evening.\n", "no-streams"),
    ],
)
def test_what_is_no_media_is_refused(
    prores: Movie, tmp_path: Path, name: str, content: bytes, note: str
) -> None:
    (tmp_path / "shot.mov").symlink_to(prores.path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(NotMedia) as refused:
        probe.examine(str(tmp_path / name))
    assert refused.value.note == note


def test_what_only_looks_like_media_is_an_error(prores: Movie, tmp_path: Path) -> None:
    (tmp_path / "noise.wav").write_bytes(b"RIFF" + bytes(range(256)) * 40)
    (tmp_path / "half.mov").write_bytes(prores.path.read_bytes()[:50000])
    for name in ("noise.wav", "half.mov"):
        os.utime(tmp_path / name, (1, 1))
        with pytest.raises(av.InvalidDataError):
            probe.examine(str(tmp_path / name))
    with pytest.raises(FileNotFoundError):
        probe.examine(str(tmp_path / "none.mov"))


@pytest.mark.parametrize("written", [50_000, 400])
def test_a_file_without_its_end_is_still_growing_when_it_is_young(
    prores: Movie, tmp_path: Path, written: int
) -> None:
    copy = tmp_path / "copy.mov"
    copy.write_bytes(prores.path.read_bytes()[:written])
    with pytest.raises(NotMedia) as refused:
        probe.examine(str(copy))
    assert refused.value.note == "growing"


def test_a_file_that_moves_while_it_is_looked_at_is_growing(
    prores: Movie, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy.mov"
    copy.write_bytes(prores.path.read_bytes())
    examine = probe._examined

    def meanwhile(path: str, facts: os.stat_result, **how: bool) -> object:
        found = examine(path, facts, **how)
        with copy.open("ab") as handle:
            handle.write(b"more")
        return found

    monkeypatch.setattr(probe, "_examined", meanwhile)
    with pytest.raises(NotMedia) as refused:
        probe.examine(str(copy))
    assert refused.value.note == "growing"
    monkeypatch.undo()
    assert probe.examine(str(copy)).size == prores.path.stat().st_size + 4, (
        "and when it rests it is taken"
    )


def test_a_picture_of_absurd_size_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_still(tmp_path / "large.png", (640, 640), 1)
    monkeypatch.setattr(probe, "_MOST_PIXELS", 400_000)
    with pytest.raises(NotMedia) as refused:
        probe.examine(str(tmp_path / "large.png"))
    assert (refused.value.note, refused.value.detail) == ("picture-too-large", "640x640")


def test_a_codec_that_nobody_knows_is_said(dnxhr: Movie, tmp_path: Path) -> None:
    (tmp_path / "odd.mov").write_bytes(dnxhr.path.read_bytes().replace(b"AVdh", b"zzzz"))
    with pytest.raises(NotMedia) as refused:
        probe.examine(str(tmp_path / "odd.mov"))
    assert refused.value.note == "no-decoder"


@pytest.mark.parametrize("name", ["clip.mov", "clip.mp4", "clip.mxf", "clip.wav", "clip.dat"])
def test_bytes_without_any_signature_are_no_media_whatever_their_name_promises(
    tmp_path: Path, name: str
) -> None:
    """A demuxer that is chosen by the name misses the index of what never was a movie."""
    path = tmp_path / name
    path.write_bytes(random.Random(7).randbytes(300_000))
    os.utime(path, (1e9, 1e9))
    with pytest.raises(NotMedia) as raised:
        probe.examine(str(path))
    assert raised.value.note == "not-media"


@pytest.mark.parametrize("spoilt", ["cut", "head of zeroes", "head of nonsense"])
def test_a_movie_without_its_head_or_its_end_is_called_damaged_and_no_stranger(
    prores: Movie, tmp_path: Path, spoilt: str
) -> None:
    data, path = prores.path.read_bytes(), tmp_path / "spoilt.mov"
    head = {
        "cut": data[:4096],
        "head of zeroes": bytes(4096),
        "head of nonsense": random.Random(7).randbytes(4096),
    }[spoilt]
    path.write_bytes(head + (data[4096 : len(data) // 2] if spoilt == "cut" else data[4096:]))
    os.utime(path, (1e9, 1e9))
    with pytest.raises(av.FFmpegError):
        probe.examine(str(path))


@pytest.mark.parametrize("rate", ["2M", "150M"])
def test_recordings_end_to_end_are_known_whatever_their_size(tmp_path: Path, rate: str) -> None:
    """A time names two places in such a file: whoever seeks by it shows the wrong recording. The padding makes it 70 MiB."""
    path = tmp_path / "a.ts"
    pictures = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=2", "-c:v", "mpeg2video")
    ffmpeg(*pictures, "-muxrate", rate, "-f", "mpegts", path)
    alone = probe.examine(str(path)).video
    assert alone is not None and (alone.begins_anew, alone.counted, alone.frames) == (
        False,
        True,
        50,
    )
    path.write_bytes(path.read_bytes() * 2)
    video = probe.examine(str(path)).video
    assert (
        video is not None
        and video.begins_anew
        and (path.stat().st_size > 64 << 20) == (rate == "150M")
    )
