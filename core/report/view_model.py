"""What is told of a job: values. `core.report.job_view` makes them of facts; reports and tables are made of them."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

import msgspec

from core.errors.failure import Failure, Lookalike, Recovery
from core.job.events import (
    Fact,
    FilmPlanned,
    FilmPublished,
    GateClosed,
    GateOpened,
    JobAccepted,
    ShotDegraded,
)
from core.report.incidents import Incident, Run
from core.system.codec import Value
from core.timeline.timeline import Remark
from core.timeline.timing import timecode

State = Literal["verified", "reused", "mended", "previous", "slate", "missing", "waiting"]
"""`missing`: the job ended without it. `previous`: an earlier render stands in. A slate was given up or never possible."""


class Trouble(Value, frozen=True):
    """One thing that went wrong. `recovery` is None for what was known before rendering and for what was given up as a
    whole. Frames count from the film's first; timecodes are empty where they cannot be told. `last_good` names a picture in
    the data folder. `places` are the runs (first frame, frames) that it took, where that is not all of the shot or sound."""

    at: float
    code: str
    path: str
    detail: str = ""
    attempt: int = 0
    failure: Failure | None = None
    recovery: Recovery | None = None
    frame: int | None = None
    source_frame: int | None = None
    last_good: str = ""
    places: tuple[tuple[int, int], ...] = ()
    lookalikes: tuple[Lookalike, ...] = ()


class ShotView(Value, frozen=True):
    """A shot and what became of it. `seconds` is what its segments took to make. `notes` are facts told beside its troubles.
    `causes` are those troubles for which the film now does not show what was asked for; `degraded` how it was made otherwise.
    `taken`: a person has decided to leave it so."""

    number: int
    name: str
    record_in: int
    frames: int
    state: State
    gap: bool = False
    path: str = ""
    source_frame: int | None = None
    attempts: int = 0
    seconds: float = 0.0
    troubles: tuple[Trouble, ...] = ()
    notes: tuple[Fact, ...] = ()
    causes: tuple[Trouble, ...] = ()
    degraded: tuple[ShotDegraded, ...] = ()
    taken: bool = False

    @property
    def good(self) -> bool:
        """Whether the film shows here what the timeline asks for."""
        return self.state in ("verified", "reused")


class Figures(Value, frozen=True):
    """What the job took. Times in seconds: `worked_s` of all runs, `recovering_s` in which anything waited to be made good
    (troubles at once count once), `saved_s` of rendering that checkpoints spared. Frames are pictures of the film;
    `overhead` is the share of the last run's time by which records and checks held it up, `overhead_of_work` the same from when
    the film was planned, `overhead_cpu` their share of its processor time; None where it is not on record. `startup_s` is how
    long the last run took to plan the film."""

    worked_s: float
    frames: int
    frames_made: int
    frames_reused: int
    frames_copied: int
    retries: int
    failures: int
    recovering_s: float
    saved_s: float
    overhead: float | None = None
    overhead_of_work: float | None = None
    overhead_cpu: float | None = None
    startup_s: float = 0.0


class JobView(Value, frozen=True):
    """A job as a whole. `outcome` is a JobFinished's, or `running`, `interrupted`, `accepted`; `detail` its detail, or why it was
    interrupted; `fatal` what ended it. `elsewhere` is trouble that is no shot's: sound, checkpoints, the film itself. A gate
    stands with its closing's moment and its opening, None while closed. `clips` are the names of clips that can be heard, by
    their ids; `clipped` counts samples beyond full scale. A person has decided to leave the sound of `taken_clips` silent, and
    remarks of the codes `taken_remarks` as they are. `stood`: the last run found the film at its place and made nothing."""

    job: str
    accepted: JobAccepted
    asked_at: float
    heard_at: float
    outcome: str
    code: str
    detail: str
    planned: FilmPlanned | None
    published: FilmPublished | None
    shots: tuple[ShotView, ...]
    elsewhere: tuple[Trouble, ...]
    silenced: tuple[tuple[str, Trouble], ...]
    gates: tuple[tuple[float, GateClosed, GateOpened | None], ...]
    answers: tuple[Fact, ...]
    remarks: tuple[Remark, ...]
    runs: tuple[Run, ...]
    episodes: tuple[Incident, ...]
    figures: Figures
    clips: dict[str, str] = {}
    clipped: int = 0
    fatal: Trouble | None = None
    taken_clips: tuple[str, ...] = ()
    taken_remarks: tuple[str, ...] = ()
    stood: bool = False

    @property
    def place(self) -> str:
        """Where the film was published: where it was asked for, or beside that as NAME.incomplete.EXT."""
        return self.published.output if self.published is not None else self.accepted.output

    @property
    def good(self) -> int:
        """Shots of which the film shows what the timeline asks for."""
        return sum(shot.good for shot in self.shots)

    @property
    def taken(self) -> tuple[int, ...]:
        """Numbers of the shots that are otherwise than the timeline asks by a person's decision."""
        return tuple(shot.number for shot in self.shots if shot.taken)

    @property
    def by_decision(self) -> bool:
        """Whether anything in the film is."""
        return bool(self.taken or self.taken_clips or self.taken_remarks)

    def timecode(self, frame: int | None) -> str:
        """Record timecode of a frame of the film; empty where it is not known."""
        if frame is None or self.planned is None:
            return ""
        return timecode(
            self.planned.start_frame + frame,
            Fraction(self.planned.rate),
            drop_frame=self.planned.drop_frame,
        )


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a person can do; `safe`: nothing can be lost by it."""

    do: str
    safe: bool = True


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something a person should know, in words. `severity`: error (something is missing in the film), warning (it is not as the
    timeline asks), note (dealt with). `first` and `frames` are where in the film, counted from 0; None where it is no shot's.
    `others` are further places of the same cause, as (first, frames). `answers` are those words of Answer that fit it: about
    its shots, or about its `code` where it has none. `decided`: a person has decided to leave it so, and `retry` takes that
    back. `proposed` is a file that may be the one that is missing."""

    severity: Literal["error", "warning", "note"]
    code: str
    title: str
    message: str
    did: str = ""
    actions: tuple[Act, ...] = ()
    shots: tuple[int, ...] = ()
    first: int | None = None
    frames: int = 0
    path: str = ""
    answers: tuple[str, ...] = ()
    others: tuple[tuple[int, int], ...] = ()
    decided: bool = False
    proposed: str = ""
