"""The display's words: all said, in both languages, with the same holes and with a key for each button."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from bridge.tray.words import isolated, lasting, of, say, words
from core.messages.phrases import Forms
from core.messages.template import LANGUAGES, fields_of
from tests.laws.reading import tree

ALL = words()
TRAY = Path(__file__).parents[3] / "bridge" / "tray"
FAMILIES = (
    "job-",
    "shot-",
    "severity-",
    "step-",
    "do-",
    "setting-",
    "figure-",
    "companion-",
    "rollback-",
    "did-rollback-",
    "said-",
    "press-",
)


def forms(said: str | Forms) -> list[str]:
    return [said.one, said.other] if isinstance(said, Forms) else [said]


def constants() -> set[str]:
    trees = (tree(path) for path in TRAY.glob("*.py"))
    return {
        node.value
        for one in trees
        for node in ast.walk(one)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


SAID = constants()


def test_whatever_is_said_is_known():
    for path in TRAY.glob("*.py"):
        for node in ast.walk(tree(path)):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", "") == "say"
                and isinstance(node.args[0], ast.Constant)
            ):
                given = {keyword.arg for keyword in node.keywords}
                name = node.args[0].value
                assert name in ALL, f"{path.name}:{node.lineno} says {name}"
                for language in LANGUAGES:
                    for form in forms(getattr(ALL[name], language)):
                        assert fields_of(form)[0] <= given, (
                            f"{path.name}:{node.lineno} leaves a hole in {name}"
                        )


def test_no_word_is_never_said():
    unsaid = {name for name in ALL if name not in SAID and not name.startswith(FAMILIES)}
    assert not unsaid


@pytest.mark.parametrize("name", sorted(ALL))
def test_both_languages_have_the_same_holes(name):
    english, german = (forms(getattr(ALL[name], language)) for language in LANGUAGES)
    assert len(english) == len(german)
    for one, other in zip(english, german, strict=True):
        assert fields_of(one) == fields_of(other)
        assert one.endswith(".") == other.endswith("."), name
        assert ("&" in one) == ("&" in other), (
            f"{name} can be reached by a key in one language only"
        )


def test_time_is_said_in_one_unit():
    assert [lasting(s, "en") for s in (0.2, 59, 100, 3000, 5400)] == [
        "1 s",
        "59 s",
        "2 min",
        "50 min",
        "1.5 h",
    ]


def test_a_word_of_tomorrow_is_said_as_it_is():
    assert of("job", "dreaming", "de") == "dreaming" and of("job", "failed", "de") == "gescheitert"


def test_a_name_read_from_right_to_left_is_isolated_within_a_sentence():
    assert isolated("plain") == "plain"
    assert say("shot-named", "en", number=3, name="שוט") == "Shot 3: \u2068שוט\u2069"
