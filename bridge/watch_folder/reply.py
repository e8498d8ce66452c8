"""Builds the reply to a drop from the daemon's responses. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from bridge.protocol.responses import Described, Finding, JobLine, Progressed, Refusal
from bridge.watch_folder import lua
from core.report.progress import Snapshot
from core.storage.journal_faults import UNWRITABLE

FORM = 1
MOST_FINDINGS = 500
"""An editor shows no more, and a Lua chunk can hold at most 2^18 constants."""
ENDS = frozenset({"refused", "failed", "complete", "incomplete", "unchanged", "superseded"})
FOR_GOOD = ENDS - {"failed"}
"""A failed job can be resumed by hand."""
FINAL = FOR_GOOD - {"incomplete"}
"""An incomplete film can still get answers; another job then completes it."""
_TRANSIENT = (
    frozenset({"companion-busy", "journal-busy", "journal-replaced", "data-folder-gone"})
    | UNWRITABLE
)


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """Contents of a reply.

    - `state` is a job state as in List, or `refused`.
    - `ended` means that nothing more happens by itself.
    - `at` is in seconds since 1970, and is renewed every few seconds until the end.
    - `size` and `modified` (seconds since 1970) are those of the dropped file.
    - `ask` is the fingerprint of its sidecar.
    - `frames`, `left_s`, `step`, `done` and `total` are as in Progressed.
    - `rate`, `start_frame` and `findings` are as in Described.
    """

    door: int = FORM
    file: str
    size: int
    modified: float
    submission: str
    ask: str = ""
    state: str
    ended: bool
    at: float
    job: str = ""
    film: str = ""
    preset: str = ""
    code: str = ""
    title: str = ""
    message: str = ""
    safe: str = ""
    action: str = ""
    step: str = ""
    done: int = 0
    total: int = 0
    frames: int = 0
    frames_done: int = 0
    shots: int = 0
    shots_done: int = 0
    shots_missing: int = 0
    left_s: float | None = None
    rate: str = ""
    start_frame: int = 0
    drop_frame: bool = False
    findings: tuple[Finding, ...] = ()


_replies = msgspec.json.Decoder(Reply)
_snapshots = msgspec.json.Decoder(Snapshot | None)


def as_json(reply: Reply) -> bytes:
    """Encode a reply for programs and people."""
    return msgspec.json.format(msgspec.json.encode(reply), indent=1) + b"\n"


def as_lua(reply: Reply) -> bytes:
    """Encode a reply for editors that only read Lua."""
    plain: dict[str, Any] = msgspec.to_builtins(reply)
    return lua.chunk(plain)


def read(data: bytes) -> Reply | None:
    """Decode a reply that was written earlier, or return None when it is not ours."""
    try:
        found = _replies.decode(data)
    except (ValueError, RecursionError):
        return None
    return found if found.door == FORM else None


def refused(reply: Reply, no: Refusal, at: float) -> Reply:
    """Return the reply to a refused drop. Its state is `waiting` when the cause may pass."""
    state = "waiting" if no.code in _TRANSIENT else "refused"
    return msgspec.structs.replace(
        reply, state=state, ended=state == "refused", at=at, code=no.code, title=no.title, message=no.message, action=no.action,
    )  # fmt: skip


def listed(reply: Reply, line: JobLine, at: float) -> Reply:
    """Update a reply from the list of jobs."""
    ended = line.state in ENDS
    return msgspec.structs.replace(
        reply, state=line.state, ended=ended, at=at, code=line.code, film=line.film or line.output, preset=line.preset,
        frames_done=reply.frames if line.state in FOR_GOOD else reply.frames_done, left_s=None if ended else reply.left_s,
    )  # fmt: skip


def another(reply: Reply, job: str, at: float) -> Reply:
    """Return the reply for another job that renders the same film again."""
    return msgspec.structs.replace(reply, job=job, state="waiting", ended=False, at=at)


def described(reply: Reply, told: Described, at: float) -> Reply:
    """Update a reply from the description of its job, with errors first in the findings."""
    order = ("error", "warning", "note")
    findings = sorted(told.findings, key=lambda finding: order.index(finding.severity))[
        :MOST_FINDINGS
    ]
    missing = sum(shot.state in ("slate", "missing") and not shot.taken for shot in told.shots)
    done = sum(shot.state not in ("waiting", "missing") for shot in told.shots)
    known = msgspec.structs.replace(reply, frames=told.frames or reply.frames)
    return msgspec.structs.replace(
        listed(known, told.job, at), title=told.title, message=told.message, safe=told.safe, action=told.action,
        rate=told.rate, start_frame=told.start_frame, drop_frame=told.drop_frame,
        shots=len(told.shots) or reply.shots, shots_done=done if told.shots else reply.shots_done,
        shots_missing=missing if told.shots else reply.shots_missing, findings=tuple(findings),
    )  # fmt: skip


def progressed(reply: Reply, said: Progressed) -> Reply:
    """Update the progress of a reply. A snapshot that cannot be decoded is ignored."""
    moved = msgspec.structs.replace(
        reply,
        state="working",
        ended=False,
        at=said.at,
        step=said.step,
        done=said.done,
        total=said.total,
    )
    try:
        now = _snapshots.decode(said.snapshot)
    except (ValueError, RecursionError):
        now = None
    if now is None:
        return moved
    return msgspec.structs.replace(
        moved, frames=now.frames, frames_done=now.frames_done, shots=now.shots, shots_done=now.shots_done,
        shots_missing=now.shots_missing, left_s=now.left_s,
    )  # fmt: skip
