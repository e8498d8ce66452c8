"""Records user decisions about failed shots and sounds.

Whichever process receives a decision, a running job gets it too.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from bridge.services.job_accounts import earlier_renders, last_plan
from core.errors.refusal import Refused
from core.job.decisions import Terms
from core.job.events import (
    Answered,
    Answers,
    AttemptFailed,
    FilmPlanned,
    JobFinished,
    ProblemFound,
    RunInterrupted,
    RunStarted,
    ShotMended,
    ShotSlated,
    SoundSilenced,
)
from core.messages.phrases import phrase
from core.messages.template import Language
from core.report.event_text import word
from core.storage.history import History
from core.storage.jobs import is_open, runs_of_film
from core.storage.journal import Journal
from core.system import machine

UNLIKE = "source-unlike-record"
ALWAYS = ("skip", "previous", "stop")
"""Decisions that can become a standing preference.

A retry cannot, because it would go on for ever; a relink names another file each time.
"""


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
    """Record a user decision; a running job reads it within a second.

    Returns what to tell the person, in language `speak`. The list is empty if the decision is
    already on record and the run that followed it was cut off. Raises Refused(answer-unclear).
    """
    found = _faults(journal, job)
    faults, silent = found.shots, found.files
    mute = [path for path, code in silent.items() if about in ("all", code)]
    numbers = (
        [int(about)]
        if about.isdecimal()
        else [n for n, code in faults.items() if about in ("all", code)]
    )
    if about.isdecimal() and int(about) not in _shots(journal, job):
        raise Refused("answer-unclear", why="no-such-shot", job=job, shot=about)
    if not numbers and not mute and _is_on_record(journal, job, about, answer, file):
        return []
    losses = _losses(journal, job)
    if not numbers and not mute and about not in ("all", *losses):
        known = ", ".join(sorted({*faults.values(), *silent.values(), *losses}))
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
        raise Refused(
            "answer-unclear", why="one-file", about=_about(numbers, mute, speak), count=len(paths)
        )
    terms = _terms(
        journal, job, [n for n in numbers if shot or n in found.short], mute, found.clips, about
    )
    said = [
        Answered(answer=answer, shot=shot, code=code, path=path, to=to, terms=terms)
        for path in paths or [""]
    ]
    journal.append(job, said, machine.now())
    lines = []
    if answer == "retry":
        lines += _vouch(journal, job, [n for n in numbers if faults.get(n) == UNLIKE], speak)
    if always:
        memory = History(journal)
        for fault in dict.fromkeys(faults[n] for n in numbers if n in faults):
            memory.prefer(fault, answer)
            lines.append(phrase("answer-always-now", speak, code=fault))
    if answer == "previous":
        none = _without_earlier(journal, job, numbers)
        lines += [phrase("answer-no-earlier", speak, shot=n) for n in none]
    if answer in ALWAYS and not always:
        lines.append(phrase("answer-could-always", speak))
    noted = phrase(
        "answer-noted",
        speak,
        about=_about(numbers, mute, speak),
        answer=word("answer", answer, speak),
        to=to,
    )
    return [*lines, noted]


def _is_on_record(journal: Journal, job: str, about: str, answer: str, file: str | None) -> bool:
    """Return whether this decision was the last one about a job that has not ended since."""
    last = journal.last(job, "Answered")
    if last is None or not isinstance(last.fact, Answered) or not is_open(journal, job):
        return False
    to = str(Path(os.path.expanduser(file)).absolute()) if file and answer == "relink" else ""
    said = str(last.fact.shot or last.fact.code or "all")
    return (last.fact.answer, last.fact.to, said) == (answer, to, about)


def _terms(
    journal: Journal,
    job: str,
    numbers: list[int],
    mute: list[str],
    silent: dict[str, str],
    about: str,
) -> tuple[str, ...]:
    """Return the terms of everything that a decision is about.

    These are the shots with their own sound, the `silent` clips of the files in `mute`, and what
    the film cannot carry of the timeline.
    """
    plan = last_plan(journal, job)
    if plan is None:
        return ()
    terms = Terms(plan)
    clips = {clip for clip, path in silent.items() if path in mute}
    clips |= {
        clip for number in numbers for clip in terms.heard_with.get(number, ()) if clip in silent
    }
    found = [terms.shots[number] for number in numbers if number in terms.shots]
    found += [terms.clips[clip] for clip in sorted(clips) if clip in terms.clips]
    found += [term for remark, term in terms.remarks.items() if about in ("all", remark.code)]
    return tuple(found)


def continued(journal: Journal, job: str) -> str:
    """Return the job that continues after a decision about this one.

    It is the newest job for the same film of the same cut.

    Raises Refused(answer-unclear) if a newer cut has taken over the film.
    """
    accepted = journal.accepted(job)
    runs = runs_of_film(journal, accepted.output)
    same = [one for one, digest in runs if digest == accepted.digest]
    film = journal.film(accepted.output)
    stands = journal.published(film.film_hash) if film else None
    if stands is None or stands[0] not in same:
        later = [one for one, _ in runs][[one for one, _ in runs].index(same[-1]) + 1 :]
        newer = next((one for one in reversed(later) if _takes_over(journal, one)), None)
        if newer is not None:
            raise Refused("answer-unclear", why="newer-cut", job=job, newer=newer)
    return same[-1]


def _takes_over(journal: Journal, job: str) -> bool:
    last = journal.last(job, "JobFinished", "RunStarted", "RunInterrupted")
    match last.fact if last else None:
        case JobFinished(outcome=outcome):
            return outcome not in ("failed", "superseded")
        case RunInterrupted(reason=reason):
            return reason != "cancelled"
        case _:
            return True


def _without_earlier(journal: Journal, job: str, numbers: list[int]) -> list[int]:
    """Return those of the shots for which no earlier render is available."""
    plan = last_plan(journal, job)
    if plan is None:
        return numbers
    found = earlier_renders(journal, journal.accepted(job).output, plan, numbers)
    return [n for n in numbers if n not in found]


def _vouch(journal: Journal, job: str, numbers: list[int], speak: Language) -> list[str]:
    """Accept the present content of files that differ from their record.

    A person who wants such a file used has looked at it; from now on its present content is the
    record.
    """
    paths = _paths(journal, job, numbers)
    for path in paths:
        History(journal).forget_marks(path)
    return [phrase("answer-vouched", speak, path=path) for path in paths]


def _about(numbers: list[int], mute: list[str], speak: Language) -> str:
    if not numbers:
        return phrase("at-sound" if mute else "about-all", speak)
    shots = phrase("about-shots", speak, count=len(numbers), numbers=", ".join(map(str, numbers)))
    return phrase("and-sound", speak, where=shots) if mute else shots


class _Found(NamedTuple):
    """What failed in the newest run.

    `shots` maps shots to fault codes, and `short` has those of them that are not whole. `files`
    maps each file whose sound is missing to a fault code, and `clips` maps each silent clip to that
    file.
    """

    shots: dict[int, str]
    short: set[int]
    files: dict[str, str]
    clips: dict[str, str]


def _faults(journal: Journal, job: str) -> _Found:
    found = _Found({}, set(), {}, {})
    for entry in journal.facts(job):
        match entry.fact:
            case RunStarted():
                found = _Found({}, set(), {}, {})
            case ProblemFound() as fact:
                found.shots.update(dict.fromkeys(fact.shots, fact.code))
                found.short.update(fact.shots)
                found.clips.update(dict.fromkeys(fact.clips, fact.path))
                if fact.clips and fact.path:
                    found.files[fact.path] = fact.code
            case ShotSlated() | ShotMended() | AttemptFailed() as fact if fact.shot:
                found.shots[fact.shot] = fact.failure.code
                if not isinstance(fact, AttemptFailed):
                    found.short.add(fact.shot)
            case SoundSilenced() as fact if fact.failure.evidence.path:
                found.files[fact.failure.evidence.path] = fact.failure.code
                found.clips[fact.clip] = fact.failure.evidence.path
            case _:
                pass
    return found


def _losses(journal: Journal, job: str) -> set[str]:
    """Return the codes of what the film cannot carry of the timeline."""
    plan = last_plan(journal, job)
    return {remark.code for remark in plan.remarks if remark.severity == "loss"} if plan else set()


def _shots(journal: Journal, job: str) -> range:
    planned = journal.last(job, "FilmPlanned")
    count = planned.fact.shots if planned and isinstance(planned.fact, FilmPlanned) else 0
    return range(1, count + 1)


def _paths(journal: Journal, job: str, numbers: list[int]) -> list[str]:
    """Return every file that these shots use.

    A later decision about such a file cancels an earlier relink.
    """
    plan = last_plan(journal, job)
    return (
        list(
            dict.fromkeys(shot.path for shot in plan.shots if shot.number in numbers and shot.path)
        )
        if plan
        else []
    )
