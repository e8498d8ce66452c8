"""Status of a job as a whole: what a person reads first, in the wording of `hotsplice assemble`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, NamedTuple

from core.messages import catalogue
from core.messages.phrases import phrase, what_is_safe
from core.messages.template import Language, decimal
from core.report.labels import taken_words, words_of
from core.report.view_model import JobView


class JobStatus(NamedTuple):
    """Title, what happened, what is safe, and the best thing to do; the last two may be empty."""

    title: str
    message: str
    safe: str
    action: str


def job_status(
    told: JobView,
    *,
    state: str,
    language: Language = "en",
    old_film: str = "",
    rollback: Literal["", "before", "this"] = "",
    earlier: Collection[int] = (),
    holder: str = "",
    film: str = "",
) -> JobStatus:
    """Return the status of a job.

    `state` is the state in the job list: `waiting`, `working` and `elsewhere` are not in the
    journal. `old_film` is the name of the previous film at that place, if any. `rollback` is what a
    rollback would restore, if anything. `earlier` are the shots for which an earlier good render is
    available. `holder` is the data folder that works on the film, if it is another one. `film` is
    the current location of the film, if better known than from its publication.
    """
    output, speak = told.accepted.output, language
    safe = (
        what_is_safe(verified=told.good, shots=len(told.shots), language=speak)
        if told.shots
        else ""
    )
    if state == "waiting":
        return JobStatus(
            phrase("in-the-queue", speak),
            phrase("made-in-its-turn", speak, output=output),
            safe,
            "",
        )
    if state == "working":
        return JobStatus(
            phrase("under-work", speak), phrase("being-made", speak, output=output), safe, ""
        )
    if state == "elsewhere" and holder:
        words = phrase("waits-for-data-folder", speak, output=output, folder=holder)
        return JobStatus(phrase("made-by-data-folder", speak), words, safe, "")
    if state == "elsewhere":
        return JobStatus(
            phrase("made-elsewhere", speak), phrase("being-made", speak, output=output), safe, ""
        )
    seconds = decimal(round(told.runs[-1].seconds, 1), speak) if told.runs else "0"
    frames = told.planned.frames if told.planned else 0
    place = film or told.place
    made = phrase("made-in", speak, output=place, count=frames, seconds=seconds)
    back = ""
    if place != output:
        made += " " + phrase("beside-complete", speak, output=output)
    if rollback:
        made += " " + phrase("film-kept" if rollback == "before" else "film-aside", speak)
        back = phrase(
            "bring-back" if rollback == "before" else "bring-this-back", speak, output=place
        )
    match told.outcome:
        case "complete" | "unchanged" if told.by_decision:
            what = phrase("this-very-cut", speak, output=place) if told.stood else made
            about = str(told.taken[0]) if len(told.taken) == 1 and not told.taken_remarks else "all"
            undo = phrase("take-back", speak, job=told.job, about=about)
            title = phrase("complete-as-decided", speak)
            return JobStatus(
                title, f"{what} {taken_words(told, speak)}", "", f"{undo} {back}".strip()
            )
        case "complete":
            return JobStatus(phrase("complete", speak), made, "", back)
        case "incomplete" if told.published is not None:
            now = _what_now(told, speak, earlier)
            return JobStatus(
                phrase("incomplete", speak), made, safe, " ".join(filter(None, (now, back)))
            )
        case "unchanged" | "incomplete":
            title, message = (
                phrase("nothing-to-do", speak),
                phrase("this-very-cut", speak, output=place),
            )
            short = any(not shot.good for shot in told.shots)
            return (
                JobStatus(title, message, safe, _what_now(told, speak, earlier))
                if short
                else JobStatus(title, message, "", "")
            )
        case "superseded":
            return JobStatus(
                phrase("overtaken", speak), phrase("newer-cut", speak, output=output), "", ""
            )
        case "failed":
            return _failed(told, speak, old_film)
        case _:
            why = told.detail if told.outcome == "interrupted" else ""
            by_wish = (
                phrase("stopped-by-preference", speak, code=why.removeprefix(_AT)) + " "
                if why.startswith(_AT)
                else ""
            )
            message = by_wish + phrase("can-go-on", speak, job=told.job)
            title = phrase("stopped" if told.outcome == "interrupted" else "unfinished", speak)
            return JobStatus(title, message, safe, phrase("run-resume", speak, job=told.job))


_AT = "stop at "
"""Prefix of the reason when a preference ended the run (`core.engine.user_decisions`)."""


def _failed(told: JobView, language: Language, old_film: str) -> JobStatus:
    said = (
        words_of(told.fatal, language)
        if told.fatal is not None
        else catalogue.words(
            told.code, language, path=told.detail, detail=told.detail, name=told.detail
        )
    )
    published = told.code == "film-not-durable"
    safe = what_is_safe(
        verified=told.good,
        shots=len(told.shots),
        language=language,
        published=published,
        old_film=old_film,
    )
    return JobStatus(
        f"{said.title}.",
        said.message,
        safe if told.shots else phrase("all-untouched", language),
        said.action,
    )


def _what_now(told: JobView, language: Language, earlier: Collection[int]) -> str:
    """Return the advice to fix the problem, or to decide where shots await a decision."""
    mend = phrase("mend-and-run", language)
    short = [shot.number for shot in told.shots if shot.state in ("slate", "mended")]
    previous = "previous" if short and short[0] in earlier else ""
    return (
        f"{mend} {phrase('or-decide', language, job=told.job, shot=short[0], previous=previous)}"
        if short
        else mend
    )
