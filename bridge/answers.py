"""What a person decides about shots and sounds that failed, put on record: whichever process heard it, a job under work hears it
too.
"""

from __future__ import annotations

from pathlib import Path

from bridge.accounts import last_plan
from core.decide.previous import earlier_render
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
    journal: Journal, job: str, about: str, answer: Answers, *, file: str | None = None, always: bool = False
) -> list[str]:
    """An answer; a job under work hears it within a second. What to tell the person. Refused(answer-unclear)."""
    faults, silent = _faults(journal, job)
    mute = [path for path, code in silent.items() if about in ("all", code)]
    numbers = [int(about)] if about.isdecimal() else [n for n, code in faults.items() if about in ("all", code)]
    if about.isdecimal() and int(about) not in _shots(journal, job):
        raise Refused("answer-unclear", detail=f"job {job} has no shot {about}")
    if not numbers and not mute and about != "all":
        known = ", ".join(sorted({*faults.values(), *silent.values()})) or "none"
        raise Refused("answer-unclear", detail=f"no shot of job {job} failed with {about}; faults are: {known}")
    to = ""
    if answer == "relink":
        if not file:
            raise Refused("answer-unclear", detail="relink needs the file that shall be used")
        to = str(Path(file).expanduser().absolute())
        if not Path(to).is_file():
            raise Refused("answer-unclear", detail=f"{to} is not a file")
    if always and answer not in ALWAYS:
        raise Refused("answer-unclear", detail=f"only {', '.join(ALWAYS)} can be answered always")
    shot = int(about) if about.isdecimal() else 0
    code = "" if shot or about == "all" else about
    paths = list(dict.fromkeys([*_paths(journal, job, numbers), *mute]))
    if to and len(paths) != 1:
        raise Refused("answer-unclear", detail=f"one file can stand for one source; {_about(numbers, mute)} use {len(paths)}")
    said = [Answered(answer=answer, shot=shot, code=code, path=path, to=to) for path in paths or [""]]
    journal.append(job, said, machine.now())
    lines = []
    if answer == "retry":
        lines += _vouch(journal, job, [n for n in numbers if faults.get(n) == UNLIKE])
    if always:
        memory = Memory(journal)
        for fault in dict.fromkeys(faults[n] for n in numbers if n in faults):
            memory.prefer(fault, answer)
            lines.append(f"From now on {fault} is always answered so; hotsplice preferences {fault} ask takes it back.")
    if answer == "previous":
        none = _without_earlier(journal, job, numbers)
        lines += [f"There is no earlier good render of shot {n}; its slate stays." for n in none]
    if answer in ALWAYS and not always:
        lines.append("With --always the same fault is answered so every time; hotsplice preferences takes it back.")
    return [*lines, f"Noted for {_about(numbers, mute)}: {answer}{f' to {to}' if to else ''}."]


def _without_earlier(journal: Journal, job: str, numbers: list[int]) -> list[int]:
    """Those of the shots of which no earlier render could stand in."""
    accepted, _ = journal.request(job)
    plans = Memory(journal).plans_for(accepted.output)
    sealed = journal.seals({segment.key for _, plan in plans for segment in plan.segments})
    newest = next((plan for of, plan in plans if of == job), None)
    if newest is None:
        return numbers
    return [n for n in numbers if earlier_render(newest.shots[n - 1], newest, plans, sealed) is None]


def _vouch(journal: Journal, job: str, numbers: list[int]) -> list[str]:
    """Who wants a file used that is unlike its record has looked at it: from now on its present content is the record."""
    paths = _paths(journal, job, numbers)
    for path in paths:
        Memory(journal).forget_marks(path)
    return [f"{path} is taken for right as it is now." for path in paths]


def _about(numbers: list[int], mute: list[str]) -> str:
    shots = f"shot{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}" if numbers else ""
    return " and ".join(filter(None, (shots, "sound" if mute else ""))) or "all shots"


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
