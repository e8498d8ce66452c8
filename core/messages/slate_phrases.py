"""The words on slates. Names and numbers are added where a slate is decided on."""

from __future__ import annotations

from functools import partial

from core.messages import catalogue
from core.messages.phrases import phrase
from core.messages.template import Language
from core.plan.slate_text import SlateWords


def slate_words(language: Language = "en") -> SlateWords:
    """Return the words on slates in this language."""
    return SlateWords(
        title_of=partial(catalogue.title_of, language=language),
        shot=phrase("slate-shot", language),
        unnamed=phrase("slate-unnamed", language),
        to=phrase("slate-to", language),
        source_frame=phrase("slate-source-frame", language),
    )
