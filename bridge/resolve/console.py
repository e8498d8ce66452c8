"""Messages in the editor's Console, in the daemon's language: few lines, each self-contained."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import msgspec

from bridge.protocol.responses import Described, Progressed, Refusal
from bridge.resolve.inspect import Seen
from bridge.resolve.marker_sync import Pinned
from bridge.resolve.submit import Asked
from core.job.events import (
    Fact,
    GateClosed,
    GateOpened,
    JobFinished,
    RunInterrupted,
    ShotDegraded,
    ShotMended,
    ShotSlated,
)
from core.messages.catalogue import Words
from core.messages.phrases import phrase
from core.messages.template import Language, human_bytes
from core.report import event_text
from core.report.labels import duration, step_title
from core.system import machine
from core.timeline.timing import timecode

STEP, AT_LEAST_S, QUIET_S = 10, 60.0, 5.0
"""Progress appears every STEP percent, and after AT_LEAST_S seconds without a message.

A wait without any message is explained after QUIET_S seconds.
"""


class Console:
    """Writes lines to the editor's Console, all in `language`."""

    def __init__(self, say: Callable[[str], None], language: Language) -> None:
        self.language: Language = language
        self._say = say
        self._step, self._tenth, self._said_at = "", -1, machine.monotonic()
        self._begun, self._sent = False, 0
        self._told: Described | None = None

    def begins(self, seen: Seen, path: object) -> None:
        """Report the timeline that is open and the path of its film."""
        wide, high = seen.lacking.width, seen.lacking.height
        rate = f"{seen.rate:.6g}" if seen.rate else ""
        self._say(
            phrase(
                "editor-timeline", self.language, name=seen.name or "Timeline", width=wide, height=high, rate=rate,
                timecode=seen.start_timecode, path=path,
            )
        )  # fmt: skip

    def sending(self, arrived: int, size: int) -> None:
        """Report the upload of the timeline when it takes a while, at most at every tenth."""
        if (
            STEP * (100 * arrived // size // STEP) > self._sent
            and machine.monotonic() - self._said_at > QUIET_S
        ):
            self._sent, self._said_at = 100 * arrived // size, machine.monotonic()
            self._say(
                phrase(
                    "submit-sending",
                    self.language,
                    percent=self._sent,
                    size=human_bytes(size, self.language),
                )
            )

    def asked(self, asked: Asked) -> None:
        """Report that the job is recorded."""
        self._said_at = machine.monotonic()
        self._say(
            phrase(
                "editor-asked-again" if asked.again else "editor-asked",
                self.language,
                job=asked.job,
            )
        )

    def hear(self, said: Fact | Progressed | None) -> None:
        """Report progress now and then, and trouble at once."""
        if isinstance(said, Progressed):
            self._begun = True
            self._progress(said)
        elif said is None:
            self._quiet()
        elif isinstance(
            said, GateClosed | GateOpened | ShotSlated | ShotMended | ShotDegraded | RunInterrupted
        ):
            self._say(event_text.sentence(said, self.language))

    def _quiet(self) -> None:
        """Explain the wait when nothing has happened since the request.

        Either other jobs come first, or the daemon is paused.
        """
        if not self._begun and machine.monotonic() - self._said_at > QUIET_S:
            self._begun = True
            self._say(phrase("in-the-queue", self.language))

    def _progress(self, said: Progressed) -> None:
        if said.step:
            if said.step != self._step:
                self._say(step_title(said.step, said.total, self.language))
            self._step = said.step
            return
        now: dict[str, Any] | None = msgspec.json.decode(said.snapshot)
        if not now or not now["frames"]:
            return
        percent = 100 * now["frames_done"] // now["frames"]
        if percent // STEP > self._tenth or machine.monotonic() - self._said_at > AT_LEAST_S:
            self._tenth, self._said_at = max(self._tenth, percent // STEP), machine.monotonic()
            self._say(
                phrase(
                    "editor-progress", self.language, percent=percent, done=now["frames_done"], frames=now["frames"],
                    left=duration(now["left_s"]) if now["left_s"] is not None else None,
                )
            )  # fmt: skip

    def ended(self, told: Described, end: JobFinished | RunInterrupted) -> None:
        """Report how the job ended, and the findings."""
        self._told = told
        if isinstance(end, RunInterrupted):
            self._say(phrase("editor-cancelled", self.language))
            return
        for line in (told.title, told.message, told.safe):
            if line:
                self._say(line)
        speak = self.language
        for finding in told.findings:
            at = self._timecode(finding.first) if finding.first is not None else ""
            severity = phrase(
                {"error": "severity-error", "warning": "severity-warning", "note": "severity-note"}[
                    finding.severity
                ],
                speak,
            )
            said = phrase(
                "editor-finding",
                speak,
                severity=severity,
                timecode=at,
                title=finding.title,
                message=finding.message,
            )
            self._say(f"  {said}")

    def pinned(self, pinned: Pinned) -> None:
        """Report the changes to the markers."""
        if pinned.removed:
            self._say(phrase("editor-unmarked", self.language, count=pinned.removed))
        if pinned.standing:
            self._say(phrase("editor-marked", self.language, count=pinned.standing))
        for mark in pinned.homeless:
            self._say(
                phrase(
                    "editor-no-frame",
                    self.language,
                    timecode=self._timecode(mark.first),
                    title=mark.title,
                )
            )
        if self._told is not None and any(
            finding.severity == "error" for finding in self._told.findings
        ):
            self._say(phrase("editor-again", self.language))

    def waits(self) -> None:
        """Report that Resolve shows a dialog."""
        self._say(phrase("editor-dialog", self.language))

    def changed(self) -> None:
        """Report that the timeline differs from the one of the film."""
        self._say(phrase("editor-changed", self.language))

    def refusal(self, said: Words) -> None:
        """Report why the request fails, and what to do."""
        self._say(f"{said.title}. {said.message}")
        self._say(said.action)

    def declined(self, said: Refusal) -> None:
        """Report the daemon's refusal."""
        self._say(f"{said.title}. {said.message}")
        self._say(said.action)

    def _timecode(self, frame: int) -> str:
        told = self._told
        if told is None or not told.rate:
            return str(frame)
        return timecode(told.start_frame + frame, Fraction(told.rate), drop_frame=told.drop_frame)
