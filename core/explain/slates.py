"""The words of slates, in the language. Names and numbers are put beside them where a slate is decided on."""

from __future__ import annotations

from functools import partial

from core.decide.slating import SlateWords
from core.explain import catalogue
from core.explain.filling import Language
from core.explain.phrases import phrase


def slate_words(language: Language = "en") -> SlateWords:
    """What stands on slates."""
    return SlateWords(
        title_of=partial(catalogue.title_of, language=language),
        shot=phrase("slate-shot", language),
        unnamed=phrase("slate-unnamed", language),
        to=phrase("slate-to", language),
        source_frame=phrase("slate-source-frame", language),
    )
