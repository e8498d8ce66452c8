"""The tray's model: a value, folded from the daemon's responses. Every view is a function of it.

No Qt, no sockets. The daemon's list of jobs is authoritative. Events only report changes sooner,
and report what the list lacks: a drive that a job waits for, or a shot that becomes a slate. A lost
event therefore costs nothing, and the next list overwrites stale state.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from bridge.protocol.responses import (
    Described,
    Figures,
    Happened,
    JobLine,
    Jobs,
    Noticed,
    Pictured,
    Progressed,
)

Link = Literal["looking", "here", "absent", "shut"]
"""State of the connection.

- `looking`: no daemon has answered yet.
- `absent`: no daemon runs.
- `shut`: the daemon refuses the tray, or the tray cannot send requests.
"""
OPEN = ("waiting", "working")
ENDED = ("complete", "unchanged", "incomplete", "failed", "superseded")


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """A `core.report.progress.Snapshot` as received.

    An older daemon may omit fields, a newer one may add some.
    """

    phase: str = ""
    frames: int = 0
    frames_done: int = 0
    shots: int = 0
    shots_done: int = 0
    shots_missing: int = 0
    reused_frames: int = 0
    left_s: float | None = None
    frames_per_s: float = 0.0
    working_on: tuple[str, ...] = ()
    waiting_s: float = 0.0
    shots_now: tuple[int, ...] = ()
    retry_attempt: int = 0


class Doing(msgspec.Struct, frozen=True, kw_only=True):
    """Progress of a job: `step` before the plan exists, `now` afterwards."""

    step: str = ""
    done: int = 0
    total: int = 0
    now: Now | None = None


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """A circuit breaker that is open: a place that the job has waited for since event `seq`."""

    gate: str
    path: str
    code: str
    seq: int


class Slated(msgspec.Struct, frozen=True, kw_only=True):
    """A shot that became a slate in the current run."""

    shot: int
    code: str
    path: str


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Why the tray cannot talk to the daemon, in the daemon's words or in its own."""

    title: str
    message: str
    action: str = ""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the tray knows at one moment.

    `told` holds the keys of notices already shown, and `seen` the jobs whose end the user has
    looked at. `heard` holds the number of each job's newest event. `noticed` holds the newest
    notice per job, or under "" the newest one about no job. `began` is False until the first list
    of jobs arrives: an earlier end causes no notice, but a bad end still asks for attention.
    """

    link: Link = "looking"
    trouble: Trouble | None = None
    jobs: tuple[JobLine, ...] = ()
    paused: bool = False
    began: bool = False
    doing: dict[str, Doing] = {}
    gates: dict[str, tuple[Gate, ...]] = {}
    slated: dict[str, tuple[Slated, ...]] = {}
    described: dict[str, Described] = {}
    pictures: dict[str, dict[int, bytes]] = {}
    figures: dict[str, Any] | None = None
    heard: dict[str, int] = {}
    noticed: dict[str, Noticed] = {}
    told: frozenset[str] = frozenset()
    seen: frozenset[str] = frozenset()

    def job(self, name: str) -> JobLine | None:
        """Return the job with this name, or None."""
        return next((line for line in self.jobs if line.job == name), None)


def fold(model: Model, said: Any) -> Model:
    """Return the model after a response from the daemon."""
    match said:
        case Jobs():
            return _listed(model, said)
        case Described():
            return _described(model, said)
        case Pictured():
            return replace(
                model,
                pictures=_kept(
                    model.pictures, said.job, {**model.pictures.get(said.job, {}), **said.pictures}
                ),
            )
        case Figures():
            return replace(model, figures=msgspec.json.decode(said.figures))
        case Progressed():
            return replace(model, doing={**model.doing, said.job: _doing(said)})
        case Noticed():
            return replace(model, noticed={**model.noticed, said.job: said})
        case Happened():
            return _happened(model, said)
        case _:
            return model


def _described(model: Model, said: Described) -> Model:
    """Keep a description. A shot in another state is another picture: the old one is dropped."""
    job = said.job.job
    before = model.described.get(job)
    was = {shot.number: shot.state for shot in before.shots} if before is not None else {}
    same = {shot.number for shot in said.shots if was.get(shot.number, shot.state) == shot.state}
    pictures = {
        number: one for number, one in model.pictures.get(job, {}).items() if number in same
    }
    return replace(
        model,
        described=_kept(model.described, job, said),
        pictures=_kept(model.pictures, job, pictures) if job in model.pictures else model.pictures,
    )


def linked(model: Model, link: Link, trouble: Trouble | None = None) -> Model:
    """Set the state of the connection. Without a daemon, nothing is in progress."""
    gone: dict[str, Any] = {} if link == "here" else {"doing": {}, "gates": {}, "noticed": {}}
    return replace(model, link=link, trouble=trouble, **gone)


def looked_at(model: Model, job: str) -> Model:
    """Record that the user looks at this job."""
    return replace(model, seen=model.seen | {job})


def replace(model: Model, **changes: Any) -> Model:
    """Return a copy of the model with changes."""
    return msgspec.structs.replace(model, **changes)


def ended(line: JobLine) -> bool:
    """Return whether nothing more happens by itself: the job has ended, or is held with a fault."""
    return line.state in ENDED or bool(line.code and line.state == "held")


_MOST_KEPT = 12
"""Number of jobs whose description and pictures are kept: the most recent ones."""


def _kept(known: dict[str, Any], job: str, value: Any) -> dict[str, Any]:
    others = {name: one for name, one in known.items() if name != job}
    return dict([*others.items(), (job, value)][-_MOST_KEPT:])


def _listed(model: Model, said: Jobs) -> Model:
    open_ = {line.job for line in said.jobs if line.state in OPEN}
    working = {line.job for line in said.jobs if line.state == "working"}
    over = frozenset(key_of_end(line) for line in said.jobs if ended(line))
    good = {line.job for line in said.jobs if line.state in ("complete", "unchanged")}
    told = frozenset(
        key for key in model.told if key.partition(" ")[0] not in open_ or " end " not in key
    )
    return replace(
        model,
        jobs=said.jobs,
        paused=said.paused,
        began=True,
        doing={job: one for job, one in model.doing.items() if job in working},
        gates={job: one for job, one in model.gates.items() if job in working},
        slated={job: one for job, one in model.slated.items() if job in open_},
        noticed={job: one for job, one in model.noticed.items() if not job or job in open_},
        told=told if model.began else told | over,
        seen=(model.seen if model.began else model.seen | good) - open_,
    )


def key_of_end(line: JobLine) -> str:
    """Return a key for the end of a job; a resumed job may end differently."""
    return f"{line.job} end {line.state} {line.code}"


def _doing(said: Progressed) -> Doing:
    try:
        now = msgspec.json.decode(said.snapshot, type=Now | None)
    except msgspec.MsgspecError:
        now = None
    return Doing(step=said.step, done=said.done, total=said.total, now=now)


def _happened(model: Model, said: Happened) -> Model:
    fact = msgspec.json.decode(said.fact)
    job = said.job
    model = replace(model, heard={**model.heard, job: said.seq})
    failure = fact.get("failure") or {}
    code = str(failure.get("code", ""))
    match fact.get("is"):
        case "GateClosed":
            gate = Gate(gate=str(fact["gate"]), path=str(fact["path"]), code=code, seq=said.seq)
            others = tuple(one for one in model.gates.get(job, ()) if one.gate != gate.gate)
            return replace(model, gates={**model.gates, job: (*others, gate)})
        case "GateOpened":
            left = tuple(one for one in model.gates.get(job, ()) if one.gate != fact["gate"])
            return replace(model, gates={**model.gates, job: left})
        case "ShotSlated":
            path = str((failure.get("evidence") or {}).get("path") or "")
            slate = Slated(shot=int(fact["shot"]), code=code, path=path)
            return replace(model, slated={**model.slated, job: (*model.slated.get(job, ()), slate)})
        # Every job of this film lists the kept films, and these have changed for all of them.
        case "FilmPublished" | "FilmRolledBack":
            known = model.described.items()
            return replace(
                model,
                described={
                    name: one
                    for name, one in known
                    if name == job or one.job.output != fact["output"]
                },
            )
        case "RunStarted" | "RunInterrupted" | "JobFinished":
            return replace(
                model,
                gates=_without(model.gates, job),
                slated=_without(model.slated, job),
                doing=_without(model.doing, job),
            )
        case _:
            return model


def _without(known: dict[str, Any], job: str) -> dict[str, Any]:
    return {name: one for name, one in known.items() if name != job}
