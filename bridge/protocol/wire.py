"""What is said between companion and clients: messages, limits and the order of a conversation. No sockets.

docs/protocol.md is the specification. Its rules in short:

    1  A message is one frame of JSON, or two: a Chunk is followed by its bytes, a Submit may be by those of its timeline.
    2  The first word is Hello. A companion that does not speak its version says so, and nothing else.
    3  Every request has a name of the client's own choice, and gets exactly one answer that repeats it.
    4  Whoever watches is told what is on record, by sequence number, each after the one it names in `after`.
    5  What does not fit is answered with a Refusal that names its cause. Bytes of strangers never raise out of here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from bridge.protocol.requests import (
    LARGEST_CHUNK,
    LARGEST_HEAD,
    LARGEST_TIMELINE,
    MOST_FRAMES,
    Chunk,
    Hello,
    Message,
    Name,
    Request,
    Submit,
)  # fmt: skip
from bridge.protocol.responses import Said, Saying
from core.errors.refusal import Refused

Buffer = bytes | memoryview
VERSION = "1.2"
"""Major and minor: of another major nothing is understood; a minor adds what `capabilities` name."""
CAPABILITIES = (
    "submit", "watch", "list", "cancel", "resume", "answer", "stop", "describe", "pictures", "stats", "prioritise", "pause",
    "batches", "chunks",
)  # fmt: skip


class Ask(NamedTuple):
    """A request, and the bytes that came with it: a whole timeline or a chunk of one. None: it came alone."""

    message: Request
    data: Buffer | None = None


class _Named(msgspec.Struct):
    request: Name = ""


_encoder = msgspec.json.Encoder()
_requests = msgspec.json.Decoder(Request)
_named = msgspec.json.Decoder(_Named)
_sayings: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Saying)


def encode(message: Message | Said) -> bytes:
    """A message as its frame."""
    return _encoder.encode(message)


def digest(timeline: Buffer) -> str:
    """What `Submit.sha256` says of these bytes."""
    return hashlib.sha256(timeline).hexdigest()


def understood(frames: Sequence[Buffer]) -> Ask | Refused:
    """What a client said, whatever it is. Refused (message-unclear, message-too-large, message-damaged) is returned."""
    if len(frames) > MOST_FRAMES:
        return Refused(
            "message-too-large", detail=f"{len(frames)} parts, at most {MOST_FRAMES} are read"
        )
    if not frames or len(frames[0]) > LARGEST_HEAD:
        return Refused(
            "message-too-large",
            detail=f"{len(frames[0]) if frames else 0} bytes, at most {LARGEST_HEAD} are read",
        )
    try:
        message = _requests.decode(frames[0])
    except (
        msgspec.MsgspecError,
        ValueError,
        RecursionError,
    ) as error:  # ValueError: text that is no UTF-8
        return Refused("message-unclear", detail=_shortened(str(error)))
    data = frames[1] if len(frames) > 1 else None
    if data is None:
        alone = not isinstance(message, Chunk)
        return (
            Ask(message)
            if alone
            else Refused("message-unclear", detail="a Chunk has its bytes as second part")
        )
    if not isinstance(message, Submit | Chunk):
        return Refused("message-unclear", detail="only Submit and Chunk have a second part")
    most = LARGEST_TIMELINE if isinstance(message, Submit) else LARGEST_CHUNK
    if len(data) > most:
        return Refused("message-too-large", detail=f"{len(data)} bytes, at most {most} are read")
    if isinstance(message, Submit) and digest(data) != message.sha256:
        return Refused("message-damaged")
    return Ask(message, data)


def request_name(frames: Sequence[Buffer]) -> str:
    """The name of a request that was not understood, where at least that can be read; else empty."""
    if not frames or len(frames[0]) > LARGEST_HEAD:
        return ""
    try:
        return _named.decode(frames[0]).request
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return ""


def heard(frame: bytes) -> Any:
    """What a companion said: a Saying; None for what a newer one says beyond that, and for what is none of its words."""
    try:
        return _sayings.decode(frame)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def speaks(version: str) -> bool:
    """Whether a client's version is understood here: the same major."""
    return version.split(".")[0] == VERSION.split(".")[0]


class Conversation:
    """One client's side of it, as the companion remembers it: what may be said next."""

    def __init__(self) -> None:
        self.greeted = False

    def admit(self, message: Request) -> Refused | None:
        """Why this may not be said now, if so."""
        if isinstance(message, Hello):
            if not speaks(message.version):
                return Refused("protocol-mismatch", name=_shortened(message.version), known=VERSION)
            self.greeted = True
            return None
        return (
            None
            if self.greeted
            else Refused("message-unclear", detail="the first word must be Hello")
        )


def _shortened(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:200])
