"""Texts about why a request was refused."""

from __future__ import annotations

from core.errors.refusal import Part, Refused
from core.messages import catalogue
from core.messages.catalogue import Words
from core.messages.phrases import phrase
from core.messages.template import Language


def refusal(error: Refused, language: Language = "en") -> Words:
    """Return the catalogue's texts for a refused request.

    The field `why` is the name of a phrase (without `why-`) that fills the `detail` of the message.
    A `detail` without `why`, such as an error of the operating system, is shown as it is.
    """
    fields = {
        name: _called(value, language) if isinstance(value, Part) else value
        for name, value in error.fields.items()
    }
    why = fields.pop("why", "")
    if why:
        fields["detail"] = phrase(f"why-{why}", language, **fields)
    return catalogue.words(error.code, language, **fields)


def _called(part: Part, language: Language) -> str:
    """Format a part: `Clip “sh010”`, `Gap without a name`, `The timeline`."""
    kind = phrase(f"part-{part.kind}", language)
    if part.name is None:
        return kind
    return phrase(
        "part-named" if part.name else "part-nameless", language, kind=kind, name=part.name
    )
