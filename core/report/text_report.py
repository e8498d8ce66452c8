"""Render a job view as plain text: a list of the shots, and the events in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.messages.phrases import phrase
from core.messages.template import Language, decimal
from core.report.event_text import sentence, word
from core.report.incidents import Entry
from core.report.labels import span, state_word, verdict, words_of
from core.report.view_model import JobView


def listing(
    told: JobView, entries: Sequence[Entry], moment: Callable[[float], str], speak: Language = "en"
) -> str:
    """Return the text of the whole job; control characters in names are replaced."""
    said, took = verdict(told, speak), told.figures
    lines = [
        phrase("list-job", speak, job=told.job, word=said.word, sentence=said.sentence),
        phrase(
            "list-frames", speak, count=took.frames, made=took.frames_made, copied=took.frames_copied, reused=took.frames_reused,
            saved=span(took.saved_s, speak),
        ),
        phrase(
            "list-worked", speak, worked=span(took.worked_s, speak), count=len(told.runs), failures=took.failures,
            retries=took.retries,
        ),
        "",
        phrase("list-shots", speak),
    ]  # fmt: skip
    for shot in told.shots:
        name = phrase("gap", speak) if shot.gap else shot.name
        state, at = state_word(shot.state, speak), told.timecode(shot.record_in)
        lines.append(f"  {shot.number:5}  {state:18}  {at:11}  {shot.frames:7}  {name}")
        for trouble in shot.troubles:
            words, where = words_of(trouble, speak), told.timecode(trouble.frame)
            told_so = phrase(
                "list-trouble",
                speak,
                title=words.title,
                timecode=where,
                message=words.message,
                action=words.action,
            )
            lines.append(f"{'':9}{told_so}")
    lines += ["", phrase("list-troubles", speak)]
    for one in told.episodes:
        ending, seconds = word("after", one.ending, speak), decimal(one.seconds, speak)
        ended = phrase("list-episode", speak, failures=one.failures, ending=ending, seconds=seconds)
        lines.append(f"  {one.code:24}  {one.what}  {ended}")
    lines += ["", phrase("list-story", speak)]
    lines += [
        f"{moment(entry.at)}  {entry.seq:6}  {sentence(entry.fact, speak)}" for entry in entries
    ]
    return "".join("".join(c if c.isprintable() else "?" for c in line) + "\n" for line in lines)
