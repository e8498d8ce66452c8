"""Short texts that reports, tables and lists share: states, endings, durations, troubles."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from core.messages import catalogue
from core.messages.catalogue import Words
from core.messages.phrases import phrase, what_is_safe
from core.messages.template import Language, decimal, human_bytes, within
from core.report.event_text import word
from core.report.view_model import JobView, State, Trouble
from core.timeline.timeline import Remark

SIGNS: dict[State, str] = {
    "verified": "✓", "reused": "↻", "mended": "◐", "previous": "◁", "slate": "▤", "missing": "✕", "waiting": "…",
}  # fmt: skip
"""The sign shown next to the word for a state; `state_word` returns the word."""


def state_word(state: State, speak: Language = "en") -> str:
    """Return the state of a shot in a word or two."""
    return word("look", state, speak)


class Verdict(NamedTuple):
    """The status of a job: a sign, a word or two, and a sentence."""

    sign: str
    word: str
    sentence: str


ENDINGS = {
    "complete": "✓", "unchanged": "✓", "incomplete": "◐", "failed": "✕", "superseded": "◁", "interrupted": "…", "running": "…",
    "accepted": "…",
}  # fmt: skip
"""The signs for the outcomes of a job view."""


def verdict(told: JobView, speak: Language = "en") -> Verdict:
    """Return the status of a job and what is safe."""
    safe = what_is_safe(verified=told.good, shots=len(told.shots), language=speak)
    match told.outcome:
        case "complete" | "unchanged" if told.by_decision:
            sentence = f"{taken_words(told, speak)} {safe}"
            return Verdict(ENDINGS[told.outcome], phrase("ending-decided", speak), sentence)
        case "complete" | "unchanged":
            sentence = safe
        case "failed":
            why = phrase("verdict-ended", speak)
            if told.code:
                why = catalogue.words(
                    told.code, speak, path=told.detail, detail=told.detail, name=told.detail
                ).message
            sentence = f"{why} {phrase('nothing-published', speak)} {safe}"
        case "incomplete":
            sentence = f"{phrase('verdict-incomplete', speak)} {safe}"
        case "superseded":
            sentence = phrase("verdict-superseded", speak)
        case _:
            sentence = f"{safe} {phrase('verdict-go-on', speak, job=told.job)}"
    return Verdict(ENDINGS.get(told.outcome, "…"), word("ending", told.outcome, speak), sentence)


def taken_words(told: JobView, speak: Language = "en") -> str:
    """Return a sentence about the differences that a person accepted."""
    slates = [shot.number for shot in told.shots if shot.taken and shot.state == "slate"]
    parts = [number for number in told.taken if number not in slates]
    return taken_sentence(slates, parts, len(told.taken_clips), told.taken_remarks, speak)


def taken_sentence(
    slates: list[int], parts: list[int], clips: int, remarks: Iterable[str], speak: Language = "en"
) -> str:
    """Return a sentence about accepted differences.

    `slates` are the numbers of shots that are entirely slates, `parts` those of other accepted
    shots, `clips` is the number of silent clips, and `remarks` are codes.
    """
    said = []
    if slates:
        said.append(
            phrase("taken-slates", speak, count=len(slates), numbers=numbers(slates, speak))
        )
    if parts:
        said.append(phrase("taken-parts", speak, count=len(parts), numbers=numbers(parts, speak)))
    if clips:
        said.append(phrase("taken-sound", speak, count=clips))
    titles = ", ".join(within(catalogue.title_of(code, speak), speak) for code in remarks)
    if titles:
        said.append(phrase("taken-remarks", speak, titles=titles))
    return phrase("taken", speak, what="; ".join(said)) if said else ""


def words_of(trouble: Trouble, language: Language = "en") -> Words:
    """Return the catalogue's texts for a trouble."""
    if trouble.failure is not None:
        return catalogue.explain(trouble.failure, language)
    name = trouble.detail or trouble.path
    return catalogue.words(
        trouble.code, language, path=trouble.path, detail=trouble.detail, name=name
    )


def span(seconds: float, speak: Language = "en") -> str:
    """Format a duration in a precision that suits it: 0.4 s, 12 s, 3:20 min or 1:02 h."""
    if seconds < 10:
        return f"{decimal(seconds, speak)} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = int(seconds / 60 + 0.5) if seconds >= 3600 else int(seconds) // 60
    return (
        f"{minutes // 60}:{minutes % 60:02} h"
        if seconds >= 3600
        else f"{minutes}:{int(seconds) % 60:02} min"
    )


def share(part: float, speak: Language = "en") -> str:
    """Format a share as a percentage."""
    return f"{decimal(100 * part, speak)} %"


def numbers(shots: list[int], speak: Language = "en") -> str:
    """Format shot numbers as ranges: 1, 2, 5 to 9."""
    runs: list[list[int]] = []
    for number in sorted(set(shots)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    said = [
        phrase("from-to", speak, first=run[0], last=run[-1])
        if len(run) > 2
        else ", ".join(map(str, run))
        for run in runs
    ]
    return ", ".join(said)


def remark_words(remark: Remark, language: Language = "en") -> Words:
    """Return the catalogue's texts for a remark, with its fields filled in.

    Byte sizes and numbers are formatted for the language, and the way a file was recognised is put
    into words.
    """
    fields: dict[str, object] = {"name": remark.text, **remark.fields}
    for size in ("read", "compared"):
        if size in fields:
            fields[size] = human_bytes(float(str(fields[size])), language)
    fields |= {
        key: decimal(value, language)
        for key, value in remark.fields.items()
        if isinstance(value, float)
    }
    if remark.code == "source-relinked" and remark.fields:
        fields["how"] = _how(remark, fields, language)
    return catalogue.words(remark.code, language, **fields)


def _how(remark: Remark, fields: dict[str, object], speak: Language) -> str:
    match remark.fields.get("how"):
        case "listed":
            how = phrase("found-listed", speak, path=fields["history"])
        case "compared":
            how = phrase("found-compared", speak, size=fields["compared"])
        case _:
            how = phrase("found-same", speak)
    copies = int(remark.fields.get("copies", 1))
    return how + phrase("found-nearest", speak, count=copies) if copies > 1 else how


def duration(seconds: float | None) -> str:
    """Format seconds as 1:02:03 or 2:03, or a dash for None."""
    if seconds is None:
        return "–"
    whole = int(seconds + 0.5)
    hours, minutes, secs = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{secs:02}" if hours else f"{minutes}:{secs:02}"


def step_title(step: str, total: int, speak: Language) -> str:
    """Return the title of a step before the plan."""
    if step == "find":
        return phrase("looking", speak, count=total)
    if step == "scratch":
        return phrase("waiting-for-scratch", speak)
    if step == "compare":
        return phrase("comparing-media", speak, count=total)
    if step == "settle":
        return phrase("waiting-for-writer", speak, count=total)
    return (
        phrase("waiting-for-media", speak, count=total)
        if step == "wait"
        else phrase("opening", speak)
    )
