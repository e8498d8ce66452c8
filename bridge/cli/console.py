"""Output of `assemble`: a live line for people, or one JSON event per line for programs."""

from __future__ import annotations

import json
import re
import sys
from math import ceil
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from core.errors.failure import Failure
from core.job.events import (
    REPLAN,
    AttemptFailed,
    ClockJumped,
    Fact,
    FilmPlanned,
    GateClosed,
    GateOpened,
    PreviousUsed,
    RunInterrupted,
    SealBroken,
    ShotMended,
    ShotSlated,
    SoundSilenced,
    SourceMoved,
)
from core.messages import catalogue
from core.messages.phrases import phrase
from core.messages.template import Language, decimal, middle, shown, within
from core.report.event_text import reason, sentence, wait_s, word
from core.report.labels import duration, step_title
from core.report.progress import Snapshot
from core.report.progress import snapshot as snapshot_of
from core.system import codec, machine

if TYPE_CHECKING:
    from core.engine.loop import Engine

_STEP_EVERY_S = 0.5


class Display(Protocol):
    """Receives everything that happens to one job."""

    def step(self, step: str, done: int, total: int) -> None:
        """Show a step before the plan, such as opening sources."""

    def fact(self, job: str, seq: int, fact: Fact, at: float | None = None) -> None:
        """Show a recorded event. `at` is its time in unix seconds; None means now."""

    def tick(self, engine: Engine) -> None:
        """Show progress; frames may have been counted since the last call."""

    def now(self, job: str, snapshot: Snapshot) -> None:
        """Show the job as in a snapshot; another process may run it."""

    def notice(self, title: str, message: str) -> None:
        """Show a message about the job that is not one of its events."""

    def summary(self, report: dict[str, Any]) -> None:
        """Show the end of the run. Called exactly once."""

    def close(self) -> None:
        """Stop all output."""


def plain_console() -> Console:
    """Return a console for lines and tables; without a terminal, it does not cut lines off."""
    console = Console(highlight=False, soft_wrap=True, emoji=False)
    return (
        console
        if console.is_terminal
        else Console(highlight=False, soft_wrap=True, emoji=False, width=1000)
    )


def view(engine: Engine, language: Language = "en") -> Snapshot:
    """Take a snapshot of the running job."""
    return snapshot_of(
        engine.state,
        {name: given.frames for name, given in engine.given.items()},
        machine.monotonic() - engine.tally.started,
        engine.clock.now(),
        language,
    )


class JsonLines:
    """Writes one JSON object per line to standard output; the last one is the summary."""

    def __init__(self) -> None:
        self._last = 0.0

    def _say(self, event: str, *, moment: float | None = None, **fields: Any) -> None:
        at = round(machine.now() if moment is None else moment, 3)
        try:
            sys.stdout.write(
                json.dumps({"event": event, "at": at, **fields}, ensure_ascii=False) + "\n"
            )
            sys.stdout.flush()
        except BrokenPipeError:
            # The reader is gone. The film is finished all the same.
            sys.stdout = open("/dev/null", "w")  # noqa: SIM115

    def step(self, step: str, done: int, total: int) -> None:
        self._say("step", step=step, done=done, total=total)

    def fact(self, job: str, seq: int, fact: Fact, at: float | None = None) -> None:
        body = codec.plain(fact)
        # Separate envelope and body: both may use the same field names.
        self._say("fact", moment=at, job=job, seq=seq, kind=body.pop("is"), body=body)

    def tick(self, engine: Engine) -> None:
        if machine.monotonic() - self._last >= _STEP_EVERY_S:
            self._last = machine.monotonic()
            self.now(engine.job, view(engine))

    def now(self, job: str, snapshot: Snapshot) -> None:
        body = codec.plain(snapshot)
        body.pop("is")
        self._say("progress", job=job, **body)

    def notice(self, title: str, message: str) -> None:
        self._say("notice", title=title, message=message)

    def summary(self, report: dict[str, Any]) -> None:
        self._say("summary", **report)

    def close(self) -> None:
        pass


