"""Events: the vocabulary of the journal, named in past participles.

Replaying them restores the state of a job. Activity such as process ids or connections is never an
event. A decision is stored in the event it answers (`AttemptFailed.recovery`), so a replay never
decides again under newer rules.
"""

from __future__ import annotations

from typing import Literal

from core.errors.failure import Failure, Lookalike, Recovery
from core.system.codec import Value
from core.system.folder import FolderIdentity


class JobAccepted(Value, frozen=True):
    """A film was requested; same cut, preset and location mean the same `digest`."""

    digest: str
    timeline_path: str
    timeline_name: str
    output: str
    preset: str


class FolderRecorded(Value, frozen=True):
    """The folder of the job's film, or the scratch folder, was recorded.

    This happens when the job is accepted, and again when a person accepts another folder in its
    place (`by_person`).
    """

    role: Literal["film", "scratch"]
    folder: FolderIdentity
    by_person: bool = False


class RunStarted(Value, frozen=True):
    """A process started the job, for the first time or again after an interruption."""

    version: str
    ffmpeg: str
    workers: int


class FilmPlanned(Value, frozen=True):
    """The sources were examined and the cut was planned. `cut` identifies the whole composition.

    `reused` counts segments and sound chunks that already have a checkpoint, `reused_frames` their
    frames.
    """

    cut: str
    shots: int
    segments: int
    chunks: int
    frames: int
    samples: int
    reused: int
    reused_frames: int
    rate: str
    start_frame: int
    drop_frame: bool = False
    copied: int = 0
    start_timecode: str = ""


class ProblemFound(Value, frozen=True):
    """A source or clip does not meet the needs of the cut; known before rendering."""

    code: str
    path: str
    shots: tuple[int, ...]
    detail: str = ""
    clips: tuple[str, ...] = ()
    lookalikes: tuple[Lookalike, ...] = ()


class SegmentSealed(Value, frozen=True):
    """A checkpoint: a segment or sound chunk is complete, verified and durable.

    `key` is its content key. `file` is relative to the store, and empty for packets that stay in
    their source. `digest` covers the payloads of the packets, `file_hash` the file. `reorder` is
    how many frames decoding order runs ahead.
    """

    key: str
    kind: Literal["video", "copy", "audio", "track"]
    shot: int
    file: str
    bytes: int
    file_hash: str
    frames: int
    digest: str
    reorder: int = 0
    seconds: float = 0.0
    reused: bool = False
    clipped: int = 0


class SealBroken(Value, frozen=True):
    """The file of a checkpoint did not match the journal; it is rendered again."""

    key: str
    reason: str


class AttemptFailed(Value, frozen=True):
    """An attempt at a task failed at `at` (Unix seconds); `recovery` is the decision about it."""

    key: str
    shot: int
    attempt: int
    at: float
    failure: Failure
    recovery: Recovery


class ShotSlated(Value, frozen=True):
    """A shot was given up: a slate of exact length replaces it."""

    shot: int
    failure: Failure


class ShotMended(Value, frozen=True):
    """Part of a shot's source cannot be used.

    The good part is kept and slates of exact length fill the rest. `key` is the segment that
    failed. `bad` are runs (offset in it, length) of frames, sorted and not adjacent. `source_frame`
    is the first bad frame in its file. `last_good` is a picture of the frame before it (a file in
    the data folder, or empty).
    """

    shot: int
    key: str
    bad: tuple[tuple[int, int], ...]
    failure: Failure
    source_frame: int = 0
    last_good: str = ""


class SegmentParted(Value, frozen=True):
    """A segment failed although no bad frame was found in it: it is split at its frame `at`."""

    key: str
    at: int


class ShotDegraded(Value, frozen=True):
    """A shot was rendered in another way than usual.

    The picture is the same; `change` names the difference.
    """

    shot: int
    change: str
    failure: Failure


class PreviousUsed(Value, frozen=True):
    """An earlier good render replaces a shot: the segments of an earlier job, in order."""

    shot: int
    seals: tuple[SegmentSealed, ...]
    job: str


class SoundSilenced(Value, frozen=True):
    """The sound of a clip could not be read: silence of exact length replaces it.

    When `samples` is set, the silence covers only that many film samples from `first_sample` on.
    """

    clip: str
    failure: Failure
    first_sample: int = 0
    samples: int = 0


class GateClosed(Value, frozen=True):
    """A circuit breaker tripped: a volume or the machine itself is unavailable.

    No task that needs it is started, and no attempt is counted. `gate` is a place such as
    `source:/Volumes/A`, `scratch`, `output` or `machine`; `path` is probed to see whether it has
    recovered. Once nothing else can be done, the wait lasts at most `patience_s`; 0 where that was
    not recorded.
    """

    gate: str
    path: str
    failure: Failure
    patience_s: float = 0.0


class GateOpened(Value, frozen=True):
    """A circuit breaker was reset.

    The cause ended after `closed_s` seconds, or (`given_up`) the wait reached its limit.
    """

    gate: str
    closed_s: float
    given_up: bool = False


