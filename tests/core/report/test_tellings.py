"""What people read, word for word: the rendered texts are compared with those that were read and found good."""

from __future__ import annotations

import pytest

from core.messages.template import LANGUAGES
from tests.core.report.tellings import FAULTS, FOLDER, REFUSALS, tellings

CASES = [(name, language) for language in LANGUAGES for name in (*FAULTS, *REFUSALS)]


@pytest.mark.parametrize(("name", "language"), CASES)
def test_a_telling_is_the_one_that_was_found_good(name, language):
    kept = (FOLDER / f"{name}.{language}.txt").read_text(encoding="utf-8")
    assert tellings(language)[name] == kept, (
        "if that was meant: python -m tests.core.report.tellings"
    )


def test_nothing_lies_beside_them():
    assert {path.name for path in FOLDER.iterdir()} == {
        f"{name}.{language}.txt" for name, language in CASES
    }
