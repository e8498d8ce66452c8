"""What the tray knows: a value, folded from what the companion says. Every view is a function of it. No Qt, no socket.

The companion's list of jobs says how things stand; its events only make that known sooner, and say what no list does: a drive
that is waited for, a slate in the making. So a lost event costs nothing, and what is stale is overwritten by the next list.
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
"""`looking`: nobody has answered yet; `absent`: no companion runs; `shut`: it does not let us in, or we cannot ask."""
OPEN = ("waiting", "working")
ENDED = ("complete", "unchanged", "incomplete", "failed", "superseded")


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """`core.report.progress.Snapshot` as it arrives; an older companion may say less, a newer one more."""

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
    """How far a job is: a step before there is a plan, else `now`."""

    step: str = ""
    done: int = 0
    total: int = 0
    now: Now | None = None


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """A place that is waited for since the event `seq`."""

    gate: str
    path: str
    code: str
    seq: int


class Slated(msgspec.Struct, frozen=True, kw_only=True):
    """A shot that was given up in the run that is under way."""

    shot: int
    code: str
    path: str


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Why we cannot talk with the companion, in its words or ours."""

    title: str
    message: str
    action: str = ""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """Everything at a moment. `told` holds keys of notices that were shown, `seen` jobs whose end a person has looked at;
    `heard` is the number of a job's newest event; `noticed` the newest
    notice about a job, or under "" about none; `began` is False until the first list of jobs is here: what ended
    before that is no news, though what ended badly goes on calling."""

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
        """A job by its name."""
        return next((line for line in self.jobs if line.job == name), None)


def fold(model: Model, said: Any) -> Model:
    """The model after the companion has said this."""
    match said:
        case Jobs():
            return _listed(model, said)
        case Described():
            return replace(model, described=_kept(model.described, said.job.job, said))
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


def linked(model: Model, link: Link, trouble: Trouble | None = None) -> Model:
    """Whether there is a companion. Of one that is gone nothing is under way any more."""
    gone: dict[str, Any] = {} if link == "here" else {"doing": {}, "gates": {}, "noticed": {}}
    return replace(model, link=link, trouble=trouble, **gone)


def looked_at(model: Model, job: str) -> Model:
    """A person has this job before the eyes."""
    return replace(model, seen=model.seen | {job})


def replace(model: Model, **changes: Any) -> Model:
    """The model with changes."""
    return msgspec.structs.replace(model, **changes)


def ended(line: JobLine) -> bool:
    """Whether nothing more comes by itself: it has ended, or rests with a fault."""
    return line.state in ENDED or bool(line.code and line.state == "held")


_MOST_KEPT = 12
"""Jobs whose description and pictures are kept; those looked at last."""


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
    """Names the end of a job: taken up again, it may come to another."""
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
        case (
            "FilmPublished" | "FilmRolledBack"
        ):  # what is kept is told of every job of this film, and has changed for all
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
