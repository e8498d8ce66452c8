"""Why a request was refused, in words of the language."""

from __future__ import annotations

from core.errors.refusal import Part, Refused
from core.messages import catalogue
from core.messages.catalogue import Words
from core.messages.phrases import phrase
from core.messages.template import Language


def refusal(error: Refused, language: Language = "en") -> Words:
    """The catalogue's words. A field `why` is the name of a phrase (without `why-`), which fills the message's `detail`; what
    has a `detail` of its own comes from elsewhere, as a system's error does, and is said as it is."""
    fields = {
        name: _called(value, language) if isinstance(value, Part) else value
        for name, value in error.fields.items()
    }
    why = fields.pop("why", "")
    if why:
        fields["detail"] = phrase(f"why-{why}", language, **fields)
    return catalogue.words(error.code, language, **fields)


def _called(part: Part, language: Language) -> str:
    """`Clip “sh010”`, `Gap without a name`, `The timeline`."""
    kind = phrase(f"part-{part.kind}", language)
    if part.name is None:
        return kind
    return phrase(
        "part-named" if part.name else "part-nameless", language, kind=kind, name=part.name
    )