Answers = Literal["retry", "relink", "skip", "previous", "stop"]


class Answered(Value, frozen=True):
    """A person decided about one shot, or about all that failed with one code (`shot` 0).

    `relink` names the file `to` that replaces `path`. `remembered` marks an answer that came from a
    preference. `terms` are those of every shot, sound and remark that the answer covers, as they
    were then (`core.job.decisions`): an accepted difference stays accepted until they change.
    """

    answer: Answers
    shot: int = 0
    code: str = ""
    path: str = ""
    to: str = ""
    remembered: bool = False
    terms: tuple[str, ...] = ()


class SourceMoved(Value, frozen=True):
    """A source was found at another place.

    `how` is by its content as recorded earlier, by a hash in an MHL history, or by a person's
    choice. `failure` is why the file at its own path could not be used; None where that was not
    tried or recorded.
    """

    path: str
    to: str
    how: Literal["content", "mhl", "person"]
    failure: Failure | None = None


class ClockJumped(Value, frozen=True):
    """The clock of the machine was changed, or (`slept`) the machine slept, by `by_s` seconds."""

    by_s: float
    slept: bool = False


class FilmJoined(Value, frozen=True):
    """The film is complete and verified under its staging name, next to its final path.

    `keys` are those of the segments and sound whose packets it contains. Packets copied from a
    source have no key, and an older version did not record them.
    """

    cut: str
    staged: str
    bytes: int
    film_hash: str
    frames: int
    samples: int
    complete: bool | None = None
    keys: tuple[str, ...] = ()


class FilmPublished(Value, frozen=True):
    """The film was moved to its final path.

    `kept` is where the previous film is kept, empty when there is none. `replaced` is False where
    the kept film was already kept before: the file at the path was this same film, or one that is
    not ours. `kept_hash` is the hash of the film that was replaced. `output` is NAME.incomplete.EXT
    where a film that is not `complete` (None: not known, from an older version) was put next to a
    complete one. When `durable` is False, the name may not survive a power cut.
    """

    output: str
    film_hash: str
    kept: str
    cut: str = ""
    frames: int = 0
    samples: int = 0
    replaced: bool = True
    complete: bool | None = None
    kept_hash: str = ""
    durable: bool = True


class FilmRemoved(Value, frozen=True):
    """An incomplete film next to a complete one was removed, because the complete one is newer."""

    path: str
    film_hash: str


class ReplacementAllowed(Value, frozen=True):
    """A person allowed this job's film to replace a complete one although it is incomplete."""


class FilmRolledBack(Value, frozen=True):
    """A person restored the previous film; the two films swapped places and both still exist."""

    output: str
    film_hash: str
    kept_hash: str


Outcomes = Literal["complete", "incomplete", "failed", "superseded", "unchanged"]


class JobFinished(Value, frozen=True):
    """The job ended.

    `outcome` is `complete`, `incomplete` (published with slates or losses), `failed`, `superseded`
    by a newer cut, or `unchanged`. A complete film lacks only what a person accepted: `taken_shots`
    are slates or earlier renders, the sound of `taken_clips` is silence, `taken_remarks` are codes.
    `seconds` counts from the plan on, `startup_s` the time before it.
    `core.engine.run_metrics.RunMetrics` describes the other times.
    """

    outcome: Outcomes
    code: str = ""
    detail: str = ""
    seconds: float = 0.0
    recording_s: float = 0.0
    checking_s: float = 0.0
    working_s: float = 0.0
    held_s: float = 0.0
    overhead_cpu_s: float = 0.0
    cpu_s: float = 0.0
    startup_s: float = 0.0
    startup_held_s: float = 0.0
    taken_shots: tuple[int, ...] = ()
    taken_clips: tuple[str, ...] = ()
    taken_remarks: tuple[str, ...] = ()


class RunInterrupted(Value, frozen=True):
    """A run was asked to stop. This is not a failure: the job can be resumed.

    It is resumed at once where the reason is `REPLAN`.
    """

    reason: str


REPLAN = "media is to be looked at again"
"""The reason of an interruption that is followed at once by another run with its own plan."""


class Rewound(Value, frozen=True):
    """Work completed after a checkpoint was discarded: it is rendered again."""

    checkpoint: int
    keys: tuple[str, ...]


Fact = (
    JobAccepted
    | FolderRecorded
    | RunStarted
    | FilmPlanned
    | ProblemFound
    | SegmentSealed
    | SealBroken
    | AttemptFailed
    | ShotSlated
    | ShotMended
    | SegmentParted
    | ShotDegraded
    | PreviousUsed
    | SoundSilenced
    | GateClosed
    | GateOpened
    | Answered
    | SourceMoved
    | ClockJumped
    | FilmJoined
    | FilmPublished
    | FilmRemoved
    | ReplacementAllowed
    | FilmRolledBack
    | JobFinished
    | RunInterrupted
    | Rewound
)
