"""What can go wrong: evidence as it was seen, and the failure it was judged to be.

Whoever runs a program reports `Evidence` and never a verdict; `core.job.classify` sees it and judges.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal

from core.system.codec import Value


class ErrorType(str, Enum):
    """The six classes; each has a strategy in `core.job.retry_policy`."""

    TRANSIENT_NETWORK = "transient_network"
    TRANSIENT_RESOURCE = "transient_resource"
    PERMANENT_FILE_CORRUPTION = "permanent_file_corruption"
    USER_INPUT_INVALID = "user_input_invalid"
    SYSTEM_RESOURCE_EXCEEDED = "system_resource_exceeded"
    HARDWARE_FAILURE = "hardware_failure"


class Strategy(str, Enum):
    """What is done about a failure."""

    RETRY_WITH_BACKOFF = "retry_with_backoff"
    WAIT_AND_RETRY = "wait_and_retry"
    SKIP_AND_REPORT = "skip_and_report"
    PROVIDE_USER_FEEDBACK = "provide_user_feedback"
    CLEANUP_AND_RETRY = "cleanup_and_retry"
    GRACEFUL_DEGRADATION = "graceful_degradation"


Place = Literal["source", "scratch", "output", "program"]
"""Where it happened. The same errno on a source, the scratch disk and the output disk are three faults."""


PROGRAM = "program"
"""The note of what is nobody's fault but ours."""

Resembles = Literal["unproven", "named", "other", "unlike", "instead"]


class Lookalike(Value, frozen=True):
    """A file that resembles one that is missing, and how: `unproven` (its size and samples, and not all of its bytes are
    known), `named` (name and size), `other` (size and samples, but other bytes where it was used), `unlike` (the name, but
    another content). `instead`: the path whose place the missing file was to take."""

    path: str
    how: Resembles


class Evidence(Value, frozen=True):
    """What was seen when an operation failed; nothing here is interpreted.

    `exit_code` is negative for a signal, as Python's returncode. `frames_*` are counts of frames (or samples for
    sound). `note` is one of our own checks' words, kebab-case (`too-few-frames`), empty when none spoke. `volume` is the
    mount point that the path was on. `bad` are runs (offset in the piece of work, length) where the check can tell them.
    `oom_kills` is how many processes the kernel has killed for want of memory, on the whole machine, since this process last
    reported.
    `fingerprint` is the version of a source that cannot be opened, empty where it is not there; `lookalikes` are files that
    resemble it.
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
    """A judged failure: one class, one kebab-case code that the catalogue explains, and the evidence it rests on."""

    type: ErrorType
    code: str
    evidence: Evidence


class Recovery(Value, frozen=True):
    """The decision about a failure. `retry_at` (unix seconds by the run's own clock, which nobody sets) is set when another
    attempt will be made then; `fatal` ends the job; neither means that the shot is given up and reported. `change` is what will
    be different at the next attempt; `gate` names what is waited for, and then the attempt does not count."""

    strategy: Strategy
    retry_at: float | None = None
    fatal: bool = False
    change: str = ""
    gate: str = ""
