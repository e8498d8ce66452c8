"""Messages from the daemon and their parts. docs/protocol.md is the specification."""

from __future__ import annotations

from typing import Literal

import msgspec

from bridge.protocol.requests import CHUNK, LARGEST_TIMELINE, WINDOW
from core.report.view_model import Act as Act
from core.report.view_model import Finding as Finding


class Said(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="is"):
    """Base of all messages from the daemon.

    A newer daemon may send more; clients ignore what they do not know.
    """


class Welcome(Said, frozen=True):
    """The answer to Hello. `last` is the newest sequence number."""

    re: str
    version: str
    program: str
    capabilities: tuple[str, ...]
    last: int
    largest_timeline: int = LARGEST_TIMELINE


class Uploading(Said, frozen=True):
    """The answer to Upload and to each Chunk.

    The first `received` bytes of the timeline have arrived. Chunks hold at most `chunk` bytes, and
    at most `window` of them may be unacknowledged.
    """

    re: str
    submission: str
    received: int
    chunk: int = CHUNK
    window: int = WINDOW


class Accepted(Said, frozen=True):
    """The submission is on record. `again` says that it already was."""

    re: str
    submission: str
    job: str
    again: bool = False


class Watching(Said, frozen=True):
    """The answer to Watch: past events follow, then new ones as they happen.

    `last` is the newest sequence number at this moment.
    """

    re: str
    last: int


class JobLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line in the list of jobs.

    `state` is waiting, working, elsewhere, held, interrupted, or how the job ended. In state
    `elsewhere`, another terminal runs the job, or the job waits until `holder`, another data
    folder, is done with its film. Jobs with the same `digest` request the same film of the same
    cut; a later one replaces the earlier one. `runs` is the number of jobs for this film that the
    line represents, where the list has one line per film. `film` is where the film is: at the
    requested `output`, or next to it as NAME.incomplete.EXT.
    """

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
    """The answer to List, oldest job first.

    While `paused` is set, no job starts until somebody resumes the queue.
    """

    re: str
    jobs: tuple[JobLine, ...]
    paused: bool = False


class ShotLine(msgspec.Struct, frozen=True, kw_only=True):
    """One shot of the film.

    `first` is its first frame; the film's frames count from 0. `state` is one of those in
    core/report/view_model.py: verified, reused, mended, previous, slate, missing, waiting. `path`
    is the path of its media, empty for a gap. `taken` says that a person has decided to leave the
    shot as it is.
    """

    number: int
    name: str
    first: int
    frames: int
    state: str
    gap: bool = False
    path: str = ""
    taken: bool = False


class KeptFilm(msgspec.Struct, frozen=True, kw_only=True):
    """A film that `hotsplice rollback FILM --to NUMBER` restores; number 1 was replaced last.

    `at` is in Unix seconds. `complete` is None where the film is not on record. `length` is a
    timecode, empty where it is not known.
    """

    number: int
    at: float
    complete: bool | None = None
    job: str = ""
    length: str = ""


class Described(Said, frozen=True):
    """The answer to Describe: everything that a display or an editor needs to know about a job.

    `title`, `message`, `safe` and `action` are about the job as a whole. `rate` is a fraction, and
    `start_frame` the record timecode of frame 0 as a number; before there is a plan, `rate` is
    empty and `start_frame` 0. `rollback` says what a rollback would restore: the film `before` this
    one, or `this` one again; it is empty where a rollback would restore nothing. `kept` lists every
    film that can be restored to the place of this job's film, newest first. `last` is the sequence
    number of the newest event in this answer.
    """

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
    """The answer to Pictures: JPEGs in Base64 by shot number.

    Shots without an available picture are left out.
    """

    re: str
    job: str
    pictures: dict[int, bytes]


class Figures(Said, frozen=True):
    """The answer to Stats: the output of `hotsplice stats --json`."""

    re: str
    figures: msgspec.Raw


class Done(Said, frozen=True):
    """The request is done, or is on record and will be done.

    `notes` are sentences for the person who sent it.
    """

    re: str
    job: str = ""
    notes: tuple[str, ...] = ()


class Pong(Said, frozen=True):
    """The answer to Ping.

    `last` is the newest sequence number; `told` is the last one that this client was sent, 0 if it
    does not watch. A client that has another number has missed an event and must watch again.
    """

    re: str
    last: int
    told: int = 0


class Refusal(Said, frozen=True):
    """The request is refused.

    `code` is one of those in docs/errors.md; the texts are in the daemon's language. `re` is empty
    where the request's name could not be read.
    """

    re: str
    code: str
    title: str
    message: str
    action: str


class Happened(Said, frozen=True):
    """An event on record.

    `after` is the sequence number sent before this one, or the one that Watch named. A client whose
    last number is another one has missed an event and must watch again.
    """

    seq: int
    after: int
    job: str
    at: float
    fact: msgspec.Raw


class Several(Said, frozen=True):
    """Several events in order, each as it would be sent alone.

    The daemon sends this only to clients whose Hello has the capability `batches`, and only when
    there is more than one event to send. A client that was away for a week catches up in a moment.
    """

    events: tuple[Happened, ...]


class Progressed(Said, frozen=True):
    """The progress of a job at one moment.

    Progress is not recorded, has no sequence number and is not repeated: the newest message
    replaces all earlier ones. Before there is a plan, `step` names the current step, and `done` and
    `total` count it.
    """

    job: str
    at: float
    step: str = ""
    done: int = 0
    total: int = 0
    snapshot: msgspec.Raw = msgspec.Raw(b"null")


class Noticed(Said, frozen=True):
    """A notice for a person that is not an event of a film.

    Examples are the effect of a changed settings file, or the state in which a resumed job was
    found. A notice has no sequence number. It is repeated to each new watcher as long as it holds.
    `code` and `at` identify it.
    """

    at: float
    code: str
    title: str
    message: str
    action: str = ""
    job: str = ""


class Bye(Said, frozen=True):
    """The daemon is ending; jobs on record continue when it starts again."""

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
