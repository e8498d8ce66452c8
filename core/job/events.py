"""What happened: the journal's vocabulary, in past participles. Replaying them gives a job's state back.

Activity is never a fact: no process ids, no connections. A decision is written inside the fact it answers
(`AttemptFailed.recovery`), so replay never decides again under newer rules.
"""

from __future__ import annotations

from typing import Literal

from core.errors.failure import Failure, Lookalike, Recovery
from core.system.codec import Value
from core.system.folder import FolderIdentity


class JobAccepted(Value, frozen=True):
    """Someone asked for a film. `digest` names the request: same cut, preset and place have the same one."""

    digest: str
    timeline_path: str
    timeline_name: str
    output: str
    preset: str


class FolderRecorded(Value, frozen=True):
    """The folder of the job's film, or the scratch folder, as it is from now on: recorded when the job is accepted, and again
    when a person accepts another folder in its place (`by_person`)."""

    role: Literal["film", "scratch"]
    folder: FolderIdentity
    by_person: bool = False


class RunStarted(Value, frozen=True):
    """A process took the job up: the first time, or again after an interruption."""

    version: str
    ffmpeg: str
    workers: int


class FilmPlanned(Value, frozen=True):
    """The sources were examined and the cut was laid out. `cut` names the whole composition.

    `reused` counts segments and sound chunks already sealed, `reused_frames` their pictures.
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
    """A source or a clip is not as the cut needs it; known before rendering."""

    code: str
    path: str
    shots: tuple[int, ...]
    detail: str = ""
    clips: tuple[str, ...] = ()
    lookalikes: tuple[Lookalike, ...] = ()


class SegmentSealed(Value, frozen=True):
    """A checkpoint: a segment (or sound chunk) is complete, verified and durable under its content key.

    `file` is relative to the store, empty for packets that stay in their source. `digest` is over the packets'
    payloads, `file_hash` over the file. `reorder` is how many frames decoding order runs ahead.
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
    """A checkpoint's file was not what the journal says; it is made again."""

    key: str
    reason: str


class AttemptFailed(Value, frozen=True):
    """An attempt at a piece of work failed at a moment (unix seconds), and what was decided about it."""

    key: str
    shot: int
    attempt: int
    at: float
    failure: Failure
    recovery: Recovery


class ShotSlated(Value, frozen=True):
    """A shot was given up: a slate of exact length stands in its place."""

    shot: int
    failure: Failure


class ShotMended(Value, frozen=True):
    """A part of a shot's source cannot be used: what is good is kept, and slates of exact length stand for the rest.

    `key` is the segment that failed, `bad` are (offset in it, length) runs of frames, in order and apart. `source_frame` is
    the first bad frame in its file, `last_good` a picture of the one before it (a file in the data folder, or empty).
    """

    shot: int
    key: str
    bad: tuple[tuple[int, int], ...]
    failure: Failure
    source_frame: int = 0
    last_good: str = ""


class SegmentParted(Value, frozen=True):
    """A segment failed though no bad frame was found in it: it is made in two pieces, the second from frame `at` of it on."""

    key: str
    at: int


class ShotDegraded(Value, frozen=True):
    """A shot was made in another way than usual; the picture is the same, and `change` says what was different."""

    shot: int
    change: str
    failure: Failure


class PreviousUsed(Value, frozen=True):
    """An earlier good render of a shot stands in for it: the segments of an earlier job, in order."""

    shot: int
    seals: tuple[SegmentSealed, ...]
    job: str


class SoundSilenced(Value, frozen=True):
    """A clip's sound could not be read: silence of exact length stands in its place. With `samples` only for so many film
    samples from `first_sample` on."""

    clip: str
    failure: Failure
    first_sample: int = 0
    samples: int = 0


class GateClosed(Value, frozen=True):
    """A volume or the machine itself cannot be used for now: nothing that needs it is begun, and no attempt is counted.

    `gate` is a place as `source:/Volumes/A`, `scratch`, `output` or `machine`; `path` is what is looked at to see whether it
    is well again. It is waited for `patience_s` at most once nothing else can be done; 0 where that is not on record.
    """

    gate: str
    path: str
    failure: Failure
    patience_s: float = 0.0


class GateOpened(Value, frozen=True):
    """The cause is gone, after `closed_s` seconds; or (`given_up`) was waited for long enough."""

    gate: str
    closed_s: float
    given_up: bool = False


Answers = Literal["retry", "relink", "skip", "previous", "stop"]


class Answered(Value, frozen=True):
    """A person decided: about one shot, or about all that failed with one code (`shot` 0).

    `relink` gives the file `to` that shall be used for `path`; `remembered` tells that it came from a preference. `terms` are
    those of every shot, sound and remark that the answer is about, as they stood then (`core.job.decisions`): what is left as
    it is stays so until they change.
    """

    answer: Answers
    shot: int = 0
    code: str = ""
    path: str = ""
    to: str = ""
    remembered: bool = False
    terms: tuple[str, ...] = ()


class SourceMoved(Value, frozen=True):
    """A source was found at another place. `how`: by its content as it was seen before, by a hash in an MHL history, or by
    a person's word. `failure` is why the file at its own path could not be used; None where that was not tried or recorded."""

    path: str
    to: str
    how: Literal["content", "mhl", "person"]
    failure: Failure | None = None


class ClockJumped(Value, frozen=True):
    """The machine's clock was set, or (`slept`) the machine slept: by so many seconds."""

    by_s: float
    slept: bool = False


class FilmJoined(Value, frozen=True):
    """The film stands complete and verified beside its place, under its staging name. `keys` are those of the segments and
    sound whose packets are in it; what was copied from a source has none, and an older version has not recorded them."""

    cut: str
    staged: str
    bytes: int
    film_hash: str
    frames: int
    samples: int
    complete: bool | None = None
    keys: tuple[str, ...] = ()


class FilmPublished(Value, frozen=True):
    """The film took its place; `kept` is where the film before it is kept, empty when there is none. `replaced` is False
    where the kept film is the one that was kept already: this very film stood there, or something that is not ours.
    `kept_hash` is the hash of the film that was replaced. `output` is NAME.incomplete.EXT where a film that is not `complete`
    (None: not known, of an older version) stands beside a complete one. Not `durable`: its name may not survive a power cut."""

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
    """An incomplete film beside a complete one was removed, because the complete one is newer."""

    path: str
    film_hash: str


class ReplacementAllowed(Value, frozen=True):
    """A person said that this job's film may take the place of a complete one though it is incomplete."""


class FilmRolledBack(Value, frozen=True):
    """Someone asked for the film before this one; both exist still, each in the other's place."""

    output: str
    film_hash: str
    kept_hash: str


Outcomes = Literal["complete", "incomplete", "failed", "superseded", "unchanged"]


class JobFinished(Value, frozen=True):
    """The end: `complete`, `incomplete` (published with slates or losses), `failed`, `superseded` by a newer cut.

    Complete lacks only what a person takes as it is: `taken_shots` are slates or earlier renders, the sound of `taken_clips` is
    silence, `taken_remarks` are codes. `seconds` are from the plan on, `startup_s` before it; `core.engine.run_metrics.RunMetrics` has the others.
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
    """Someone asked us to stop. Not a failure: the job can be taken up again, and is at once where the reason is ANEW."""

    reason: str


ANEW = "media is to be looked at again"
"""Why a run ended that is followed by another at once, with a plan of its own."""


class Rewound(Value, frozen=True):
    """Work sealed after a checkpoint is not to be believed: it is made again."""

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