class Live:
    """Shows a bar with time left, speed and current shot, problems as they occur, and a summary."""

    def __init__(self, language: Language = "en") -> None:
        self.language = language
        self._said: set[str] = set()
        self.console = Console(highlight=False, soft_wrap=True, emoji=False)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[rest]}", markup=False),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self._task: TaskID = self._progress.add_task(
            phrase("opening", language), total=None, rest=""
        )
        self._progress.start()

    def step(self, step: str, done: int, total: int) -> None:
        rest, speak = f"{done} / {total}", self.language
        self._progress.update(
            self._task,
            description=step_title(step, total, speak),
            completed=done,
            total=total or None,
            rest=rest,
        )

    def fact(self, job: str, seq: int, fact: Fact, at: float | None = None) -> None:
        speak = self.language
        match fact:
            case FilmPlanned():
                planned = phrase(
                    "planned-job",
                    speak,
                    count=fact.shots,
                    frames=fact.frames,
                    timecode=fact.start_timecode,
                    reused=fact.reused_frames or "",
                )
                self.console.print(f"{phrase('job', speak)} [bold]{job}[/]: {planned}")
                self._said.clear()
            case AttemptFailed() if (
                fact.failure.code == "source-changed" and fact.recovery.retry_at is not None
            ):
                # Every worker that reads the file reports this failure.
                if self._news(fact.failure.evidence.path):
                    self._retry(fact)
            case AttemptFailed() if fact.recovery.retry_at is not None and not fact.recovery.gate:
                self._retry(fact)
            case ShotSlated() if self._news_of("slate", fact.failure, f"{fact.shot}"):
                head = phrase("shot-is-slate", speak, shot=fact.shot)
                self._met("red", head, catalogue.explain(fact.failure, speak, shot=fact.shot))
            case SoundSilenced() if self._news_of("silence", fact.failure, fact.clip):
                self._met(
                    "red",
                    phrase("silence-for", speak, name=fact.clip),
                    catalogue.explain(fact.failure, speak),
                )
            case ShotMended():
                bad = phrase(
                    "bad-frames",
                    speak,
                    count=sum(frames for _, frames in fact.bad),
                    frame=fact.source_frame,
                )
                said = catalogue.words(
                    catalogue.partly(fact.failure.code),
                    speak,
                    path=fact.failure.evidence.path,
                    detail=bad,
                )
                if self._news_of("mend", fact.failure, f"{fact.shot}"):
                    self._met("yellow", phrase("shot-is-mended", speak, shot=fact.shot), said)
            case PreviousUsed():
                said = catalogue.words("previous-render-used", speak, shot=fact.shot)
                self._met("yellow", phrase("shot-is-earlier", speak, shot=fact.shot), said)
            case GateClosed():
                most = decimal(fact.patience_s, speak, 0) if fact.patience_s else ""
                head = phrase("waiting-for", speak, place=_place(fact.gate), seconds=most)
                self._met("yellow", head, catalogue.explain(fact.failure, speak))
            case GateOpened():
                place, seconds = _place(fact.gate), decimal(fact.closed_s, speak)
                ended = phrase(
                    "waited-enough" if fact.given_up else "goes-on",
                    speak,
                    place=place,
                    seconds=seconds,
                )
                self.console.print(safe(ended))
            case ClockJumped():
                code = "machine-slept" if fact.slept else "clock-jumped"
                said = catalogue.words(code, speak, detail=f"{decimal(fact.by_s, speak, 0)} s")
                self.console.print(f"[dim]{safe(said.title)}: {safe(said.message)}[/]")
            case SourceMoved():
                self.console.print(
                    f"[green]{phrase('found-again', speak)}[/]: {brief(fact.path)} → {brief(fact.to)}"
                )
            case RunInterrupted() if fact.reason == REPLAN:
                self.console.print(safe(sentence(fact, speak)))
            # A damaged file breaks all checkpoints that refer to it at once.
            case SealBroken() if self._news(fact.reason):
                self.console.print(
                    f"[yellow]{phrase('checkpoint-again', speak)}[/]: {safe(reason(fact.reason, speak))}"
                )
            case _:
                pass

    def _news(self, about: str) -> bool:
        """Return whether `about` is new, and remember it. A new plan clears the memory."""
        new = about not in self._said
        self._said.add(about)
        return new

    def _news_of(self, kind: str, failure: Failure, where: str) -> bool:
        """Return whether this kind of trouble is new for its cause and file.

        The summary lists all shots and frames. Without a file, every place is reported.
        """
        return self._news(f"{kind} {failure.code} {failure.evidence.path or where}")

    def _retry(self, fact: AttemptFailed) -> None:
        seconds = wait_s(fact.recovery, fact.at, self.language)
        head = phrase("retry", self.language, seconds=seconds, attempt=fact.attempt + 1)
        self._met("yellow", head, catalogue.explain(fact.failure, self.language))

    def _met(self, colour: str, head: str, said: catalogue.Words) -> None:
        self.console.print(
            f"[{colour}]{safe(head)}[/] ({safe(within(said.title, self.language))}): {safe(said.message)}"
        )

    def notice(self, title: str, message: str) -> None:
        self.console.print(f"[yellow]{safe(title)}[/]: {safe(message)}")

    def tick(self, engine: Engine) -> None:
        self.now(engine.job, view(engine, self.language))

    def now(self, job: str, snapshot: Snapshot) -> None:
        now, speak = snapshot, self.language
        title = phrase(
            {"join": "joining", "publish": "publishing", "done": "done"}.get(
                now.phase, "assembling"
            ),
            speak,
        )
        working = now.working_on[0] if now.working_on else ""
        if now.waiting_s > 0:
            working = phrase(
                "waiting", speak, seconds=f"{ceil(now.waiting_s)}", attempt=now.retry_attempt or ""
            )
        self._progress.update(
            self._task,
            description=title,
            total=now.frames,
            completed=now.frames_done,
            rest=phrase(
                "left",
                speak,
                time=duration(now.left_s),
                fps=f"{now.frames_per_s:.0f}",
                working=working[:40],
            ),
        )

    def close(self) -> None:
        self._progress.stop()

    def summary(self, report: dict[str, Any]) -> None:
        self.close()
        say = self.console.print
        problems = report.get("problems", [])
        for code in dict.fromkeys(problem["code"] for problem in problems):
            alike = [problem for problem in problems if problem["code"] == code]
            say(f"[bold red]{alike[0]['title']}[/]")
            for path in dict.fromkeys(problem["path"] for problem in alike):
                say(
                    f"   {self._of_one_file([problem for problem in alike if problem['path'] == path])}"
                )
            for line in filter(None, (alike[0]["did"], *map(self._advice, alike[0]["actions"]))):
                say(f"   [dim]{safe(line)}[/]")
        for one in report.get("decided", []):
            say(
                f"[dim]{word('decided', 'as it is', self.language)}: {_where(one, self.language)}: {safe(one['message'])}[/]"
            )
        for remark in report.get("remarks", []):
            colour = "yellow" if remark["severity"] == "loss" else "dim"
            times = (
                f" {phrase('times', self.language, count=remark['count'])}"
                if remark["count"] > 1
                else ""
            )
            say(f"[{colour}]{remark['title']}[/]{times}: {safe(remark['message'])}")
        colour = {0: "green", 1: "yellow"}.get(report["exit_code"], "red")
        say(f"[bold {colour}]{report['title']}[/] {safe(report['message'])}")
        advice = (
            map(self._advice, report["actions"])
            if report.get("actions")
            else [report.get("action")]
        )
        for line in filter(None, (report.get("did"), report.get("safe"), *advice)):
            say(safe(line))

    def _of_one_file(self, problems: list[dict[str, Any]]) -> str:
        """Format problems with one cause in one file as one line, with the first timecode."""
        of_all = {
            name: [one for problem in problems for one in problem[name]]
            for name in ("shots", "clips", "timecodes")
        }
        lists = {name: list(dict.fromkeys(values)) for name, values in of_all.items()}
        count = sum(len(problem.get("places", ())) or 1 for problem in problems)
        times = f" {phrase('times', self.language, count=count)}" if count > 1 else ""
        return (
            f"{_where(problems[0] | lists, self.language)}: {safe(problems[0]['message'])}{times}"
        )

    def _advice(self, action: dict[str, Any]) -> str:
        """Format an action, marked when it cannot be undone."""
        return f"→ {action['do']}" + (
            "" if action["safe"] else f" {phrase('with-care', self.language)}"
        )


