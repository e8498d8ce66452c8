"""The protocol between the daemon and its clients: messages, limits, order. No sockets.

docs/protocol.md is the specification. Its rules in short:

    1  A message is one frame of JSON, or two frames: a Chunk is followed by its bytes, and a Submit
       may be followed by the bytes of its timeline.
    2  The first message is Hello. A daemon that does not speak the client's version says so, and
       nothing else.
    3  Every request has a name chosen by the client, and gets exactly one answer, which repeats it.
    4  Each watcher is sent the recorded events by sequence number; each event names the
       number before it in `after`.
    5  An invalid message is answered with a Refusal that names its cause. Bytes from a client never
       raise an exception out of this module.
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
"""Major and minor version.

Another major version is not understood; a minor version adds what `capabilities` names.
"""
CAPABILITIES = (
    "submit", "watch", "list", "cancel", "resume", "answer", "stop", "describe", "pictures", "stats", "prioritise", "pause",
    "batches", "chunks",
)  # fmt: skip


class Ask(NamedTuple):
    """A request and the bytes that came with it.

    `data` is a whole timeline or a chunk of one; None if the request came alone.
    """

    message: Request
    data: Buffer | None = None


class _Named(msgspec.Struct):
    request: Name = ""


_encoder = msgspec.json.Encoder()
_requests = msgspec.json.Decoder(Request)
_named = msgspec.json.Decoder(_Named)
_sayings: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Saying)


def encode(message: Message | Said) -> bytes:
    """Encode a message as one frame."""
    return _encoder.encode(message)


def digest(timeline: Buffer) -> str:
    """Return the digest of a timeline, as `Submit.sha256` holds it."""
    return hashlib.sha256(timeline).hexdigest()


def understood(frames: Sequence[Buffer]) -> Ask | Refused:
    """Decode the frames of a client's message, whatever they contain.

    An invalid message is returned, not raised, as Refused(message-unclear, message-too-large,
    message-damaged).
    """
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
    ) as error:  # ValueError: text that is not UTF-8
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
    """Return the name of a request that was not understood; empty if it cannot be read."""
    if not frames or len(frames[0]) > LARGEST_HEAD:
        return ""
    try:
        return _named.decode(frames[0]).request
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return ""


def heard(frame: bytes) -> Any:
    """Decode a frame from the daemon.

    Returns None for an invalid message, and for one that only a newer daemon knows.
    """
    try:
        return _sayings.decode(frame)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def speaks(version: str) -> bool:
    """Return whether a client's version is understood here: its major version must be the same."""
    return version.split(".")[0] == VERSION.split(".")[0]


class Conversation:
    """The daemon's state of one client's conversation: which messages are allowed next."""

    def __init__(self) -> None:
        self.greeted = False

    def admit(self, message: Request) -> Refused | None:
        """Return why this message is not allowed now, or None if it is allowed."""
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
