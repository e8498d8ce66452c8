"""Messages from clients to the daemon, and their limits. docs/protocol.md is the specification."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

LARGEST_HEAD = 64 * 1024
LARGEST_TIMELINE = 64 * 1024 * 1024
LARGEST_FRAME = LARGEST_TIMELINE + 1024
MOST_FRAMES = 2
CHUNK, WINDOW = 32 * 1024, 8
"""Bytes in one chunk of an upload, and the number of chunks that may be unacknowledged.

Together they take half a second on a line of 0.5 MB/s, so that heartbeats get through in time.
"""
LARGEST_CHUNK = 256 * 1024
MOST_LISTED = 1000
MOST_PICTURES = 200
MOST_PRIORITY = 100

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[\w.:-]+$")]
Job = Annotated[str, msgspec.Meta(min_length=1, max_length=32, pattern=r"^[a-z0-9]+$")]
Text = Annotated[str, msgspec.Meta(max_length=500)]
Path = Annotated[str, msgspec.Meta(max_length=4096, pattern=r"^[^\x00]*$")]
Seq = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Message(
    msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="is", forbid_unknown_fields=True
):
    """Base of all messages from clients. Unknown fields are refused, because they might matter."""

    request: Name


class Hello(Message, frozen=True):
    """First message: protocol version, the client's name, and which answers it can handle."""

    version: Annotated[str, msgspec.Meta(max_length=20)]
    client: Text = ""
    capabilities: Annotated[tuple[Name, ...], msgspec.Meta(max_length=32)] = ()


class Lacking(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Timeline properties that OTIO has no field for; None where the editor does not say."""

    name: Text | None = None
    width: Annotated[int, msgspec.Meta(ge=1, le=32768)] | None = None
    height: Annotated[int, msgspec.Meta(ge=1, le=32768)] | None = None
    drop_frame: bool | None = None
    sample_rate: Annotated[int, msgspec.Meta(ge=8000, le=768000)] | None = None
    channels: Annotated[int, msgspec.Meta(ge=1, le=64)] | None = None
    project: Text = ""
    editor: Text = ""
    editor_version: Text = ""


Submission = Annotated[str, msgspec.Meta(min_length=8, max_length=64, pattern=r"^[\w.:-]+$")]
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Upload(Message, frozen=True):
    """Start to upload a timeline in chunks, or resume after a break.

    The answer says from which byte to go on. `size` is in bytes; `sha256` is the digest of the
    whole timeline in hexadecimal.
    """

    submission: Submission
    sha256: Sha256
    size: Annotated[int, msgspec.Meta(ge=1, le=2**53)]


class Chunk(Message, frozen=True):
    """One chunk of an upload; its bytes are the second frame.

    `at` is the offset of the chunk's first byte in the timeline.
    """

    submission: Submission
    at: Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Submit(Message, frozen=True):
    """Request a film.

    The timeline's bytes are the second frame, or were uploaded under the same `submission`.
    `sha256` is their digest in hexadecimal. `submission` is the client's name for the submission: a
    repeated request under the same name leads to the same job. Relative media paths are resolved
    against the folder of `timeline_path`. If `preset` is empty, the extension of `output` selects
    it.
    """

    submission: Submission
    output: Path
    sha256: Sha256
    timeline_path: Path = ""
    preset: Annotated[str, msgspec.Meta(max_length=64)] = ""
    lacking: Lacking = Lacking()


class Watch(Message, frozen=True):
    """Subscribe to events after sequence number `after`, of one job or (`job` empty) of all."""

    job: Annotated[str, msgspec.Meta(max_length=32, pattern=r"^[a-z0-9]*$")] = ""
    after: Seq = 0


class List(Message, frozen=True, omit_defaults=True):
    """List the newest jobs, at most `most`, oldest first.

    With `by_film`, the list has one line per film, for its newest job, and one for each other job
    that is waiting or running.
    """

    most: Annotated[int, msgspec.Meta(ge=1, le=MOST_LISTED)] = 100
    by_film: bool = False


class Cancel(Message, frozen=True):
    """Stop a job, or keep it from starting.

    Finished segments are kept, and `Resume` continues the job.
    """

    job: Job


class Resume(Message, frozen=True):
    """Continue a job that was cancelled, was interrupted or has failed."""

    job: Job


class Answer(Message, frozen=True):
    """A person's decision about a shot, a fault code, or `all`."""

    job: Job
    about: Name
    answer: Literal["retry", "relink", "skip", "previous", "stop"]
    file: Path = ""
    always: bool = False


class Describe(Message, frozen=True):
    """Describe a job in words: its shots and findings.

    The description is as recent as its `last`.
    """

    job: Job


class Pictures(Message, frozen=True):
    """Request thumbnails of these shots of a job, where available."""

    job: Job
    shots: Annotated[
        tuple[Annotated[int, msgspec.Meta(ge=1)], ...], msgspec.Meta(max_length=MOST_PICTURES)
    ]


class Stats(Message, frozen=True):
    """Request statistics about all jobs."""


class Prioritise(Message, frozen=True):
    """Set a waiting job's priority. Higher priorities run first; every job starts with 0."""

    job: Job
    priority: Annotated[int, msgspec.Meta(ge=-MOST_PRIORITY, le=MOST_PRIORITY)]


class Pause(Message, frozen=True):
    """Start no jobs and interrupt the running ones cleanly; with `paused` false, continue.

    The setting survives a restart of the daemon.
    """

    paused: bool = True


class Ping(Message, frozen=True):
    """Check that the daemon is alive."""


class Stop(Message, frozen=True):
    """Stop the daemon.

    It interrupts the running jobs cleanly and resumes them at its next start.
    """


Request = (
    Hello
    | Upload
    | Chunk
    | Submit
    | Watch
    | List
    | Describe
    | Pictures
    | Stats
    | Cancel
    | Resume
    | Prioritise
    | Pause
    | Answer
    | Ping
    | Stop
)
