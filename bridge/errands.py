"""What the companion has its clerk do, and how both say no. Values and their bytes on the pipe between the two."""

from __future__ import annotations

import struct
from typing import Literal

import msgspec

from bridge.requests import Answer, Cancel, List, Pause, Prioritise, Resume, Submit
from bridge.sayings import Refusal
from core.explain import catalogue
from core.explain.filling import Language
from core.model.refusal import Refused
from otio_adapters.refused import TimelineRefused

LENGTHS = struct.Struct(">II")
"""Before an errand: the lengths of its request and of its timeline."""


class Settle(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="is"):
    """The companion's own request: what becomes of a job. With a `code` it has failed before it could begin."""

    request: str
    job: str
    wish: Literal["run", "held", "over"]
    code: str = ""
    detail: str = ""


Errand = Submit | List | Cancel | Resume | Prioritise | Pause | Answer | Settle


def packed(errand: Errand, timeline: bytes = b"") -> bytes:
    """An errand as the clerk reads it."""
    head = msgspec.json.encode(errand)
    return LENGTHS.pack(len(head), len(timeline)) + head + timeline


def refusal(error: Refused | TimelineRefused, request: str, language: Language) -> Refusal:
    """No, in words."""
    if isinstance(error, TimelineRefused):
        said = catalogue.words(error.code, language, detail=error.message)
    else:
        said = catalogue.words(error.code, language, **error.fields)
    return Refusal(re=request, code=error.code, title=said.title, message=said.message, action=said.action)
