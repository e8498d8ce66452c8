"""What a person decides about shots and sounds that failed, put on record: whichever process heard it, a job under work hears it
too.
"""

from __future__ import annotations

import os
from pathlib import Path

from bridge.accounts import earlier_renders, last_plan
from core.explain.filling import Language
from core.explain.phrases import phrase
from core.explain.story import word
from core.model.facts import (
    Answered,
    Answers,
    AttemptFailed,
    FilmPlanned,
    ProblemFound,
    RunStarted,
    ShotMended,
    ShotSlated,
    SoundSilenced,
)
from core.model.refusal import Refused
from core.perform import machine
from core.record.journal import Journal
from core.record.memory import Memory

UNLIKE = "source-unlike-record"
ALWAYS = ("skip", "previous", "stop")
"""What can be preferred always: trying again for ever cannot, and another file is another one each time."""


def put_on_record(
    journal: Journal,
    job: str,
    about: str,
    answer: Answers,
    *,
    file: str | None = None,
    always: bool = False,
    speak: Language = "en",
) -> list[str]:
    """An answer; a job under work hears it within a second. What to tell the person, in the language. Refused(answer-unclear)."""
    faults, silent = _faults(journal, job)
    mute = [path for path, code in silent.items() if about in ("all", code)]
    numbers = [int(about)] if about.isdecimal() else [n for n, code in faults.items() if about in ("all", code)]
    if about.isdecimal() and int(about) not in _shots(journal, job):
        raise Refused("answer-unclear", why="no-such-shot", job=job, shot=about)
    if not numbers and not mute and about != "all":
        known = ", ".join(sorted({*faults.values(), *silent.values()}))
        raise Refused("answer-unclear", why="none-failed-so", job=job, about=about, known=known)
    to = ""
    if answer == "relink":
        if not file:
            raise Refused("answer-unclear", why="relink-needs-file")
        to = str(Path(os.path.expanduser(file)).absolute())
        if not os.path.isfile(to):
            raise Refused("answer-unclear", why="no-file", to=to)
    if always and answer not in ALWAYS:
        raise Refused("answer-unclear", why="not-always", known=", ".join(ALWAYS))
    shot = int(about) if about.isdecimal() else 0
    code = "" if shot or about == "all" else about
    paths = list(dict.fromkeys([*_paths(journal, job, numbers), *mute]))
    if to and len(paths) != 1:
        raise Refused("answer-unclear", why="one-file", about=_about(numbers, mute, speak), count=len(paths))
    said = [Answered(answer=answer, shot=shot, code=code, path=path, to=to) for path in paths or [""]]
    journal.append(job, said, machine.now())
    lines = []
    if answer == "retry":
        lines += _vouch(journal, job, [n for n in numbers if faults.get(n) == UNLIKE], speak)
    if always:
        memory = Memory(journal)
        for fault in dict.fromkeys(faults[n] for n in numbers if n in faults):
            memory.prefer(fault, answer)
            lines.append(phrase("answer-always-now", speak, code=fault))
    if answer == "previous":
        none = _without_earlier(journal, job, numbers)
        lines += [phrase("answer-no-earlier", speak, shot=n) for n in none]
    if answer in ALWAYS and not always:
        lines.append(phrase("answer-could-always", speak))
    noted = phrase("answer-noted", speak, about=_about(numbers, mute, speak), answer=word("answer", answer, speak), to=to)
    return [*lines, noted]


def _without_earlier(journal: Journal, job: str, numbers: list[int]) -> list[int]:
    """Those of the shots of which no earlier render could stand in."""
    plan = last_plan(journal, job)
    if plan is None:
        return numbers
    found = earlier_renders(journal, journal.request(job)[0].output, plan, numbers)
    return [n for n in numbers if n not in found]


def _vouch(journal: Journal, job: str, numbers: list[int], speak: Language) -> list[str]:
    """Who wants a file used that is unlike its record has looked at it: from now on its present content is the record."""
    paths = _paths(journal, job, numbers)
    for path in paths:
        Memory(journal).forget_marks(path)
    return [phrase("answer-vouched", speak, path=path) for path in paths]


def _about(numbers: list[int], mute: list[str], speak: Language) -> str:
    if not numbers:
        return phrase("at-sound" if mute else "about-all", speak)
    shots = phrase("about-shots", speak, count=len(numbers), numbers=", ".join(map(str, numbers)))
    return phrase("and-sound", speak, where=shots) if mute else shots


def _faults(journal: Journal, job: str) -> tuple[dict[int, str], dict[str, str]]:
    """Shots that failed in the newest run, with their fault codes; and files whose sound could not be had, with theirs."""
    shots: dict[int, str] = {}
    sounds: dict[str, str] = {}
    for entry in journal.facts(job):
        match entry.fact:
            case RunStarted():
                shots, sounds = {}, {}
            case ProblemFound():
                shots.update(dict.fromkeys(entry.fact.shots, entry.fact.code))
                if entry.fact.clips and entry.fact.path:
                    sounds[entry.fact.path] = entry.fact.code
            case ShotSlated() | ShotMended() | AttemptFailed() if entry.fact.shot:
                shots[entry.fact.shot] = entry.fact.failure.code
            case SoundSilenced() if entry.fact.failure.evidence.path:
                sounds[entry.fact.failure.evidence.path] = entry.fact.failure.code
            case _:
                pass
    return shots, sounds


def _shots(journal: Journal, job: str) -> range:
    planned = journal.last(job, "FilmPlanned")
    count = planned.fact.shots if planned and isinstance(planned.fact, FilmPlanned) else 0
    return range(1, count + 1)


def _paths(journal: Journal, job: str, numbers: list[int]) -> list[str]:
    """Every file that these shots use: a later word about it takes an earlier relink back."""
    plan = last_plan(journal, job)
    return list(dict.fromkeys(shot.path for shot in plan.shots if shot.number in numbers and shot.path)) if plan else []
