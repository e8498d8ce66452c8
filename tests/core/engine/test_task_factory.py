"""Needs to orders: every order says all that its worker must know, and nothing is written twice under one name."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import msgspec
import pytest

from core.engine import task_factory
from core.job.pending_tasks import PendingTask
from core.job.state import JobState
from core.storage.journal import Journal
from core.storage.workspace import Workspace
from core.tasks.spec import (
    EncodeTrack,
    ExamineCopy,
    JoinFilm,
    JoinSound,
    JoinVideo,
    MixSound,
    Order,
    RenderSegment,
    ValidateSeal,
)
from tests.core.job.playbook import seal
from tests.core.props import (
    BUILD,
    H264,
    POLICY,
    PRORES,
    SIGNATURE,
    SLATES,
    clip,
    cut,
    offline,
    picture,
    plan,
    source,
    voice,
)

MEDIA = source("/media/a.mov", picture(), voice())
SAME = source("/media/same.mov", picture(signature=SIGNATURE, intra_only=True))
FILM = cut(
    [
        clip(0, 24, source_in=2),
        clip(24, 20, "/media/same.mov", source_in=10),
        clip(44, 10, "/m/lost.mov"),
        clip(54, 24, source_in=2),
    ],
    audio=([clip(0, 24 * 40)],),
    rate=24,
)
SOURCES = {MEDIA.path: MEDIA, SAME.path: SAME, "/m/lost.mov": offline("/m/lost.mov")}


class Desk:
    """What stands around an order."""

    def __init__(self, root: Path, preset: object = PRORES) -> None:
        self.workspace = Workspace(root / "home", root / "scratch")
        self.journal = Journal(root / "home" / "journal.db")
        self.output = root / "film.mov"
        self.workspace.prepare("job1")
        made = plan(FILM, SOURCES, preset=preset)
        self.state = JobState(
            plan=made,
            preset=preset,
            policy=POLICY,
            build=BUILD,
            slate_words=SLATES,
            claimed={},  # type: ignore[arg-type]
        )

    def order(self, need: PendingTask, attempt: int = 1) -> Order:
        return task_factory.order_for(
            need, self.state, job="job1", attempt=attempt, output=self.output, workspace=self.workspace, journal=self.journal,
            ffmpeg="/bin/ffmpeg",
        )  # fmt: skip

    def segment(self, number: int) -> PendingTask:
        segment = self.state.current.segments[number]
        return PendingTask(
            "copy" if segment.key.startswith("c") else "render", segment.key, segment=segment
        )

    def believe_all(self) -> None:
        keys = [
            *(s.key for s in self.state.work),
            *(c.key for c in self.state.plan.chunks),
            self.state.track,
        ]
        for number, key in enumerate(filter(None, keys)):
            self.state.believed[key] = msgspec.structs.replace(
                seal(key), digest=f"digest of {key}", reorder=number % 3
            )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_movie_is_rendered_from_its_source_into_a_part_of_this_attempt(desk):
    order = desk.order(desk.segment(0), attempt=3)
    assert isinstance(order, RenderSegment)
    assert Path(order.part).parent == desk.workspace.scratch / "work" / "job1"
    assert Path(order.part).name == f"{order.key}.3.mov"
    assert order.argv[0] == "/bin/ffmpeg" and order.argv[-1] == f"file:{order.part}"
    assert (order.frames, order.signature, order.source, order.fingerprint) == (
        24,
        SIGNATURE,
        MEDIA.path,
        MEDIA.fingerprint,
    )
    assert order.slate == ()


def test_a_slate_says_its_lines_and_has_no_source(desk):
    order = desk.order(desk.segment(2))
    assert isinstance(order, RenderSegment)
    assert order.slate[:2] == ("Shot 3: lost.mov", "<source-missing>")
    assert (order.source, order.width, order.height) == ("", 1920, 1080)


def test_packets_are_examined_with_what_is_known_of_them(desk):
    desk.journal.add_decoded(SAME.fingerprint, 0, {239: 1, 240: 2, 259: 3, 260: 4})
    order = desk.order(desk.segment(1))
    assert isinstance(order, ExamineCopy)
    assert (order.path, order.first_frame, order.frames, order.signature) == (
        SAME.path,
        240,
        20,
        SIGNATURE,
    )
    assert order.known == {240: 2, 259: 3}


def test_sound_is_mixed_as_deep_as_the_film_writes_it(tmp_path):
    deep = {"pcm_s24le": 3, "pcm_s16le": 2, "aac": 3}
    for codec, bytes_per_sample in deep.items():
        preset = msgspec.structs.replace(
            PRORES, audio=msgspec.structs.replace(PRORES.audio, codec=codec)
        )
        (tmp_path / codec).mkdir()
        desk = Desk(tmp_path / codec, preset)
        chunk = desk.state.plan.chunks[1]
        order = desk.order(PendingTask("mix", chunk.key, chunk=chunk))
        assert isinstance(order, MixSound)
        assert (order.samples, order.sample_rate, order.channels, order.bytes_per_sample) == (
            chunk.samples,
            48000,
            2,
            bytes_per_sample,
        )
        assert order.sounds == chunk.sounds
        assert order.part.endswith(".pcm")


def test_the_track_is_encoded_from_all_chunks_in_order(tmp_path):
    desk = Desk(tmp_path, H264)
    desk.believe_all()
    order = desk.order(PendingTask("track", desk.state.track))
    assert isinstance(order, EncodeTrack)
    store = desk.workspace.scratch / "store"
    assert [one.file for one in order.inputs] == [
        str(store / f"{chunk.key}.x") for chunk in desk.state.plan.chunks
    ]
    assert [one.digest for one in order.inputs] == [
        desk.state.believed[one.key].digest for one in order.inputs
    ]
    assert order.samples == desk.state.plan.samples
    assert order.part.endswith(".m4a") and order.argv[-1] == f"file:{order.part}"


def test_a_claim_is_hashed_where_it_is_stored(desk):
    key = desk.state.current.segments[0].key
    desk.state.claimed[key] = seal(key)
    assert desk.order(PendingTask("validate", key)) == ValidateSeal(
        key=key, path=str(desk.workspace.scratch / "store" / f"{key}.x"), bytes=100, file_hash="h"
    )


def test_the_film_is_joined_of_every_segment_in_film_order_and_of_the_sound(desk):
    desk.believe_all()
    order = desk.order(PendingTask("join", desk.state.cut))
    assert isinstance(order, JoinFilm)
    first, copied, card, again, *black = order.video
    store = desk.workspace.scratch / "store"
    assert (
        first
        == again
        == JoinVideo(
            key=first.key,
            frames=24,
            digest=f"digest of {first.key}",
            file=str(store / f"{first.key}.x"),
            file_hash="h",
        )
    )
    assert copied == JoinVideo(
        key=copied.key, frames=20, digest=f"digest of {copied.key}", source=SAME.path, fingerprint=SAME.fingerprint,
        stream=0, first_frame=240,
    )  # fmt: skip
    assert card.file and not card.source and len(black) > 10
    assert sum(part.frames for part in order.video) == 24 * 40
    assert order.sound == tuple(
        JoinSound(
            key=chunk.key,
            file=str(store / f"{chunk.key}.x"),
            samples=24,
            digest=f"digest of {chunk.key}",
            file_hash="h",
        )
        for chunk in desk.state.plan.chunks
    )
    assert (order.timecode, order.rate, order.reorder, order.pcm) == (
        "01:00:00:00",
        Fraction(24),
        2,
        "pcm_s24le",
    )
    assert (order.sample_rate, order.channels, order.samples) == (48000, 2, desk.state.plan.samples)
    assert Path(order.part).parent == desk.output.parent / ".hotsplice", "on the film's own volume"


def test_coded_sound_is_joined_as_one_track(tmp_path):
    desk = Desk(tmp_path, H264)
    desk.believe_all()
    order = desk.order(PendingTask("join", desk.state.cut))
    assert isinstance(order, JoinFilm)
    assert [part.key for part in order.sound] == [desk.state.track]
    assert order.pcm == ""


def test_what_an_attempt_left_is_not_written_over(desk):
    order = desk.order(desk.segment(0))
    assert isinstance(order, RenderSegment)
    Path(order.part).write_text("half")
    again = desk.order(desk.segment(0))
    assert again == order
    assert not Path(order.part).exists()
    desk.believe_all()
    joined = desk.order(PendingTask("join", desk.state.cut))
    assert isinstance(joined, JoinFilm)
    Path(joined.part).write_text("half a film")
    desk.order(PendingTask("join", desk.state.cut))
    assert not Path(joined.part).exists()


@pytest.mark.parametrize(
    ("error", "place", "note"),
    [
        (OSError(30, "Read-only file system", "/films/.hotsplice"), "output", ""),
        (PermissionError(1, "raised by us"), "program", "program"),
    ],
)
def test_what_kept_an_order_from_being_written_is_blamed_only_where_the_system_names_a_path(
    tmp_path, error, place, note
):
    seen = task_factory.not_begun(
        PendingTask("join", "k"), error, tmp_path / "film.mov", Desk(tmp_path).workspace
    )
    assert (seen.place, seen.note) == (place, note)
    assert note != "program" or seen.errno is None
