"""What clients may say to a companion, and how much of it. docs/protocol.md is the specification."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

LARGEST_HEAD = 64 * 1024
LARGEST_TIMELINE = 64 * 1024 * 1024
LARGEST_FRAME = LARGEST_TIMELINE + 1024
MOST_FRAMES = 2
CHUNK, WINDOW = 32 * 1024, 8
"""Bytes in one chunk of an upload, and how many chunks may be unacknowledged. Together they are half a second of a line of
0.5 MB/s, so heartbeats get through in time."""
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


Submission = Annotated[str, msgspec.Meta(min_length=8, max_length=64, pattern=r"^[\w.:-]+$")]
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Upload(Message, frozen=True):
    """Begin to send a timeline in chunks, or go on after a break. The answer says from which byte on. `size` is in bytes,
    `sha256` is that of the whole timeline in hexadecimal."""

    submission: Submission
    sha256: Sha256
    size: Annotated[int, msgspec.Meta(ge=1, le=2**53)]


class Chunk(Message, frozen=True):
    """A piece of an upload, its bytes are the second frame; `at` is the offset of its first byte in the timeline."""

    submission: Submission
    at: Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Submit(Message, frozen=True):
    """Make a film. The timeline's bytes are the second frame, or were uploaded under the same `submission`; `sha256` is theirs
    in hexadecimal.

    `submission` is the client's name for it: asked again under the same name it is the same job. Relative media paths count
    from the folder of `timeline_path`. An empty preset is chosen by the ending of `output`.
    """

    submission: Submission
    output: Path
    sha256: Sha256
    timeline_path: Path = ""
    preset: Annotated[str, msgspec.Meta(max_length=64)] = ""
    lacking: Lacking = Lacking()


class Watch(Message, frozen=True):
    """Tell me what happens from after this sequence number on, to one job or (empty) to all."""

    job: Annotated[str, msgspec.Meta(max_length=32, pattern=r"^[a-z0-9]*$")] = ""
    after: Seq = 0


class List(Message, frozen=True, omit_defaults=True):
    """Which jobs are there? The newest are told, at most `most`, oldest first. `by_film`: one line for each film, its newest job,
    and for each other job that waits or is under work."""

    most: Annotated[int, msgspec.Meta(ge=1, le=MOST_LISTED)] = 100
    by_film: bool = False


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


class Describe(Message, frozen=True):
    """What became of a job: its shots, and what was found, in words. What was described is as old as its `last`."""

    job: Job


class Pictures(Message, frozen=True):
    """Small pictures of these shots of a job, as far as they can be had."""

    job: Job
    shots: Annotated[
        tuple[Annotated[int, msgspec.Meta(ge=1)], ...], msgspec.Meta(max_length=MOST_PICTURES)
    ]


class Stats(Message, frozen=True):
    """How all jobs went."""


class Prioritise(Message, frozen=True):
    """Of the jobs that wait, those with a higher priority come first; 0 is what every job begins with."""

    job: Job
    priority: Annotated[int, msgspec.Meta(ge=-MOST_PRIORITY, le=MOST_PRIORITY)]


class Pause(Message, frozen=True):
    """Begin no job, and interrupt those under work in order; or, with `paused` false, go on. Survives the companion."""

    paused: bool = True


class Ping(Message, frozen=True):
    """Are you there?"""


class Stop(Message, frozen=True):
    """End the companion. The job under work is interrupted in order, and taken up at the next start."""


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
