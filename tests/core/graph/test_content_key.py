"""What must change a content key and what must not: a key that is too broad renders for nothing, one that is too narrow
puts another shot's pictures into the film."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest

from core.graph import content_key
from core.graph.content_key import chunk_key, cut_key, picture_key, request_digest, track_key
from core.graph.nodes import Black, Copy, Fit, Piece, Slate, Sound, Still
from core.system.codec import Value
from tests.core.props import BUILD, H264, HD, MJPEG, PRORES, clip, cut, picture, plan, source, voice

FIT = Fit(width=1920, height=1080, x=0, y=0)
PIECE = Piece(
    path="/m/a.mov",
    fingerprint="f",
    stream=0,
    first_frame=48,
    source_rate=Fraction(24),
    seek_s=Fraction(2),
    fit=FIT,
)
STILL = Still(path="/m/a.png", fingerprint="f", fit=FIT)
COPY = Copy(path="/m/a.mov", fingerprint="f", stream=0, first_frame=48)
SLATE = Slate(lines=("Shot 1", "why"))
SOUND = Sound(
    clip="c",
    shot_name="n",
    path="/m/a.wav",
    fingerprint="f",
    stream=1,
    source_in_s=Fraction(1),
    at=0,
    samples=480,
    channels=(0,),
)
OTHER = {
    "path": "/elsewhere/b.mov", "fingerprint": "g", "identity": "i", "stream": 7, "first_frame": 49, "source_rate": Fraction(25),
    "seek_s": Fraction(3),
    "fit": Fit(width=1440, height=1080, x=240, y=0), "conform": True, "phase_s": Fraction(1, 100),
    "run_up_s": Fraction(5), "from_s": Fraction(2), "until_s": Fraction(4), "complains": True, "matrix": 5, "alpha": True,
    "lines": ("Shot 1", "another why"), "clip": "d", "shot_name": "m", "source_in_s": Fraction(2), "at": 1, "samples": 481,
    "channels": (1,),
}  # fmt: skip


def key(
    shown: Value,
    frames: int = 24,
    *,
    form: object = HD,
    preset: object = PRORES,
    build: str = BUILD,
) -> str:
    return picture_key(shown, frames, form, preset, build)  # type: ignore[arg-type]


def variants(value: Value) -> list[object]:
    return [
        pytest.param(value, name, id=f"{type(value).__name__}.{name}")
        for name in value.__struct_fields__
    ]


@pytest.mark.parametrize(
    ("shown", "name"), [v for value in (PIECE, STILL, COPY, SLATE) for v in variants(value)]
)
def test_everything_that_says_which_pixels_is_in_the_key_and_the_path_is_not(shown, name):
    assert getattr(shown, name) != OTHER[name]
    changed = msgspec.structs.replace(shown, **{name: OTHER[name]})
    assert (key(changed) == key(shown)) is (name == "path")


@pytest.mark.parametrize(("sound", "name"), variants(SOUND))
def test_everything_that_says_which_samples_is_in_the_key_and_names_are_not(sound, name):
    changed = msgspec.structs.replace(sound, **{name: OTHER[name]})
    same = chunk_key((changed,), 480, HD, PRORES) == chunk_key((sound,), 480, HD, PRORES)
    assert same is (name in ("path", "clip", "shot_name"))


@pytest.mark.parametrize("shown", [PIECE, STILL, COPY], ids=lambda shown: type(shown).__name__)
def test_a_file_that_was_touched_keeps_its_key_as_long_as_its_content_is_the_same(shown):
    before = msgspec.structs.replace(shown, identity="i")
    assert key(msgspec.structs.replace(before, fingerprint="g")) == key(before)


@pytest.mark.parametrize(
    "shown", [PIECE, STILL, COPY, SLATE, Black()], ids=lambda shown: type(shown).__name__
)
def test_length_is_in_every_key(shown):
    assert key(shown, 24) != key(shown, 25)


RENDERED = [PIECE, STILL, SLATE, Black()]


@pytest.mark.parametrize("shown", RENDERED, ids=lambda shown: type(shown).__name__)
@pytest.mark.parametrize(
    "form",
    [{"width": 1280}, {"height": 720}, {"rate": Fraction(25)}, {"colour": (9, 16, 9)}],
    ids=lambda form: next(iter(form)),
)
def test_the_films_picture_format_is_in_every_rendered_key(shown, form):
    assert key(shown, form=msgspec.structs.replace(HD, **form)) != key(shown)


def test_the_films_sound_format_is_in_no_pictures_key():
    assert key(PIECE, form=msgspec.structs.replace(HD, sample_rate=44100, channels=6)) == key(PIECE)


def recipe(**changes: object) -> object:
    return msgspec.structs.replace(H264, video=msgspec.structs.replace(H264.video, **changes))


@pytest.mark.parametrize("shown", RENDERED, ids=lambda shown: type(shown).__name__)
def test_whatever_the_encoder_is_told_is_in_the_key(shown):
    for preset in (
        recipe(encoder="libx265"),
        recipe(pixel_format="yuv422p"),
        recipe(options={**H264.video.options, "crf": 19}),
        recipe(options={**H264.video.options, "threads": 4}),
        recipe(options={}),
        msgspec.structs.replace(H264, container="mov"),
    ):
        assert key(shown, preset=preset) != key(shown, preset=H264)
    assert key(shown, build="ffmpeg version 8.0 for tests") != key(shown)


def test_estimates_titles_and_the_order_of_options_are_nobodys_pixels():
    shuffled = dict(reversed(H264.video.options.items()))
    for preset in (
        recipe(cost_ms_per_megapixel=1.0),
        recipe(bits_per_pixel=9.9),
        recipe(copy=True),
        recipe(options=shuffled),
        msgspec.structs.replace(
            H264,
            name="mine",
            title="My own",
            audio=MJPEG.audio,
            extension=".m4v",
            even=False,
            minimum=(2, 2),
        ),
    ):
        assert key(PIECE, preset=preset) == key(PIECE, preset=H264)


def test_copied_packets_do_not_depend_on_the_recipe():
    assert key(
        COPY, preset=H264, build="another", form=msgspec.structs.replace(HD, width=64)
    ) == key(COPY)


def test_kinds_never_share_a_key():
    every = [key(shown) for shown in (PIECE, STILL, COPY, SLATE, Black())]
    every += [chunk_key((SOUND,), 480, HD, PRORES), track_key((), HD, H264, BUILD)]
    assert len(set(every)) == len(every)
    assert len({one[1:] for one in every}) == len(every)
    assert [one[0] for one in every] == ["v", "v", "c", "v", "v", "a", "t"]


def test_a_frame_earlier_in_a_source_without_a_grid_is_another_segment():
    phone = source(video=picture(constant_rate=False, rate=24))
    film = [
        plan(cut([clip(0, 24, source_in=5 + Fraction(n, 50))], rate=50), phone).segments[0]
        for n in range(3)
    ]
    assert len({segment.key for segment in film}) == 3, (
        "trimming by a frame would take over the untrimmed pictures"
    )


def test_a_chunk_is_its_sounds_where_they_lie_and_how_it_is_written():
    base = chunk_key((SOUND,), 480, HD, PRORES)
    for different in (
        chunk_key((SOUND,), 481, HD, PRORES),
        chunk_key((), 480, HD, PRORES),
        chunk_key((SOUND, SOUND), 480, HD, PRORES),
        chunk_key((SOUND,), 480, msgspec.structs.replace(HD, channels=6), PRORES),
        chunk_key((SOUND,), 480, msgspec.structs.replace(HD, sample_rate=96000), PRORES),
        chunk_key(
            (SOUND,),
            480,
            HD,
            msgspec.structs.replace(
                PRORES, audio=msgspec.structs.replace(PRORES.audio, codec="pcm_s16le")
            ),
        ),
    ):
        assert different != base
    assert (
        chunk_key((SOUND,), 480, msgspec.structs.replace(HD, width=64, rate=Fraction(25)), PRORES)
        == base
    )
    assert chunk_key((SOUND,), 480, HD, H264) == base, (
        "what an encoder gets is what stands in a film of PCM"
    )


def test_an_encoded_track_is_its_chunks_and_its_encoder():
    made = plan(
        cut([clip(0, 24)], audio=([clip(0, 24)],)),
        source("/media/a.mov", picture(), voice()),
        preset=H264,
    )
    base = track_key(made.chunks, made.format, H264, BUILD)
    louder = msgspec.structs.replace(
        H264, audio=msgspec.structs.replace(H264.audio, bits_per_second=96000)
    )
    assert track_key(made.chunks, made.format, louder, BUILD) != base
    assert track_key(made.chunks, made.format, H264, "another") != base
    assert track_key(made.chunks[:0], made.format, H264, BUILD) != base
    assert track_key(made.chunks, made.format, recipe(encoder="libx265"), BUILD) == base


def test_a_cut_is_its_segments_in_order_its_sound_and_where_its_timecode_begins():
    film = cut([clip(0, 24), clip(24, 24, source_in=9)], audio=([clip(0, 24)],))
    sources = source("/media/a.mov", picture(), voice())
    base = cut_key(plan(film, sources), PRORES)
    assert (
        cut_key(plan(msgspec.structs.replace(film, name="another name"), sources), PRORES) == base
    )
    retitled = msgspec.structs.replace(
        PRORES, title="Mine", video=msgspec.structs.replace(PRORES.video, bits_per_pixel=9.0)
    )
    assert cut_key(plan(film, sources), retitled) == base, (
        "the very same film would be made again and take the kept one's place"
    )
    deeper = msgspec.structs.replace(
        PRORES, audio=msgspec.structs.replace(PRORES.audio, codec="pcm_s16le")
    )
    assert cut_key(plan(film, sources), deeper) != base
    assert cut_key(plan(film, sources), msgspec.structs.replace(PRORES, container="mp4")) != base
    for different in (
        cut([clip(0, 24, source_in=9), clip(24, 24)], audio=([clip(0, 24)],)),
        cut([clip(0, 24), clip(24, 24, source_in=9)], audio=([clip(0, 23)],)),
        msgspec.structs.replace(film, start_frame=0),
        msgspec.structs.replace(film, drop_frame=True),
        msgspec.structs.replace(film, width=1280, height=720),
    ):
        assert cut_key(plan(different, sources), PRORES) != base


def test_a_request_is_its_timeline_preset_and_place():
    base = request_digest(b"{}", PRORES, "/films/a.mov")
    assert request_digest(b"{}", PRORES, "/films/a.mov") == base
    for different in (
        request_digest(b"{ }", PRORES, "/films/a.mov"),
        request_digest(b"{}", H264, "/films/a.mov"),
        request_digest(b"{}", PRORES, "/films/b.mov"),
    ):
        assert different != base


def test_a_new_recipe_believes_no_old_checkpoint(monkeypatch):
    before = key(PIECE)
    monkeypatch.setattr(content_key, "RECIPE", content_key.RECIPE + 1)
    assert key(PIECE) != before
