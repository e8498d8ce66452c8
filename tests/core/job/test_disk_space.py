"""How much room a job needs: estimates for what is to be made, true sizes for what is there."""

from __future__ import annotations

import msgspec
import pytest

from core.job import disk_space
from core.job.events import SegmentSealed
from core.job.state import JobState
from tests.core.job.playbook import seal
from tests.core.props import (
    BUILD,
    H264,
    HD,
    POLICY,
    PRORES,
    SIGNATURE,
    SLATES,
    clip,
    cut,
    picture,
    plan,
    source,
    voice,
)

MEDIA = source("/media/a.mov", picture(), voice())
SAME = source("/media/same.mov", picture(signature=SIGNATURE, intra_only=True))
FRAME = 1920 * 1080 * 4.4 / 8  # bytes of a frame as the recipe estimates


def state_of(
    film: object, *, preset: object = PRORES, claimed: dict[str, SegmentSealed] | None = None
) -> JobState:
    made = plan(film, {s.path: s for s in (MEDIA, SAME)}, preset=preset)  # type: ignore[arg-type]
    return JobState(
        plan=made,
        preset=preset,
        policy=POLICY,
        build=BUILD,
        slate_words=SLATES,
        claimed=claimed or {},  # type: ignore[arg-type]
    )


def test_pictures_by_pixels_and_bits():
    assert disk_space.picture_bytes(HD, PRORES, 24) == int(FRAME * 24)
    assert disk_space.picture_bytes(
        msgspec.structs.replace(HD, width=960, height=540), PRORES, 24
    ) == int(FRAME * 6)


def test_uncompressed_sound_has_three_bytes_a_sample_and_coded_sound_its_rate():
    assert disk_space.sound_bytes(HD, PRORES, 48000) == 48000 * 2 * 3
    assert disk_space.sound_bytes(HD, H264, 48000 * 8) == 320_000
    assert (
        disk_space.sound_bytes(msgspec.structs.replace(HD, sample_rate=0, channels=0), H264, 0) == 0
    )


FILM = cut([clip(0, 20), clip(24, 24, "/media/same.mov"), clip(48, 20)], audio=([clip(0, 24)],))
"""Two equal shots of 20 frames, 8 frames of gaps (4 and 4 on end), and a shot that is copied."""


def test_scratch_holds_each_piece_once_and_no_packets_that_stay_in_their_source():
    state = state_of(FILM)
    mixed = sum(chunk.samples for chunk in state.plan.chunks) * 2 * 3
    assert disk_space.scratch_bytes(state) == pytest.approx(FRAME * (20 + 4) + mixed, abs=2)


def test_the_film_holds_every_frame_however_often_it_is_shown():
    state = state_of(FILM)
    assert disk_space.film_bytes(state) == pytest.approx(FRAME * 68 + state.plan.samples * 6, abs=4)


def test_what_is_there_already_takes_no_more_scratch_and_its_own_size_in_the_film():
    key = state_of(FILM).current.segments[0].key
    for where in ("claimed", "believed"):
        state = state_of(FILM)
        getattr(state, where)[key] = msgspec.structs.replace(seal(key), bytes=1000)
        assert disk_space.scratch_bytes(state) == pytest.approx(
            FRAME * 4 + state.plan.samples * 6, abs=2
        )
        assert disk_space.film_bytes(state) == pytest.approx(
            FRAME * 28 + 2 * 1000 + state.plan.samples * 6, abs=4
        )


def test_copied_packets_have_no_file_and_are_estimated():
    state = state_of(FILM)
    key = state.current.segments[2].key
    assert key.startswith("c")
    state.believed[key] = msgspec.structs.replace(seal(key), bytes=0)
    assert disk_space.film_bytes(state) == pytest.approx(FRAME * 68 + state.plan.samples * 6, abs=4)


def test_a_film_that_is_ready_needs_no_scratch():
    state = state_of(FILM)
    for key in [*(s.key for s in state.work), *(c.key for c in state.plan.chunks)]:
        state.believed[key] = seal(key)
    assert disk_space.scratch_bytes(state) == 0
