"""What to ask the companion, from what is shown and what is known of it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from bridge.protocol.requests import Describe, Message, Pictures, Stats
from bridge.protocol.responses import Described, ShotLine
from bridge.tray.state import Model

Place = Literal["jobs", "history", "settings"]
"""The pages of the window."""
AT_ONCE = 24
"""Pictures that are asked for in one request."""
MOST_TRIES = 3
"""How often a picture is asked for: the companion leaves out what took too long, or is not there yet."""
Tried = tuple[str, int, str, str]
"""A job, a shot, and the states of both: in another state there may be another picture."""
_DRAWN = ("verified", "reused", "mended", "previous", "slate")


def questions(
    model: Model,
    place: Place,
    job: str,
    *,
    asked: Collection[str],
    tried: Mapping[Tried, int],
    stale: bool,
) -> tuple[Message, ...]:
    """Requests that are due: `asked` are names of those that wait for an answer, `tried` how often pictures
    were asked for; `stale`: the figures are older than the newest job."""
    if model.link != "here":
        return ()
    found: list[Message] = []
    if place == "history" and (model.figures is None or stale):
        found.append(Stats(request="stats"))
    told = model.described.get(job)
    if place == "jobs" and model.job(job) is not None:
        if told is None or _older(model, told):
            found.append(Describe(request=f"describe-{job}", job=job))
        if told is not None:
            shots = wanted(model, told, tried)
            if shots:
                found.append(Pictures(request=f"pictures-{job}", job=job, shots=shots))
    return tuple(one for one in found if one.request not in asked)


def wanted(model: Model, told: Described, tried: Mapping[Tried, int]) -> tuple[int, ...]:
    """Shots of which there may be a picture that we have not."""
    job = told.job.job
    have = model.pictures.get(job, {})
    drawn = [
        shot
        for shot in told.shots
        if shot.state in _DRAWN and not shot.gap and shot.number not in have
    ]
    return tuple(shot.number for shot in drawn if tried.get(key_of(told, shot), 0) < MOST_TRIES)[
        :AT_ONCE
    ]


def key_of(told: Described, shot: ShotLine) -> Tried:
    """What a picture of this shot is counted under."""
    return told.job.job, shot.number, shot.state, told.job.state


def _older(model: Model, told: Described) -> bool:
    """Whether something has happened to the job since it was described."""
    line = model.job(told.job.job)
    return model.heard.get(told.job.job, 0) > told.last or (
        line is not None and line.state != told.job.state
    )