def safe(text: str) -> str:
    """Escape rich markup and control characters, which file names may contain."""
    return re.sub(r"(\\+)(?=\[|\Z)|\[", _literal, printable(text))


def brief(text: object) -> str:
    """Shorten a name or path in the middle and make it `safe`, for a line or a table.

    JSON output contains the full text.
    """
    return safe(middle(shown(text)))


def printable(text: str) -> str:
    """Make control characters visible, and show `?` for bytes that are not valid text."""
    return "".join(
        "?" if "\udc80" <= character <= "\udcff" else character for character in shown(text)
    )


def _literal(found: re.Match[str]) -> str:
    """Escape a bracket, or backslashes before a bracket or at the end of the text.

    Rich would read such backslashes as the escape of the bracket that follows; an empty tag
    separates the two.
    """
    return f"{found[1] * 2}[none][/none]" if found[1] else "\\["


def _place(gate: str) -> str:
    """Return the volume that a circuit breaker waits for, or "" when its name holds none."""
    return gate.partition(":")[2]


def _where(problem: dict[str, Any], language: Language) -> str:
    shots = problem["shots"]
    if not shots:
        return phrase("where-sound", language)
    first = next(iter(problem["timecodes"]), "")
    where = phrase(
        "where-shots", language, count=len(shots), numbers=_numbers(shots, language), timecode=first
    )
    return phrase("and-sound", language, where=where) if problem["clips"] else where


def _numbers(numbers: list[int], language: Language, most: int = 12) -> str:
    shown = ", ".join(map(str, numbers[:most]))
    return (
        phrase("and-more", language, numbers=shown, more=len(numbers) - most)
        if len(numbers) > most
        else shown
    )
