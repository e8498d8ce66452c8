"""A job with everything real around it but the workers, for the tests of the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from core.engine.loop import Engine
from core.engine.user_decisions import UserDecisions
from core.job.events import Fact, JobAccepted, JobFinished, RunInterrupted
from core.job.pending_tasks import reusable
from core.job.state import JobState
from core.storage.journal import Journal
from core.storage.workspace import Workspace
from core.tasks.spec import Order, Outcome
from core.timeline.timeline import Timeline
from tests.core.hands import Hands
from tests.core.props import (
    BUILD,
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
FILM = cut(
    [clip(0, 24), clip(24, 20, source_in=10), clip(44, 24, "/media/same.mov")],
    audio=([clip(0, 68, id="a1")],),
)
QUICK = msgspec.structs.replace(
    POLICY,
    first_delay_s=0.0,
    longest_delay_s=0.0,
    free_margin_bytes=0,
    gate_patience_s=0.1,
    probe_every_s=0.0,
)

PATIENT = msgspec.structs.replace(QUICK, gate_patience_s=60.0)
"""Where a gate opens, however slow the machine is."""


@dataclass
class Studio:
    """A job with everything real around it but the workers."""

    root: Path
    film: Timeline = FILM
    preset: object = PRORES
    media: dict[str, object] = field(default_factory=lambda: {s.path: s for s in (MEDIA, SAME)})
    heard: list[str] = field(default_factory=list)
    stop: str = ""

    def __post_init__(self) -> None:
        (self.root / "films").mkdir(exist_ok=True)
        self.output = self.root / "films" / "film.mov"
        self.workspace = Workspace(self.root / "home", self.root / "scratch")
        self.journal = Journal(self.root / "home" / "journal.db")
        if not self.journal.jobs():
            accepted = JobAccepted(
                digest="r", timeline_path="", timeline_name="", output=str(self.output), preset=""
            )
            self.journal.accept("job1", accepted, b"", 1.0)

    def engine(self, hands: Hands) -> Engine:
        """A run: what is sealed on record is claimed."""
        made = plan(self.film, self.media, preset=self.preset, policy=QUICK)
        state = JobState(
            plan=made,
            preset=self.preset,
            policy=QUICK,
            build=BUILD,
            slate_words=SLATES,
            claimed={},  # type: ignore[arg-type]
        )
        keys = [
            *(s.key for s in state.work),
            *(c.key for c in made.chunks),
            *([state.track] if state.track else []),
        ]
        state.claimed = reusable(made, state.track, self.journal.seals(keys))
        self.workspace.prepare("job1")
        engine = Engine(
            job="job1", output=self.output, state=state, journal=self.journal, workspace=self.workspace, crew=hands,
            # type: ignore[arg-type]
            ffmpeg="/bin/ffmpeg", answering=self.answering(), stopped=lambda: self.stop, on_fact=self.hear,
        )  # fmt: skip
        engine.answering.said_before(state)
        copies = [seal for seal in state.claimed.values() if seal.kind == "copy"]
        engine.note(
            *[msgspec.structs.replace(seal, reused=True) for seal in copies]
        )  # they have no file to validate
        return engine

    def answering(self) -> UserDecisions:
        return UserDecisions(self.journal, output=str(self.output), digest="r")

    def hear(self, seq: int, fact: Fact) -> None:
        self.heard.append(type(fact).__name__)
        assert self.story()[-1] is not None and any(
            entry.seq == seq and entry.fact == fact for entry in self.journal.facts("job1")
        )

    def run(self, *tricks: Callable[[Order], Outcome | None]) -> JobFinished | RunInterrupted:
        return self.engine(Hands(2, *tricks)).run()

    def story(self) -> list[Fact]:
        return [entry.fact for entry in self.journal.facts("job1")]

    def names(self, kind: type[Fact]) -> list[Fact]:
        return [fact for fact in self.story() if isinstance(fact, kind)]

    def litter(self) -> list[str]:
        """Everything but segments, the film and the one that is kept."""
        work = [p.name for p in (self.root / "scratch" / "work").rglob("*")]
        beside = (
            [p.name for p in (self.root / "films" / ".hotsplice").glob("*")]
            if (self.root / "films" / ".hotsplice").exists()
            else []
        )
        return work + [name for name in beside if not name.endswith(".previous")]
