"""What the companion has its clerk and its teller do, and how all of them say no. Values and their bytes on the pipe between."""

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
"""Before an errand: the lengths of its request and of the path of its timeline."""


class Settle(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="is"):
    """The companion's own request: what becomes of a job. With a `code` it has failed before it could begin."""

    request: str
    job: str
    wish: Literal["run", "held", "over"]
    code: str = ""
    detail: str = ""


Errand = Submit | List | Cancel | Resume | Prioritise | Pause | Answer | Settle


class Tell(msgspec.Struct, frozen=True, kw_only=True):
    """The teller's only errand: what a client wants to know, which jobs are under work at this moment, and which wait for
    another data folder (`holders`: the job, the folder)."""

    asked: Describe | Pictures | Stats
    working: tuple[str, ...] = ()
    holders: dict[str, str] = {}


_T = TypeVar("_T")


def packed(errand: Errand | Tell, upload: str = "") -> bytes:
    """An errand as it is read at the other end. `upload` is the file with its timeline."""
    head, path = msgspec.json.encode(errand), os.fsencode(upload)
    return LENGTHS.pack(len(head), len(path)) + head + path


def received(pipe: BinaryIO, errands: msgspec.json.Decoder[_T]) -> Iterator[tuple[_T, str]]:
    """Errands with the files of their timelines as they come in, until the pipe is closed."""
    while lengths := pipe.read(LENGTHS.size):
        head, path = LENGTHS.unpack(lengths)
        yield errands.decode(pipe.read(head)), os.fsdecode(pipe.read(path))


def journal_fault(error: Exception, journal: Path) -> Refused:
    """Why an exception kept something from being recorded or read; an error of the program is logged and named as one."""
    found = fault(error, journal)
    if found is None:
        logs.unforeseen(error)
        return Refused("unforeseen", detail="")
    return found


def refusal(error: Refused, request: str, language: Language) -> Refusal:
    """No, in words."""
    said = refusal_text.refusal(error, language)
    return Refusal(
        re=request, code=error.code, title=said.title, message=said.message, action=said.action
    )
