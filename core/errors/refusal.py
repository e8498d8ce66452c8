"""Refusals of requests that cannot be understood or must not be carried out.

A refusal ends in a message and exit code 2, never in a traceback.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import msgspec

PartKind = Literal[
    "clip", "gap", "track", "stack", "transition", "item", "media", "timeline", "start"
]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a timeline, as a field of a refusal.

    `name` is empty for a part without a name, and None for a kind of part that never has one.
    """

    kind: PartKind
    name: str | None = None


class Refused(Exception):
    """Refusal of a request.

    `code` is a catalogue code (kebab-case); the fields fill in its message.
    """

    def __init__(self, code: str, **fields: object) -> None:
        super().__init__(code, fields)
        self.code = code
        self.fields = fields

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), self.code, **self.fields), ()
