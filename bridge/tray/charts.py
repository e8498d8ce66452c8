"""Chart data of the history page: figures, days and faults. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from bridge.protocol.responses import JobLine
from bridge.tray.state import Model
from bridge.tray.view import Role
from bridge.tray.words import lasting, of, say
from core.messages import catalogue
from core.messages.template import Language, decimal

DAYS = 14
_OUTCOMES: tuple[tuple[str, tuple[str, ...], Role], ...] = (
    ("complete", ("complete", "unchanged"), "good"), ("incomplete", ("incomplete",), "warn"), ("failed", ("failed",), "bad"),
)  # fmt: skip
"""Outcome, the job states it covers, and its colour."""
_MOST_FAULTS = 8


class Figure(NamedTuple):
    """A figure in large type with its label and explanation."""

    value: str
    label: str
    words: str


class Day(NamedTuple):
    """Number of jobs of one day, by outcome."""

    label: str
    counts: tuple[int, ...]
    words: str


class Fault(NamedTuple):
    """A fault: how often it occurred, how often it was cured, and how long that took."""

    title: str
    episodes: int
    cured: int
    words: str


class Board(NamedTuple):
    """Contents of the history page.

    `outcomes` names the parts of a day's bar, with their colours.
    """

    figures: tuple[Figure, ...]
    outcomes: tuple[tuple[str, Role], ...]
    days: tuple[Day, ...]
    faults: tuple[Fault, ...]


def board(
    model: Model,
    today: int,
    day_of: Callable[[float], int],
    name_of: Callable[[int], str],
    language: Language,
) -> Board:
    """Build the board of the last `DAYS` days.

    `today` and `day_of` count days from any origin in the user's time zone; `name_of` formats a
    day.
    """
    return Board(
        figures=_figures(model.figures or {}, language),
        outcomes=tuple((of("job", name, language), role) for name, _, role in _OUTCOMES),
        days=tuple(
            _day(model.jobs, day, day_of, name_of, language)
            for day in range(today - DAYS + 1, today + 1)
        ),
        faults=tuple(_faults(model.figures or {}, language)),
    )


def _day(
    jobs: tuple[JobLine, ...],
    day: int,
    day_of: Callable[[float], int],
    name_of: Callable[[int], str],
    language: Language,
) -> Day:
    states = [line.state for line in jobs if day_of(line.at) == day]
    counts = tuple(sum(state in among for state in states) for _, among, _ in _OUTCOMES)
    parts = [
        f"{count} {of('job', name, language)}"
        for count, (name, _, _) in zip(counts, _OUTCOMES, strict=True)
        if count
    ]
    return Day(
        name_of(day),
        counts,
        f"{name_of(day)}: {', '.join(parts) or say('no-jobs-that-day', language)}",
    )


def _figures(said: dict[str, Any], language: Language) -> tuple[Figure, ...]:
    recovering = said.get("recovering") or {}

    def share(name: str) -> str:
        value = said.get(name)
        return (
            "–"
            if value is None
            else f"{decimal(100 * value, language, 0 if value in (0, 1) else 1)} %"
        )

    def time(value: float | None) -> str:
        return "–" if value is None else lasting(value, language)

    shown = {
        "figure-success": share("success_rate_without_users_faults"),
        "figure-film": share("film_rate"),
        "figure-jobs": str(said.get("ended", "–")),
        "figure-recover": time(recovering.get("p50_s")),
        "figure-recover-95": time(recovering.get("p95_s")),
        "figure-saved": time(said.get("seconds_saved")) if said.get("seconds_saved") else "–",
    }
    return tuple(
        Figure(value, say(name, language), say(f"{name}-words", language))
        for name, value in shown.items()
    )


def _faults(said: dict[str, Any], language: Language) -> list[Fault]:
    found = []
    for code, one in list((said.get("by_fault") or {}).items())[:_MOST_FAULTS]:
        title = catalogue.title_of(code, language)
        took = lasting(one["p50_s"], language) if one.get("p50_s") is not None else ""
        cured = say("cured-of", language, cured=one["cured"], count=one["episodes"], time=took)
        found.append(Fault(title, one["episodes"], one["cured"], f"{title}: {cured}"))
    return found
