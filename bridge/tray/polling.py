"""Decides what to request from the daemon, given the visible page and the model. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from bridge.protocol.requests import Describe, Message, Pictures, Stats
from bridge.protocol.responses import Described, ShotLine
from bridge.tray.state import Model

Place = Literal["jobs", "history", "settings"]
"""The pages of the window."""
AT_ONCE = 24
"""Pictures per request."""
MOST_TRIES = 3
"""Requests per picture: the daemon omits pictures that took too long or do not exist yet."""
Tried = tuple[str, int, str, str]
"""Job, shot and the states of both; another state may have another picture."""
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
    """Return the requests that are due.

    `asked` names the requests that wait for an answer, and `tried` counts the requests per picture.
    `stale` means that the figures are older than the newest job.
    """
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
    """Return shots that may have a picture that the model lacks."""
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
    """Return the key under which requests for this shot's picture are counted."""
    return told.job.job, shot.number, shot.state, told.job.state


def _older(model: Model, told: Described) -> bool:
    """Return whether the job has changed since it was described."""
    line = model.job(told.job.job)
    return model.heard.get(told.job.job, 0) > told.last or (
        line is not None and line.state != told.job.state
    )
