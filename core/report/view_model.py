"""The view model of a job.

`core.report.job_view` builds it from events; reports and tables are made from it.
"""

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
"""The state of a shot.

`missing`: the job ended without the shot. `previous`: an earlier render replaces it. `slate`: the
shot was given up or never possible.
"""


class Trouble(Value, frozen=True):
    """One thing that went wrong.

    `recovery` is None for what was known before rendering and for what was given up as a whole.
    Frames count from the first frame of the film. `last_good` names a picture in the data folder.
    `places` are the affected runs (first frame, frames), if they are not the whole shot or sound.
    """

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
    """A shot and what became of it.

    `seconds` is the time it took to render its segments. `notes` are events shown besides its
    troubles. `causes` are the troubles that keep the film from showing what was asked for;
    `degraded` tells how it was rendered in another way. `taken` means that a person accepted it as
    it is.
    """

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
        """Whether the film shows what the timeline asks for here."""
        return self.state in ("verified", "reused")


class Figures(Value, frozen=True):
    """The figures of a job.

    Times are in seconds: `worked_s` of all runs; `recovering_s` while anything waited to be
    recovered (simultaneous troubles count once); `saved_s` of rendering that checkpoints saved.
    Frames are pictures of the film. `overhead` is the share of the last run's time by which
    recording and checks delayed it, `overhead_of_work` the same counted from when the film was
    planned, `overhead_cpu` their share of its processor time; None where not recorded. `startup_s`
    is how long the last run took to plan the film.
    """

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
    """A job as a whole.

    `outcome` is that of JobFinished, or `running`, `interrupted`, `accepted`; `detail` is its
    detail, or why it was interrupted; `fatal` is what ended it. `elsewhere` are troubles of no
    shot: sound, checkpoints, the film itself. `gates` has the time of each closing with its events;
    the opening is None while the gate is closed. `clips` maps the ids of audible clips to their
    names; `clipped` counts samples beyond full scale. A person accepted the silence of
    `taken_clips` and the remarks with the codes `taken_remarks`. `stood` means that the last run
    found the film in its place and rendered nothing.
    """

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
        """The path of the published film: the requested one, or NAME.incomplete.EXT next to it."""
        return self.published.output if self.published is not None else self.accepted.output

    @property
    def good(self) -> int:
        """The number of shots that show what the timeline asks for."""
        return sum(shot.good for shot in self.shots)

    @property
    def taken(self) -> tuple[int, ...]:
        """Numbers of the shots that differ from the timeline by a person's decision."""
        return tuple(shot.number for shot in self.shots if shot.taken)

    @property
    def by_decision(self) -> bool:
        """Whether anything in the film differs from the timeline by a person's decision."""
        return bool(self.taken or self.taken_clips or self.taken_remarks)

    def timecode(self, frame: int | None) -> str:
        """Return the record timecode of a frame of the film; empty where it is not known."""
        if frame is None or self.planned is None:
            return ""
        return timecode(
            self.planned.start_frame + frame,
            Fraction(self.planned.rate),
            drop_frame=self.planned.drop_frame,
        )


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a person can do; `safe` means that nothing can be lost by it."""

    do: str
    safe: bool = True


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a person should know, in words.

    `severity` is error (something is missing in the film), warning (it is not as the timeline asks)
    or note (dealt with). `first` and `frames` are the place in the film, counted from 0; `first` is
    None where there is none. `others` are further places of the same cause, as (first, frames).
    `answers` are the words of Answer that fit: about its shots, or about its `code` where it has
    none. `decided` means that a person accepted it; `retry` takes that back. `proposed` is a file
    that may be the missing one.
    """

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
