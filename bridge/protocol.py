"""What is said between companion and clients: messages, limits and the order of a conversation. No sockets.

docs/protocol.md is the specification. Its rules in short:

    1  A message is one frame of JSON, or two: a Submit is followed by the bytes of its timeline.
    2  The first word is Hello. A companion that does not speak its version says so, and nothing else.
    3  Every request has a name of the client's own choice, and gets exactly one answer that repeats it.
    4  Whoever watches is told what is on record, by sequence number, each after the one it names in `after`.
    5  What does not fit is answered with a Refusal that names its cause. Bytes of strangers never raise out of here.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, get_args

import msgspec

from core.model.refusal import Refused

VERSION = "1.0"
"""Major and minor: of another major nothing is understood; a minor adds what `capabilities` name."""
CAPABILITIES = ("submit", "watch", "list", "cancel", "resume", "answer", "stop")
LARGEST_HEAD = 64 * 1024
LARGEST_TIMELINE = 64 * 1024 * 1024
LARGEST_FRAME = LARGEST_TIMELINE + 1024
MOST_FRAMES = 2
MOST_LISTED = 1000

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[\w.:-]+$")]
Job = Annotated[str, msgspec.Meta(min_length=1, max_length=32, pattern=r"^[a-z0-9]+$")]
Text = Annotated[str, msgspec.Meta(max_length=500)]
Path = Annotated[str, msgspec.Meta(max_length=4096, pattern=r"^[^\x00]*$")]
Seq = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="is", forbid_unknown_fields=True):
    """Base of what clients say: what is not understood might matter, so it is refused."""

    request: Name


class Hello(Message, frozen=True):
    """The first word: the protocol's version, who speaks, and what the client can do with answers."""

    version: Annotated[str, msgspec.Meta(max_length=20)]
    client: Text = ""
    capabilities: Annotated[tuple[Name, ...], msgspec.Meta(max_length=32)] = ()


