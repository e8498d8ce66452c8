"""Requests from the daemon to its helper processes, and the refusals that all of them send.

Contains the values and their encoding on the pipe.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal, TypeVar

import msgspec

from bridge.protocol.requests import (
    Answer,
    Cancel,
    Describe,
    List,
    Pause,
    Pictures,
    Prioritise,
    Resume,
    Stats,
    Submit,
)
from bridge.protocol.responses import Refusal
from bridge.services import logs
from core.errors.refusal import Refused
from core.messages import refusal_text
from core.messages.template import Language
from core.storage.journal_faults import fault

LENGTHS = struct.Struct(">II")
"""Header of a request: the length of the request and the length of the path of its timeline."""


class Settle(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="is"):
    """The daemon's own request: record the outcome of a job.

    With a `code`, the job failed before it could start.
    """

    request: str
    job: str
    wish: Literal["run", "held", "over"]
    code: str = ""
    detail: str = ""


Errand = Submit | List | Cancel | Resume | Prioritise | Pause | Answer | Settle


class Tell(msgspec.Struct, frozen=True, kw_only=True):
    """The only kind of request to the queries process.

    Contains a client's question, the jobs that are running at this moment, and the jobs that wait
    for another data folder (`holders`: job to folder).
    """

    asked: Describe | Pictures | Stats
    working: tuple[str, ...] = ()
    holders: dict[str, str] = {}


_T = TypeVar("_T")


def packed(errand: Errand | Tell, upload: str = "") -> bytes:
    """Encode a request for the pipe. `upload` is the file with its timeline."""
    head, path = msgspec.json.encode(errand), os.fsencode(upload)
    return LENGTHS.pack(len(head), len(path)) + head + path


def received(pipe: BinaryIO, errands: msgspec.json.Decoder[_T]) -> Iterator[tuple[_T, str]]:
    """Yield each request with the path of its timeline as it arrives, until the pipe is closed."""
    while lengths := pipe.read(LENGTHS.size):
        head, path = LENGTHS.unpack(lengths)
        yield errands.decode(pipe.read(head)), os.fsdecode(pipe.read(path))


def journal_fault(error: Exception, journal: Path) -> Refused:
    """Convert an exception from the journal into a refusal.

    A programming error is logged and reported as one.
    """
    found = fault(error, journal)
    if found is None:
        logs.unforeseen(error)
        return Refused("unforeseen", detail="")
    return found


def refusal(error: Refused, request: str, language: Language) -> Refusal:
    """Convert a refusal into a message with text in `language`."""
    said = refusal_text.refusal(error, language)
    return Refusal(
        re=request, code=error.code, title=said.title, message=said.message, action=said.action
    )
