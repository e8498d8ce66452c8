"""Sentences that belong to no code: both languages have them all, whoever says one exists, and counts are said as counts."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import pytest

from bridge.cli import doctor
from bridge.login.files import State
from bridge.settings.options import OPTIONS
from core.errors.failure import ErrorType, Resembles, Strategy
from core.errors.refusal import PartKind
from core.job.damage_repair import LOCATE
from core.job.events import Answers, Outcomes
from core.job.outcomes import RENDERED_AGAIN
from core.job.retry_policy import AGAIN, LADDERS, LOOK_AGAIN
from core.media.ffmpeg_binary import Origin
from core.messages.phrases import Forms, phrase, phrases, what_is_safe
from core.messages.template import LANGUAGES, fields_of
from core.report import event_text, labels
from core.report.incidents import Ending
from core.storage.output_names import NameFault
from tests.laws.reading import tree

ROOT = Path(__file__).parents[3]
PRODUCT = sorted(
    path for part in ("core", "bridge", "otio_adapters") for path in (ROOT / part).rglob("*.py")
)
ALL = phrases()


def forms(said: str | Forms) -> list[str]:
    return [said.one, said.other] if isinstance(said, Forms) else [said]


def spoken() -> list[tuple[str, set[str], str]]:
    """(name, fields, place) of every phrase the product says."""
    found = []
    for path in PRODUCT:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "phrase":
                given = {k.arg for k in node.keywords if k.arg}
                found += [
                    (name, given, f"{path.relative_to(ROOT)}:{node.lineno}")
                    for name in _names(node.args[0])
                ]
    return found


def _names(node: ast.expr) -> list[str]:
    """The names that an expression can be: a text, either of two, or one of a family (`{kind}-...`)."""
    match node:
        case ast.Constant():
            return [node.value]
        case ast.IfExp():
            return _names(node.body) + _names(node.orelse)
        case _:
            return [
                c.value for c in ast.walk(node) if isinstance(c, ast.Constant) and c.value in ALL
            ]


def reasons() -> list[tuple[str, set[str], str]]:
    """(name, fields, place) of every phrase that is why something is refused: `Refused(..., why=...)`, `invalid(why=...)`."""
    found = []
    for path in PRODUCT:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
                "Refused",
                "TimelineRefused",
                "invalid",
            ):
                given = {k.arg: k.value for k in node.keywords if k.arg}
                names = [f"why-{name}" for name in _names(given["why"])] if "why" in given else []
                found += [
                    (name, set(given), f"{path.relative_to(ROOT)}:{node.lineno}") for name in names
                ]
    return found


SPOKEN = spoken() + reasons()
WORDS = {
    "state": {
        *get_args(Outcomes),
        "accepted",
        "interrupted",
        "unfinished",
        "waiting",
        "working",
        "held",
        "running",
        "elsewhere",
        "refused",
    },
    "answer": set(get_args(Answers)),
    "strategy": {strategy.value.replace("_", " ") for strategy in Strategy},
    "how": {"content", "mhl", "person"},
    "gate": {"source", "scratch", "output", "machine"},
    "look": set(labels.SIGNS),
    "means": set(labels.SIGNS),
    "ending": set(labels.ENDINGS),
    "decided": {"slate", "as it is", "previous", "silence"},
    "work": {"mix", "encode-track", "join", "publish", "validate"},
    "class": {kind.value.replace("_", " ") for kind in ErrorType},
    "after": {ending.replace("-", " ") for ending in get_args(Ending)},
    "login-is": set(get_args(State)),
    "mark": set(doctor.MARKS),
    "right": set(OPTIONS),
    "part": {*get_args(PartKind), "named", "nameless"},
    "change": {change for ladder in LADDERS.values() for change in ladder}
    | {AGAIN, LOCATE, LOOK_AGAIN, RENDERED_AGAIN},
}
"""Words of ours that `story.word` says, by kind."""
FAMILIES = {
    f"{kind}-{'-'.join(value.split())}" for kind, values in WORDS.items() for value in values
}
FAMILIES |= {
    f"why-{fault}" for fault in get_args(NameFault) if fault != "name-not-text"
}  # that one has a code of its own
FAMILIES |= {f"doctor-{origin}" for origin in get_args(Origin)}
FAMILIES |= {f"looks-{how}" for how in get_args(Resembles)}
FAMILIES |= {"kept-complete", "kept-incomplete", "kept-unknown"}  # of a list of kept films


def test_every_word_of_ours_is_known_in_both_languages():
    assert sorted(FAMILIES - set(ALL)) == []
    assert event_text.word("answer", "of tomorrow", "de") == "of tomorrow", (
        "a word of a newer kind is said as it is"
    )


@pytest.mark.parametrize(
    ("name", "given", "where"), SPOKEN, ids=[f"{name} {where}" for name, _, where in SPOKEN]
)
def test_whoever_says_a_phrase_fills_it(name, given, where):
    assert name in ALL, f"{where} says {name}, and phrases.yaml does not know it"
    for language in LANGUAGES:
        for form in forms(getattr(ALL[name], language)):
            assert fields_of(form)[0] <= given, f"{where} leaves a hole in {name}"
        if isinstance(getattr(ALL[name], language), Forms):
            assert "count" in given, f"{where} does not say how many"


def test_no_phrase_is_never_said():
    assert sorted(set(ALL) - {name for name, _, _ in SPOKEN} - FAMILIES) == []


@pytest.mark.parametrize("name", ALL)
def test_both_languages_say_the_same(name):
    english, german = (forms(getattr(ALL[name], language)) for language in LANGUAGES)
    known = {field for form in english for part in fields_of(form) for field in part} | {"count"}
    assert {field for form in german for part in fields_of(form) for field in part} <= known
    assert len(english) == len(german)
    for one, other in zip(english, german, strict=True):
        assert fields_of(one) == fields_of(other)
        assert one.endswith(".") == other.endswith(".")


def test_what_is_safe_is_counted_and_said():
    assert (
        what_is_safe(verified=212, shots=214)
        == "212 of 214 shots are verified; your media was not touched."
    )
    assert (
        what_is_safe(verified=0, shots=1) == "0 of 1 shot is verified; your media was not touched."
    )
    assert what_is_safe(verified=3, shots=4, published=False) == (
        "Nothing was published. 3 of 4 shots are verified; your media was not touched."
    )
    assert what_is_safe(verified=3, shots=4, published=False, old_film="{x}.mov") == (
        "Nothing was published. {x}.mov is as it was. 3 of 4 shots are verified; your media was not touched."
    )
    assert what_is_safe(verified=3, shots=4, old_film="film.mov") == what_is_safe(
        verified=3, shots=4
    ), "the old film was replaced"


def test_what_is_safe_in_german():
    assert what_is_safe(verified=212, shots=214, language="de") == (
        "212 von 214 Einstellungen sind geprüft; Ihre Medien wurden nicht angerührt."
    )
    assert what_is_safe(
        verified=1, shots=1, language="de", published=False, old_film="film.mov"
    ) == (
        "Nichts wurde veröffentlicht. film.mov ist, wie es war. 1 von 1 Einstellung ist geprüft; Ihre Medien wurden nicht angerührt."
    )


@pytest.mark.parametrize(("count", "text"), [(0, "Shots "), (1, "Shot "), (2, "Shots ")])
def test_one_and_many(count, text):
    assert phrase("where-shots", "en", count=count, numbers="").startswith(text.strip())
