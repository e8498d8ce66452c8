"""Every sound lies where its clip does, to the sample, and chunks of the track meet without a gap."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.graph.nodes import Chunk, Sound
from core.plan import framing
from core.plan.audio_plan import lay_sounds
from core.plan.policy import Policy
from core.timeline.timeline import Timeline
from core.timeline.timing import sample_at
from tests.core.props import POLICY, PRORES, clip, cut, offline, picture, source, voice

NTSC = Fraction(30000, 1001)
WHOLE = msgspec.structs.replace(POLICY, chunk_s=60)
"""Everything in one chunk."""


class Laid:
    """The chunks of a timeline, and what was said about it."""

    def __init__(self, timeline: Timeline, *sources: object, policy: Policy = POLICY) -> None:
        known = {getattr(s, "path", None) or s.evidence.path: s for s in sources}  # type: ignore[attr-defined]
        self.form = framing.format_of(timeline, known, PRORES)
        self.problems: list[tuple[str, str]] = []
        self.chunks, self.samples = lay_sounds(
            timeline, known, self.form, PRORES, policy, self._problem
        )

    def _problem(
        self, code: str, path: str, detail: str, *, shot: int | None = None, clip: str = ""
    ) -> None:
        self.problems.append((code, clip))

    @property
    def sounds(self) -> list[Sound]:
        return [sound for chunk in self.chunks for sound in chunk.sounds]


def test_a_clip_sounds_from_its_first_frames_sample_to_the_sample_after_its_last():
    film = cut([clip(0, 60)], audio=([clip(7, 24, source_in=Fraction(5, 4), id="a")],), rate=NTSC)
    (sound,) = Laid(film, source("/media/a.mov", None, voice())).sounds
    assert (sound.at, sound.samples, sound.source_in_s) == (11211, 38439, Fraction(5, 4))
    assert sound.at + sound.samples == sample_at(31, NTSC, 48000)


def test_neighbours_share_a_boundary_at_any_rate():
    film = cut([clip(0, 1)], audio=([clip(n * 7, 7, id=f"{n:02}") for n in range(20)],), rate=NTSC)
    sounds = Laid(film, source("/media/a.mov", None, voice())).sounds
    assert [s.at for s in sounds[1:]] == [s.at + s.samples for s in sounds[:-1]]


def test_without_sound_there_are_no_chunks():
    laid = Laid(cut([clip(0, 60)]), source(video=picture()))
    assert (laid.chunks, laid.samples) == ((), 0)


def test_the_track_is_as_long_as_the_film_not_as_its_clips():
    laid = Laid(cut([clip(0, 240)], audio=([clip(0, 24)],)), source("/media/a.mov", None, voice()))
    assert laid.samples == 480000
    assert [(c.first_sample, c.samples) for c in laid.chunks] == [(0, 480000)]


def test_long_films_are_mixed_in_chunks_and_a_sound_goes_on_in_the_next():
    film = cut([clip(0, 24 * 75)], audio=([clip(24 * 20, 24 * 20, id="a", source_in=3)],))
    laid = Laid(film, source("/media/a.mov", None, voice()))
    assert [(c.first_sample, c.samples) for c in laid.chunks] == [
        (0, 1440000),
        (1440000, 1440000),
        (2880000, 720000),
    ]
    first, second = laid.sounds
    assert (first.at, first.samples, first.source_in_s) == (960000, 480000, 3)
    assert (second.at, second.samples, second.source_in_s) == (0, 480000, 13)


def test_a_chunk_of_silence_is_the_same_wherever_it_is():
    film = cut([clip(0, 24 * 120)], audio=([clip(0, 24)],))
    chunks = Laid(film, source("/media/a.mov", None, voice())).chunks
    assert chunks[1].key == chunks[2].key == chunks[3].key != chunks[0].key


def test_patched_channels_are_taken_from_their_streams():
    poly = source("/media/a.mov", None, voice(stream=1, channels=2), voice(stream=2, channels=4))
    film = cut([clip(0, 1)], audio=([clip(0, 24, channels=((1, 3), (0, 0), (1, 0)))],))
    laid = Laid(film, poly)
    assert [(s.stream, s.channels) for s in laid.sounds] == [(2, (3, 0)), (1, (0,))]


def test_all_channels_of_a_stream_are_the_stream():
    film = cut([clip(0, 1)], audio=([clip(0, 24, channels=((0, 0), (0, 1)))],))
    (sound,) = Laid(film, source("/media/a.mov", None, voice(channels=2))).sounds
    assert sound.channels == ()
    (without,) = Laid(
        cut([clip(0, 1)], audio=([clip(0, 24)],)), source("/media/a.mov", None, voice(channels=2))
    ).sounds
    assert without == sound


def test_channels_that_are_swapped_or_doubled_are_not_the_stream():
    for patched in (((0, 1), (0, 0)), ((0, 0), (0, 0))):
        (sound,) = Laid(
            cut([clip(0, 1)], audio=([clip(0, 24, channels=patched)],)),
            source("/media/a.mov", None, voice()),
        ).sounds
        assert sound.channels == tuple(channel for _, channel in patched)


def test_a_channel_that_is_not_there_is_a_problem_and_never_all_of_them():
    film = cut(
        [clip(0, 1)],
        audio=(
            [
                clip(0, 24, id="a", channels=((0, 5),)),
                clip(24, 24, id="b", channels=((0, 1), (0, 5))),
            ],
        ),
    )
    laid = Laid(film, source("/media/a.mov", None, voice()))
    assert [(s.clip, s.channels) for s in laid.sounds] == [("b", (1,))]
    assert laid.problems == [("source-no-sound", "a"), ("source-no-sound", "b")]


def test_a_stream_that_is_not_there_is_a_problem_and_the_others_sound():
    film = cut([clip(0, 1)], audio=([clip(0, 24, id="a", channels=((0, 0), (5, 0)))],))
    laid = Laid(film, source("/media/a.mov", None, voice()))
    assert laid.problems == [("source-no-sound", "a")]
    assert [s.stream for s in laid.sounds] == [1]


def test_what_cannot_be_heard_is_a_problem_that_names_its_clip():
    film = cut(
        [clip(0, 1)],
        audio=(
            [
                clip(0, 10, "/m/lost.wav", id="lost"),
                clip(10, 10, "/m/mute.mov", id="mute"),
                clip(20, 10, None, kind="none", id="none"),
                clip(30, 10, None, kind="generator", id="tone"),
                clip(40, 10, "/m/a.wav", id="good"),
            ],
        ),
    )
    laid = Laid(
        film,
        offline("/m/lost.wav"),
        source("/m/mute.mov", picture()),
        source("/m/a.wav", None, voice()),
    )
    assert laid.problems == [
        ("source-missing", "lost"),
        ("source-no-sound", "mute"),
        ("source-unnamed", "none"),
        ("generator-not-rendered", "tone"),
    ]
    assert [s.clip for s in laid.sounds] == ["good"]
    assert laid.samples == sample_at(50, Fraction(24), 48000), (
        "the track has its length all the same"
    )


def test_sound_that_ends_before_its_clip_is_said_and_what_there_is_sounds():
    film = cut([clip(0, 1)], audio=([clip(0, 240, id="a", source_in=1)],))
    laid = Laid(film, source("/media/a.mov", None, voice(samples=48000 * 3)))
    assert laid.problems == [("sound-too-short", "a")]
    assert laid.sounds[0].samples == 48000 * 2


def test_less_than_a_frame_is_not_worth_a_word():
    film = cut([clip(0, 1)], audio=([clip(0, 24)],))
    laid = Laid(film, source("/media/a.mov", None, voice(samples=48000 - 1999)))
    assert laid.problems == []
    assert laid.sounds[0].samples == 48000 - 1999


def test_a_clip_wholly_past_the_end_of_its_sound_is_silent_and_said():
    film = cut([clip(0, 1)], audio=([clip(0, 24, id="a", source_in=10)],))
    laid = Laid(film, source("/media/a.mov", None, voice(samples=48000)))
    assert laid.problems == [("sound-too-short", "a")]
    assert laid.sounds == []


def heard_of(laid: Laid) -> list[tuple[str, int, int, Fraction]]:
    return [(sound.clip, sound.at, sound.samples, sound.source_in_s) for sound in laid.sounds]


def test_sound_that_begins_after_its_clip_is_said_and_what_there_is_sounds():
    film = cut([clip(0, 1)], audio=([clip(24, 48, id="a", source_in=Fraction(-1, 2))],))
    laid = Laid(film, source("/media/a.mov", None, voice(samples=48000 * 3)))
    assert laid.problems == [("sound-begins-late", "a")]
    assert heard_of(laid) == [("a", 48000 + 24000, 72000, 0)]


def test_a_stream_that_begins_late_in_its_file_is_the_same_to_a_clip_that_begins_with_the_file():
    film = cut(
        [clip(0, 1)], audio=([clip(0, 48, id="early"), clip(48, 24, id="later", source_in=1)],)
    )
    laid = Laid(
        film, source("/media/a.mov", picture(), voice(samples=48000 * 3, start_s=Fraction(1, 2)))
    )
    assert laid.problems == [("sound-begins-late", "early")]
    assert heard_of(laid) == [("early", 24000, 72000, Fraction(1, 2)), ("later", 96000, 48000, 1)]


def test_a_clip_wholly_before_its_sound_is_silent_and_said_once():
    film = cut([clip(0, 1)], audio=([clip(0, 24, id="a", source_in=-10)],))
    laid = Laid(film, source("/media/a.mov", None, voice(samples=48000)))
    assert (laid.problems, laid.sounds, laid.samples) == ([("sound-begins-late", "a")], [], 48000)


def test_a_sound_that_lacks_both_its_ends_has_two_problems():
    film = cut([clip(0, 1)], audio=([clip(0, 96, id="a", source_in=-1)],))
    laid = Laid(film, source("/media/a.mov", None, voice(samples=48000)))
    assert laid.problems == [("sound-begins-late", "a"), ("sound-too-short", "a")]
    assert heard_of(laid) == [("a", 48000, 48000, 0)]


def test_a_beginning_that_lasts_longer_than_a_chunk_asks_nothing_of_the_chunks_before():
    film = cut([clip(0, 1)], audio=([clip(0, 24 * 20, id="a", source_in=-15)],))
    laid = Laid(
        film,
        source("/media/a.mov", None, voice()),
        policy=msgspec.structs.replace(POLICY, chunk_s=10),
    )
    assert [[(s.at, s.samples, s.source_in_s) for s in chunk.sounds] for chunk in laid.chunks] == [
        [],
        [(240000, 240000, 0)],
    ]


@pytest.mark.parametrize(
    ("codec", "rate", "late", "said"),
    [
        ("pcm_s24le", 24, 2000, False),
        ("pcm_s24le", 24, 2001, True),
        ("pcm_s24le", 60, 801, True),
        ("aac", 24, 2048, False),
        ("aac", 60, 2048, False),
        ("aac", 60, 2049, True),
    ],
)
def test_a_frame_is_not_worth_a_word_nor_is_a_packet_of_coded_sound(codec, rate, late, said):
    voiced = msgspec.structs.replace(voice(start_s=Fraction(late, 48000)), codec=codec)
    film = cut([clip(0, 1)], audio=([clip(0, rate, id="a")],), rate=Fraction(rate))
    laid = Laid(film, source("/media/a.mov", None, voiced))
    assert laid.problems == ([("sound-begins-late", "a")] if said else [])
    assert heard_of(laid) == [("a", late, 48000 - late, Fraction(late, 48000))], (
        "said or not, it lies where it is"
    )


@given(
    st.fractions(-3, 3, max_denominator=96000), st.fractions(0, 3, max_denominator=96000), st.integers(1, 144000),
    st.integers(1, 72), st.sampled_from([Fraction(24), NTSC]),
)  # fmt: skip
def test_what_sounds_is_what_clip_and_stream_have_in_common(
    source_in, start_s, there, frames, rate
):
    film = cut([clip(0, 1)], audio=([clip(0, frames, id="a", source_in=source_in)],), rate=rate)
    laid = Laid(
        film, source("/media/a.mov", None, voice(samples=there, start_s=start_s)), policy=WHOLE
    )
    samples = sample_at(frames, rate, 48000)
    first = (start_s - source_in) * 48000
    begin, end = (min(Fraction(samples), max(Fraction(0), edge)) for edge in (first, first + there))
    if not laid.sounds:
        assert end - begin < 3, "nothing but what rounding takes is left out"
        return
    (sound,) = laid.sounds
    assert abs(sound.at - begin) < 2 and abs(sound.at + sound.samples - end) < 2
    assert sound.at >= 0 and sound.at + sound.samples <= samples
    assert abs(sound.source_in_s - source_in - Fraction(sound.at, 48000)) == 0, (
        "what sounds keeps its step"
    )


def test_sound_keeps_step_with_a_picture_that_starts_late_in_its_file():
    late = source("/media/a.mov", picture(start_s=Fraction(1, 2)), voice())
    (sound,) = Laid(cut([clip(0, 24)], audio=([clip(0, 24, source_in=2)],)), late).sounds
    assert sound.source_in_s == Fraction(5, 2)


def test_a_cover_picture_in_a_sound_file_moves_nothing():
    cover = source("/media/a.mov", picture(still=True, start_s=Fraction(1, 2)), voice())
    (sound,) = Laid(cut([clip(0, 24)], audio=([clip(0, 24, source_in=2)],)), cover).sounds
    assert sound.source_in_s == 2


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 400)), min_size=1, max_size=8),
    st.sampled_from([Fraction(24), Fraction(25), NTSC, Fraction(24000, 1001)]),
    st.integers(1, 9),
)
def test_any_sounds_are_cut_into_chunks_without_a_sample_lost_or_doubled(clips, rate, chunk_s):
    at, row = 0, []
    for gap, frames in clips:
        row.append(clip(at + gap, frames, id=f"{len(row):02}", source_in=Fraction(at, 7)))
        at += gap + frames
    film = cut([clip(0, 1)], audio=(row,), rate=rate)
    laid = Laid(film, source("/media/a.mov", None, voice()), policy=Policy(chunk_s=chunk_s))
    assert (
        sum(c.samples for c in laid.chunks) == laid.samples == sample_at(film.frames, rate, 48000)
    )
    assert all(0 < c.samples <= chunk_s * 48000 for c in laid.chunks)
    for one in row:
        parts = [
            (c.first_sample + s.at, s) for c in laid.chunks for s in c.sounds if s.clip == one.id
        ]
        begin = sample_at(one.record_in, rate, 48000)
        for place, sound in parts:
            assert place == begin
            assert sound.source_in_s == one.source_in + Fraction(
                place - sample_at(one.record_in, rate, 48000), 48000
            )
            begin += sound.samples
        assert begin == sample_at(one.record_out, rate, 48000)
    for chunk in laid.chunks:
        assert all(s.at >= 0 and s.at + s.samples <= chunk.samples for s in chunk.sounds)


def test_chunks_after_an_edit_are_the_ones_before_it():
    long = [clip(n * 240, 240, id=f"{n}", source_in=n) for n in range(20)]
    before = Laid(cut([clip(0, 1)], audio=(long,)), source("/media/a.mov", None, voice())).chunks
    edited = [*long[:19], msgspec.structs.replace(long[19], source_in=Fraction(99))]
    after = Laid(cut([clip(0, 1)], audio=(edited,)), source("/media/a.mov", None, voice())).chunks
    assert keys(before)[:-1] == keys(after)[:-1]
    assert keys(before)[-1] != keys(after)[-1]


def keys(chunks: tuple[Chunk, ...]) -> list[str]:
    return [chunk.key for chunk in chunks]
