"""What a companion says: answers, events, and what they are made of. docs/protocol.md is the specification."""

from __future__ import annotations

from typing import Literal

import msgspec

from bridge.protocol.requests import CHUNK, LARGEST_TIMELINE, WINDOW
from core.report.view_model import Act as Act
from core.report.view_model import Finding as Finding


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


class Uploading(Said, frozen=True):
    """The answer to Upload and to each Chunk: the first `received` bytes of the timeline are there. Chunks hold at most `chunk`
    bytes, and at most `window` of them may be unacknowledged."""

    re: str
    submission: str
    received: int
    chunk: int = CHUNK
    window: int = WINDOW


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
    """A job. `state`: waiting, working, elsewhere (another terminal makes it, or it waits until `holder`, another data folder, is
    done with its film), held, interrupted, or how it ended. `digest`: jobs
    that were asked for the same film of the same cut share it; a later one takes the earlier one's place. `runs`: how many jobs
    for this film the line stands for, where there is one line for each film. `film` is where the film stands: at `output`, which
    was asked for, or beside it as NAME.incomplete.EXT."""

    job: str
    state: str
    timeline: str
    output: str
    preset: str
    at: float
    code: str = ""
    priority: int = 0
    digest: str = ""
    runs: int = 1
    film: str = ""
    holder: str = ""


class Jobs(Said, frozen=True):
    """The answer to List, oldest first. `paused`: no job is begun until somebody says so."""

    re: str
    jobs: tuple[JobLine, ...]
    paused: bool = False


class ShotLine(msgspec.Struct, frozen=True, kw_only=True):
    """A shot of the film. `first` counts the film's frames from 0. `state` is one of core/report/view_model.py: verified, reused,
    mended, previous, slate, missing, waiting. `path` of its media, empty for a gap. `taken`: a person has decided to leave it as
    it is."""

    number: int
    name: str
    first: int
    frames: int
    state: str
    gap: bool = False
    path: str = ""
    taken: bool = False


class KeptFilm(msgspec.Struct, frozen=True, kw_only=True):
    """A film that `hotsplice rollback FILM --to NUMBER` brings back; 1 is the one that was replaced last. `at` in unix seconds;
    `complete` is None where the film is not on record; `length` is a timecode, empty where it is not known."""

    number: int
    at: float
    complete: bool | None = None
    job: str = ""
    length: str = ""


class Described(Said, frozen=True):
    """The answer to Describe: all that a display or an editor needs of a job. `title`, `message`, `safe` and `action` are about
    the job as a whole. `rate` is a fraction, `start_frame` the record timecode of frame 0 as a number; both are empty before
    there is a plan. `rollback` is what a roll back would bring to the film's place: the film `before` this one, or `this` one
    again; empty where it would not. `kept` is every film that can be brought back to where this job's film stands, newest first.
    `last` is the sequence number of the newest fact in this answer."""

    re: str
    last: int
    job: JobLine
    title: str
    message: str
    safe: str = ""
    action: str = ""
    rollback: Literal["", "before", "this"] = ""
    kept: tuple[KeptFilm, ...] = ()
    rate: str = ""
    start_frame: int = 0
    drop_frame: bool = False
    frames: int = 0
    shots: tuple[ShotLine, ...] = ()
    findings: tuple[Finding, ...] = ()


class Pictured(Said, frozen=True):
    """The answer to Pictures: JPEGs in Base64 by shot number; shots of which none can be had are left out."""

    re: str
    job: str
    pictures: dict[int, bytes]


class Figures(Said, frozen=True):
    """The answer to Stats: what `hotsplice stats --json` says."""

    re: str
    figures: msgspec.Raw


class Done(Said, frozen=True):
    """It is done, or on record and will be. `notes` are sentences for the person whose wish it was."""

    re: str
    job: str = ""
    notes: tuple[str, ...] = ()


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


class Several(Said, frozen=True):
    """Facts in their order, each as it would come alone. Told only to clients whose Hello has the capability `batches`, when
    there is more than one to tell: what a client has missed in a week comes in a moment."""

    events: tuple[Happened, ...]


class Progressed(Said, frozen=True):
    """A job at a moment. Not on record, without a number, not repeated: the newest says all. Before there is a plan,
    `step` says what is done of how much."""

    job: str
    at: float
    step: str = ""
    done: int = 0
    total: int = 0
    snapshot: msgspec.Raw = msgspec.Raw(b"null")


class Noticed(Said, frozen=True):
    """Something a person may want to know that is no fact of a film: what a changed settings file brings, what a job that is
    taken up finds. Without a number; said again to who begins to watch, as long as it holds. `code` and `at` make it one."""

    at: float
    code: str
    title: str
    message: str
    action: str = ""
    job: str = ""


class Bye(Said, frozen=True):
    """The companion ends; what is on record goes on when it starts again."""

    reason: str


Saying = (
    Welcome
    | Uploading
    | Accepted
    | Watching
    | Jobs
    | Described
    | Pictured
    | Figures
    | Done
    | Pong
    | Refusal
    | Happened
    | Several
    | Progressed
    | Noticed
    | Bye
)
