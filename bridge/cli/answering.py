"""`answer`, `preferences` and `cures`: what a person decides about a fault, now or always, and what helped on this machine."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from rich.console import Console
from rich.table import Table

from bridge.cli.console import plain_console, safe
from bridge.cli.house import Place, place
from bridge.cli.run import find_job, run_again
from bridge.cli.summary import REFUSED, refusal
from core.decide.diagnosis import TABLE
from core.decide.previous import earlier_render
from core.explain import catalogue
from core.model.facts import Answered, Answers, AttemptFailed, FilmPlanned, ProblemFound, ShotSlated
from core.model.refusal import Refused
from core.perform import machine
from core.record.journal import Journal
from core.record.memory import Memory

ANSWERS: tuple[Answers, ...] = get_args(Answers)
UNLIKE = "source-unlike-record"
_ALWAYS = ("skip", "previous", "stop")
"""What can be preferred always: trying again for ever cannot, and another file is another one each time."""


def run(arguments: argparse.Namespace) -> int:
    """The exit code of the run that follows an answer; 0 when nothing follows; 2 when it cannot be understood."""
    console = plain_console()
    try:
        where = place()
        journal = where.journal()
        try:
            match arguments.verb:
                case "preferences":
                    return _preferences(Memory(journal), arguments.code, arguments.answer, console)
                case "cures":
                    return _cures(Memory(journal), arguments.reset, console)
                case _:
                    job = find_job(journal, arguments.job)
                    a = arguments
                    for line in put_on_record(journal, job, a.about, a.answer, file=a.file, always=a.always):
                        console.print(safe(line))
        finally:
            journal.close()
        if arguments.answer == "stop":
            console.print("A job that is under work stops now, and can be resumed; one that is not, rests.")
        return 0 if arguments.later or arguments.answer == "stop" else _go_on(where, job, arguments, console)
    except Refused as error:
        said = refusal(error)
        console.print(f"[red]{said['title']}[/] {safe(said['message'])}\n{safe(said['action'])}")
        return REFUSED


def put_on_record(
    journal: Journal, job: str, about: str, answer: Answers, *, file: str | None = None, always: bool = False
) -> list[str]:
    """An answer; a job under work hears it within a second. What to tell the person. Refused(answer-unclear)."""
    faults = _faults(journal, job)
    numbers = [int(about)] if about.isdecimal() else [n for n, code in faults.items() if about in ("all", code)]
    if about.isdecimal() and int(about) not in _shots(journal, job):
        raise Refused("answer-unclear", detail=f"job {job} has no shot {about}")
    if not numbers and about != "all":
        known = ", ".join(sorted(set(faults.values()))) or "none"
        raise Refused("answer-unclear", detail=f"no shot of job {job} failed with {about}; faults are: {known}")
    to = ""
    if answer == "relink":
        if not file:
            raise Refused("answer-unclear", detail="relink needs the file that shall be used")
        to = str(Path(file).expanduser().absolute())
        if not Path(to).is_file():
            raise Refused("answer-unclear", detail=f"{to} is not a file")
    if always and answer not in _ALWAYS:
        raise Refused("answer-unclear", detail=f"only {', '.join(_ALWAYS)} can be answered always")
    shot = int(about) if about.isdecimal() else 0
    code = "" if shot or about == "all" else about
    paths = _paths(journal, job, numbers) if to else _all_paths(journal, job, numbers) or [""]
    said = [Answered(answer=answer, shot=shot, code=code, path=path, to=to) for path in paths]
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
    if answer in _ALWAYS and not always:
        lines.append("With --always the same fault is answered so every time; hotsplice preferences takes it back.")
    return [*lines, f"Noted for {_about(numbers)}: {answer}{f' to {to}' if to else ''}."]


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
    paths = _all_paths(journal, job, numbers)
    for path in paths:
        Memory(journal).forget_marks(path)
    return [f"{path} is taken for right as it is now." for path in paths]


def _about(numbers: list[int]) -> str:
    return f"shot{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}" if numbers else "all shots"


def _faults(journal: Journal, job: str) -> dict[int, str]:
    """Shots that failed in the newest run, with their fault codes."""
    found: dict[int, str] = {}
    for entry in journal.facts(job):
        match entry.fact:
            case ProblemFound():
                found.update(dict.fromkeys(entry.fact.shots, entry.fact.code))
            case ShotSlated() | AttemptFailed() if entry.fact.shot:
                found[entry.fact.shot] = entry.fact.failure.code
            case _:
                pass
    return found


def _shots(journal: Journal, job: str) -> range:
    planned = journal.last(job, "FilmPlanned")
    count = planned.fact.shots if planned and isinstance(planned.fact, FilmPlanned) else 0
    return range(1, count + 1)


def _all_paths(journal: Journal, job: str, numbers: list[int]) -> list[str]:
    """Every file that these shots use: a later word about it takes an earlier relink back."""
    planned = journal.last(job, "FilmPlanned")
    plan = Memory(journal).plan(job, planned.fact.cut) if planned and isinstance(planned.fact, FilmPlanned) else None
    return list(dict.fromkeys(shot.path for shot in plan.shots if shot.number in numbers and shot.path)) if plan else []


def _paths(journal: Journal, job: str, numbers: list[int]) -> list[str]:
    """The media of these shots, as the timeline names them. Refused when they have several, or none."""
    paths = _all_paths(journal, job, numbers)
    if len(paths) != 1:
        raise Refused("answer-unclear", detail=f"one file can stand for one source; {_about(numbers)} use {len(paths)}")
    return paths


def _go_on(where: Place, job: str, arguments: argparse.Namespace, console: Console) -> int:
    try:
        return run_again(where, job)
    except Refused as error:
        if error.code != "job-running":
            raise
        console.print("The job is under work and hears it now.")
        return 0


def _preferences(memory: Memory, code: str | None, answer: str | None, console: Console) -> int:
    if code is not None:
        if code not in {row.code for row in TABLE} | {"unknown"}:
            raise Refused("answer-unclear", detail=f"there is no fault {code}")
        if answer not in (*_ALWAYS, "ask"):
            raise Refused("answer-unclear", detail=f"a preference is one of {', '.join(_ALWAYS)}, ask")
        memory.prefer(code, None if answer == "ask" else answer)  # type: ignore[arg-type]
    known = memory.preferences()
    if not known:
        console.print("Nothing is answered by itself; you are told of everything.")
        return 0
    table = Table("Fault", "Title", "Always", box=None, pad_edge=False)
    for fault, always in known.items():
        table.add_row(fault, catalogue.title_of(fault), always)
    console.print(table)
    return 0


def _cures(memory: Memory, reset: bool, console: Console) -> int:
    if reset:
        memory.forget_cures()
    known = memory.cures()
    if not known:
        console.print("Nothing had to be cured on this machine yet.")
        return 0
    table = Table("Fault", "What was changed", "Helped", "Did not", box=None, pad_edge=False)
    for cure in known:
        table.add_row(cure.code, cure.change, str(cure.cured), str(cure.failed))
    console.print(table)
    return 0
