"""The film's format, and where a picture of another shape stands in its frame."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.graph.nodes import Fit
from core.plan.framing import FormatRefused, display_size, fit, format_of
from core.timeline.timeline import Format
from tests.core.props import DNXHR, H264, HD, PRORES, clip, cut, offline, picture, source, voice


def frame(width: int, height: int) -> Format:
    return msgspec.structs.replace(HD, width=width, height=height)


@pytest.mark.parametrize(
    ("size", "film", "place"),
    [
        ((1920, 1080), (1920, 1080), (1920, 1080, 0, 0)),
        ((3840, 2160), (1920, 1080), (1920, 1080, 0, 0)),
        ((1280, 720), (1920, 1080), (1920, 1080, 0, 0)),
        ((1440, 1080), (1920, 1080), (1440, 1080, 240, 0)),  # pillars
        ((2048, 858), (1920, 1080), (1920, 804, 0, 138)),  # letterbox
        ((1080, 1920), (1920, 1080), (608, 1080, 656, 0)),  # a phone held upright
        ((4000, 1), (1920, 1080), (1920, 2, 0, 538)),
        ((1, 4000), (1920, 1080), (2, 1080, 958, 0)),
    ],
)
def test_a_picture_is_as_large_as_it_goes_with_its_proportions_kept(size, film, place):
    width, height, x, y = place
    assert fit(picture(size=size), frame(*film)) == Fit(width=width, height=height, x=x, y=y)


def test_an_odd_picture_of_the_films_own_size_is_left_alone():
    assert fit(picture(size=(853, 481)), frame(853, 481)) == Fit(width=853, height=481, x=0, y=0)


def test_pixels_that_are_not_square_are_shown_as_wide_as_they_are_meant():
    dv = picture(size=(720, 576), pixel_aspect=Fraction(64, 45))
    assert display_size(dv) == (1024, 576)
    assert fit(dv, frame(1024, 576)) == Fit(width=1024, height=576, x=0, y=0)
    assert fit(picture(size=(1440, 1080), pixel_aspect=Fraction(4, 3)), HD) == Fit(
        width=1920, height=1080, x=0, y=0
    )


def test_a_turned_picture_stands_upright():
    assert display_size(picture(rotation=90)) == (1080, 1920)
    assert display_size(picture(rotation=180)) == (1920, 1080)
    assert fit(picture(rotation=270), HD) == Fit(width=608, height=1080, x=656, y=0)


sizes = st.integers(1, 5000)


@given(
    sizes,
    sizes,
    st.integers(8, 2000),
    st.integers(8, 2000),
    st.sampled_from([0, 90, 180, 270]),
    st.fractions(Fraction(1, 4), Fraction(4)),
)
def test_any_picture_fits_in_any_frame_on_even_lines(width, height, across, down, rotation, aspect):
    form = frame(across * 2, down * 2)
    video = picture(size=(width, height), rotation=rotation, pixel_aspect=aspect)
    placed = fit(video, form)
    for value in (placed.width, placed.height, placed.x, placed.y):
        assert value % 2 == 0
    assert placed.width >= 2 and placed.x + placed.width <= form.width
    assert placed.height >= 2 and placed.y + placed.height <= form.height
    assert placed.width == form.width or placed.height == form.height, "it could be larger"
    assert (
        abs(placed.x * 2 + placed.width - form.width) <= 2
        and abs(placed.y * 2 + placed.height - form.height) <= 2
    ), "not in the middle"
    wide, high = display_size(video)
    scale = min(form.width / wide, form.height / high)
    assert abs(placed.width - wide * scale) <= 2 and abs(placed.height - high * scale) <= 2, (
        "proportions are lost"
    )


def test_the_timelines_own_settings_win():
    film = cut(
        [clip(0, 10)], audio=([clip(0, 10)],), width=1280, height=720, sample_rate=96000, channels=6
    )
    said = source(video=picture(size=(640, 360)))
    assert format_of(film, {said.path: said}, PRORES) == Format(
        width=1280, height=720, rate=Fraction(24), sample_rate=96000, channels=6, colour=(1, 1, 1)
    )


def test_else_the_first_source_says_how_large_and_how_the_sound_is():
    first = source(
        "/media/a.mov",
        picture(size=(1440, 1080), pixel_aspect=Fraction(4, 3), colour=(9, 16, 9)),
        voice(sample_rate=44100, channels=1),
    )
    second = source("/media/b.mov", picture(size=(640, 360)), voice(sample_rate=96000, channels=6))
    film = cut(
        [clip(0, 10), clip(10, 10, "/media/b.mov")],
        audio=([clip(0, 10), clip(10, 10, "/media/b.mov")],),
    )
    assert format_of(film, {s.path: s for s in (first, second)}, PRORES) == Format(
        width=1920, height=1080, rate=Fraction(24), sample_rate=44100, channels=1, colour=(9, 16, 9)
    )


def test_a_still_does_not_decide_where_there_is_a_movie():
    still = source("/media/still.png", picture(size=(6000, 4000), still=True))
    film = cut([clip(0, 10, "/media/still.png"), clip(10, 10)])
    movie = source(video=picture(size=(1280, 720)))
    form = format_of(film, {still.path: still, movie.path: movie}, PRORES)
    assert (form.width, form.height) == (1280, 720)


def test_where_no_source_can_be_opened_the_film_is_hd():
    form = format_of(
        cut([clip(0, 10)], audio=([clip(0, 10)],)),
        {"/media/a.mov": offline("/media/a.mov")},
        PRORES,
    )
    assert (form.width, form.height, form.sample_rate, form.channels) == (1920, 1080, 48000, 2)


def test_without_an_audible_clip_the_film_has_no_sound_track():
    form = format_of(
        cut([clip(0, 10)], channels=2), {"/media/a.mov": source(video=picture())}, PRORES
    )
    assert form.channels == 0


def test_rgb_and_stills_do_not_lend_the_film_their_colour():
    rgb = source(video=picture(colour=(1, 13, 0)))
    assert format_of(cut([clip(0, 10)]), {rgb.path: rgb}, PRORES).colour == (1, 1, 1)
    still = source(video=picture(still=True, colour=(9, 16, 9)))
    assert format_of(cut([clip(0, 10)]), {still.path: still}, PRORES).colour == (1, 1, 1)


def test_a_preset_that_needs_even_sizes_gets_them():
    odd = source(video=picture(size=(853, 481)))
    form = format_of(cut([clip(0, 10)]), {odd.path: odd}, H264)
    assert (form.width, form.height) == (852, 480)
    free = msgspec.structs.replace(PRORES, even=False)
    form = format_of(cut([clip(0, 10)]), {odd.path: odd}, free)
    assert (form.width, form.height) == (853, 481)


def test_a_film_too_small_for_its_codec_is_refused_with_both_sizes():
    small = source(video=picture(size=(192, 108)))
    with pytest.raises(
        FormatRefused, match="dnxhr-hq needs at least 256 x 120, the film is 192 x 108"
    ):
        format_of(cut([clip(0, 10)]), {small.path: small}, DNXHR)


def test_more_than_eight_channels_are_not_taken_over():
    many = source("/media/a.mov", picture(), voice(channels=16))
    assert (
        format_of(cut([clip(0, 10)], audio=([clip(0, 10)],)), {many.path: many}, PRORES).channels
        == 8
    )