class Lacking(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What OTIO has no field for. None where the editor does not say."""

    name: Text | None = None
    width: Annotated[int, msgspec.Meta(ge=1, le=32768)] | None = None
    height: Annotated[int, msgspec.Meta(ge=1, le=32768)] | None = None
    drop_frame: bool | None = None
    sample_rate: Annotated[int, msgspec.Meta(ge=8000, le=768000)] | None = None
    channels: Annotated[int, msgspec.Meta(ge=1, le=64)] | None = None
    project: Text = ""
    editor: Text = ""
    editor_version: Text = ""


class Submit(Message, frozen=True):
    """Make a film. The timeline's bytes are the second frame, `sha256` is theirs in hexadecimal.

    `submission` is the client's name for it: asked again under the same name it is the same job. Relative media paths count
    from the folder of `timeline_path`. An empty preset is chosen by the ending of `output`.
    """

    submission: Annotated[str, msgspec.Meta(min_length=8, max_length=64, pattern=r"^[\w.:-]+$")]
    output: Path
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    timeline_path: Path = ""
    preset: Annotated[str, msgspec.Meta(max_length=64)] = ""
    lacking: Lacking = Lacking()


class Watch(Message, frozen=True):
    """Tell me what happens from after this sequence number on, to one job or (empty) to all."""

    job: Annotated[str, msgspec.Meta(max_length=32, pattern=r"^[a-z0-9]*$")] = ""
    after: Seq = 0


class List(Message, frozen=True):
    """Which jobs are there? The newest are told, at most `most`, oldest first."""

    most: Annotated[int, msgspec.Meta(ge=1, le=MOST_LISTED)] = 100


class Cancel(Message, frozen=True):
    """Stop a job, or do not begin it; what was made stays, and Resume takes it up."""

    job: Job


class Resume(Message, frozen=True):
    """Take up a job that was cancelled, interrupted or that failed."""

    job: Job


class Answer(Message, frozen=True):
    """A person's decision about a shot, a fault code, or `all`."""

    job: Job
    about: Name
    answer: Literal["retry", "relink", "skip", "previous", "stop"]
    file: Path = ""
    always: bool = False


class Ping(Message, frozen=True):
    """Are you there?"""


class Stop(Message, frozen=True):
    """End the companion. The job under work is interrupted in order, and taken up at the next start."""


Request = Hello | Submit | Watch | List | Cancel | Resume | Answer | Ping | Stop


class Said(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="is"):
    """Base of what a companion says. A newer one may say more; clients pass over what they do not know."""


class Welcome(Said, frozen=True):
    """The answer to Hello. `last` is the newest sequence number."""

    re: str
    version: str
    program: str
    capabilities: tuple[str, ...]
    last: int
    largest_timeline: int = LARGEST_TIMELINE


class Accepted(Said, frozen=True):
    """The submission is on record; `again`: it was before."""

    re: str
    submission: str
    job: str
    again: bool = False


class Watching(Said, frozen=True):
    """What happened comes now, and what happens from then on. `last` is the newest sequence number at this moment."""

    re: str
    last: int


class JobLine(msgspec.Struct, frozen=True, kw_only=True):
    """A job. `state`: waiting, working, held, or how it ended."""

    job: str
    state: str
    timeline: str
    output: str
    preset: str
    at: float
    code: str = ""


class Jobs(Said, frozen=True):
    """The answer to List, oldest first."""

    re: str
    jobs: tuple[JobLine, ...]


class Done(Said, frozen=True):
    """It is done, or on record and will be."""

    re: str
    job: str = ""


class Pong(Said, frozen=True):
    """I am here. `last` is the newest sequence number; `told` the one that this client was told last, 0 if it does not watch:
    one that has another has missed something, and watches again."""

    re: str
    last: int
    told: int = 0


class Refusal(Said, frozen=True):
    """No. `code` is one of docs/errors.md, the words are in the companion's language. `re` is empty where the request could
    not even be read so far."""

    re: str
    code: str
    title: str
    message: str
    action: str


class Happened(Said, frozen=True):
    """A fact on record. `after` is the sequence number told before this one, or the one that Watch named: a client that has
    another one as its last has missed something, and watches again."""

    seq: int
    after: int
    job: str
    at: float
    fact: msgspec.Raw


class Progressed(Said, frozen=True):
    """A job at a moment. Not on record, without a number, not repeated: the newest says all. Before there is a plan,
    `step` says what is done of how much."""

    job: str
    at: float
    step: str = ""
    done: int = 0
    total: int = 0
    snapshot: msgspec.Raw = msgspec.Raw(b"null")


class Bye(Said, frozen=True):
    """The companion ends; what is on record goes on when it starts again."""

    reason: str


Saying = Welcome | Accepted | Watching | Jobs | Done | Pong | Refusal | Happened | Progressed | Bye


class Ask(NamedTuple):
    """A request, and the timeline that came with it."""

    message: Request
    timeline: bytes = b""


class _Named(msgspec.Struct):
    request: Name = ""


_encoder = msgspec.json.Encoder()
_requests = msgspec.json.Decoder(Request)
_named = msgspec.json.Decoder(_Named)
_sayings: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Saying)
_TAGS = {kind.__name__ for kind in get_args(Saying)}
T = TypeVar("T")


def encode(message: Message | Said) -> bytes:
    """A message as its frame."""
    return _encoder.encode(message)


def submission(message: Submit, timeline: bytes) -> list[bytes]:
    """The two frames of a Submit."""
    return [encode(message), timeline]


def digest(timeline: bytes) -> str:
    """What `Submit.sha256` says of these bytes."""
    return hashlib.sha256(timeline).hexdigest()


def understood(frames: list[bytes]) -> Ask | Refused:
    """What a client said, whatever it is. Refused (message-unclear, message-too-large, message-damaged) is returned."""
    if len(frames) > MOST_FRAMES:
        return Refused("message-too-large", detail=f"{len(frames)} parts, at most {MOST_FRAMES} are read")
    if not frames or len(frames[0]) > LARGEST_HEAD:
        return Refused("message-too-large", detail=f"{len(frames[0]) if frames else 0} bytes, at most {LARGEST_HEAD} are read")
    try:
        message = _requests.decode(frames[0])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:  # ValueError: text that is no UTF-8
        return Refused("message-unclear", detail=_shortened(str(error)))
    timeline = frames[1] if len(frames) > 1 else b""
    if isinstance(message, Submit) != (len(frames) > 1):
        return Refused("message-unclear", detail="a timeline comes with Submit as its second part, and with nothing else")
    if isinstance(message, Submit):
        if len(timeline) > LARGEST_TIMELINE:
            return Refused("message-too-large", detail=f"{len(timeline)} bytes, at most {LARGEST_TIMELINE} are read")
        if digest(timeline) != message.sha256:
            return Refused("message-damaged")
    return Ask(message, timeline)


def request_name(frames: list[bytes]) -> str:
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
        return None if self.greeted else Refused("message-unclear", detail="the first word must be Hello")


def _shortened(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:200])
