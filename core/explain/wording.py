"""Short words that reports, tables and lists have in common: states, endings, lengths of time, what a trouble means."""

from __future__ import annotations

from typing import NamedTuple

from core.explain import catalogue
from core.explain.catalogue import Words
from core.explain.filling import Language
from core.explain.phrases import what_is_safe
from core.explain.tales import Chronicle, State, Trouble
from core.model.failure import Recovery

STATES: dict[State, tuple[str, str, str]] = {
    "verified": ("✓", "verified", "made and checked"),
    "reused": ("↻", "reused", "from a checkpoint that was checked again"),
    "mended": ("◐", "mended", "good part kept, slates for the rest"),
    "previous": ("◁", "earlier render", "an earlier good render stands in"),
    "slate": ("▤", "slate", "a card of exact length stands in"),
    "missing": ("✕", "missing", "the job ended without it"),
    "waiting": ("…", "waiting", "not made yet"),
}
"""Sign, word, and what it means."""


class Verdict(NamedTuple):
    """How it stands: a sign, a word or two, and a sentence."""

    sign: str
    word: str
    sentence: str


_ENDINGS = {
    "complete": ("✓", "Complete and verified"),
    "unchanged": ("✓", "Verified, nothing to do"),
    "incomplete": ("◐", "Published, incomplete"),
    "failed": ("✕", "Failed"),
    "superseded": ("◁", "Replaced by a newer cut"),
    "interrupted": ("…", "Stopped on request"),
    "running": ("…", "Not finished"),
    "accepted": ("…", "Not begun"),
}


def verdict(told: Chronicle) -> Verdict:
    """How the job stands, and what is safe."""
    sign, word = _ENDINGS.get(told.outcome, ("…", told.outcome))
    safe = what_is_safe(verified=told.good, shots=len(told.shots))
    match told.outcome:
        case "complete" | "unchanged":
            sentence = safe
        case "failed":
            why = catalogue.words(told.code, path=told.detail, detail=told.detail, name=told.detail) if told.code else None
            sentence = f"{why.message if why else 'The job ended.'} Nothing was published. {safe}"
        case "incomplete":
            sentence = f"The film stands where it was asked for, but not as asked for. {safe}"
        case "superseded":
            sentence = "A newer cut for the same place took over; what was made is kept for it."
        case _:
            sentence = f"{safe} Run hotsplice resume {told.job} to go on."
    return Verdict(sign, word, sentence)


_STRATEGIES = {
    "retry_with_backoff": "tried again, each time a little later",
    "wait_and_retry": "waited for",
    "skip_and_report": "left out and reported",
    "provide_user_feedback": "left to a person",
    "cleanup_and_retry": "tried again with less",
    "graceful_degradation": "done in a plainer way",
}


def strategy(recovery: Recovery) -> str:
    """The strategy, in words."""
    return _STRATEGIES.get(recovery.strategy.value, recovery.strategy.value)


def opening(words: str) -> str:
    """As they begin a sentence; names in them stay as they are."""
    return words[:1].upper() + words[1:]


def words_of(trouble: Trouble, language: Language = "en") -> Words:
    """The catalogue's words for a trouble."""
    if trouble.failure is not None:
        return catalogue.explain(trouble.failure, language)
    name = trouble.detail or trouble.path
    return catalogue.words(trouble.code, language, path=trouble.path, detail=trouble.detail, name=name)


def span(seconds: float) -> str:
    """0.4 s, 12 s, 3:20 min or 1:02 h: as long as it is worth."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = int(seconds / 60 + 0.5) if seconds >= 3600 else int(seconds) // 60
    return f"{minutes // 60}:{minutes % 60:02} h" if seconds >= 3600 else f"{minutes}:{int(seconds) % 60:02} min"


def share(part: float) -> str:
    """A share as per cent."""
    return f"{100 * part:.1f} %"


def numbers(shots: list[int]) -> str:
    """1, 2 and 5 to 9."""
    runs: list[list[int]] = []
    for number in sorted(set(shots)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    said = [f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return ", ".join(said)
