"""Evidence of a failed operation, and the failure it is classified as.

The code that runs a program reports `Evidence`, never a verdict. `core.job.classify` reads the
evidence and classifies it.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal

from core.system.codec import Value


class ErrorType(str, Enum):
    """The six error types; each has a strategy in `core.job.retry_policy`."""

    TRANSIENT_NETWORK = "transient_network"
    TRANSIENT_RESOURCE = "transient_resource"
    PERMANENT_FILE_CORRUPTION = "permanent_file_corruption"
    USER_INPUT_INVALID = "user_input_invalid"
    SYSTEM_RESOURCE_EXCEEDED = "system_resource_exceeded"
    HARDWARE_FAILURE = "hardware_failure"


class Strategy(str, Enum):
    """The response to a failure."""

    RETRY_WITH_BACKOFF = "retry_with_backoff"
    WAIT_AND_RETRY = "wait_and_retry"
    SKIP_AND_REPORT = "skip_and_report"
    PROVIDE_USER_FEEDBACK = "provide_user_feedback"
    CLEANUP_AND_RETRY = "cleanup_and_retry"
    GRACEFUL_DEGRADATION = "graceful_degradation"


Place = Literal["source", "scratch", "output", "program"]
"""Where a failure happened.

The same errno on a source, the scratch disk and the output disk is three different failures.
"""


PROGRAM = "program"
"""`Evidence.note` of a failure that only Hotsplice itself can be blamed for."""

Resembles = Literal["unproven", "named", "other", "unlike", "instead"]


class Lookalike(Value, frozen=True):
    """A file that resembles a missing one, and in which way.

    Values of `how`:
    - `unproven`: same size and samples, but not all of its bytes are known;
    - `named`: same name and size;
    - `other`: same size and samples, but different bytes where the missing file was used;
    - `unlike`: same name, different content;
    - `instead`: `path` is the file that the missing file was chosen to replace.
    """

    path: str
    how: Resembles


class Evidence(Value, frozen=True):
    """Observations about a failed operation; nothing here is interpreted.

    `exit_code` is negative for a signal, like Python's `returncode`. `frames_*` count frames
    (samples for sound). `note` is the finding of one of our own checks, in kebab-case
    (`too-few-frames`), and empty if none reported. `volume` is the mount point of `path`. `bad`
    lists runs (offset in the task, length) if the check can locate them. `oom_kills` is the number
    of processes that the kernel killed for lack of memory, on the whole machine, since this
    process last reported. `fingerprint` is the version of a source that cannot be opened, empty if
    the source is missing. `lookalikes` are files that resemble it.
    """

    operation: str
    place: Place
    path: str = ""
    exit_code: int | None = None
    errno: int | None = None
    stderr: tuple[str, ...] = ()
    argv: tuple[str, ...] = ()
    note: str = ""
    detail: str = ""
    frames_wanted: int | None = None
    frames_seen: int | None = None
    free_bytes: int | None = None
    network: bool = False
    elapsed_s: float = 0.0
    clip: str = ""
    free_memory_bytes: int | None = None
    volume: str = ""
    bad: tuple[tuple[int, int], ...] = ()
    oom_kills: int = 0
    fingerprint: str = ""
    lookalikes: tuple[Lookalike, ...] = ()


class Failure(Value, frozen=True):
    """A classified failure: its error type, its kebab-case catalogue code, and the evidence."""

    type: ErrorType
    code: str
    evidence: Evidence


class Recovery(Value, frozen=True):
    """The decision about a failure.

    `retry_at` is set if the task is tried again at that time, in unix seconds on the run's own
    clock, which clock changes do not affect. `fatal` ends the job. If neither is set, the shot is
    given up and reported. `change` is what the next attempt does differently. `gate` names the
    circuit breaker that the task waits for; the attempt then does not count.
    """

    strategy: Strategy
    retry_at: float | None = None
    fatal: bool = False
    change: str = ""
    gate: str = ""
