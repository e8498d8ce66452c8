"""What `assemble` shows while it works: a live line for people, or one JSON event per line for programs."""

from __future__ import annotations

import json
import re
import sys
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from core.engine import Engine
from core.explain import catalogue
from core.explain.snapshot import Snapshot, snapshot
from core.model import codec
from core.model.facts import AttemptFailed, Fact, FilmPlanned, SealBroken, ShotSlated, SoundSilenced, SourceMoved
from core.perform import machine

_STEP_EVERY_S = 0.5


class Display(Protocol):
    """Hears what happens to one job."""

    def step(self, step: str, done: int, total: int) -> None:
        """Something before the plan: sources being opened."""

    def fact(self, job: str, seq: int, fact: Fact) -> None:
        """A fact that was recorded."""

    def tick(self, engine: Engine) -> None:
        """Frames may have been counted."""

    def summary(self, report: dict[str, Any]) -> None:
        """The end, always called, once."""

    def close(self) -> None:
        """No more output."""


def plain_console() -> Console:
    """For lines and tables: nothing is cut off where nobody sees a terminal's edge."""
    console = Console(highlight=False, soft_wrap=True, emoji=False)
    return console if console.is_terminal else Console(highlight=False, soft_wrap=True, emoji=False, width=1000)


def view(engine: Engine) -> Snapshot:
    """The job as it is now."""
    return snapshot(
        engine.state,
        {name: given.frames for name, given in engine.given.items()},
        machine.monotonic() - engine.tally.started,
        machine.now(),
    )


def duration(seconds: float | None) -> str:
    """1:02:03, 2:03 or a dash."""
    if seconds is None:
        return "–"
    whole = int(seconds + 0.5)
    hours, minutes, secs = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{secs:02}" if hours else f"{minutes}:{secs:02}"


def step_title(step: str, total: int) -> str:
    """What is done before the plan."""
    if step == "find":
        return f"Looking for {total} file{'s' if total > 1 else ''}"
    return "Opening media"


class JsonLines:
    """One JSON object per line on standard output; the last is the summary."""

    def __init__(self) -> None:
        self._last = 0.0

    def _say(self, event: str, **fields: Any) -> None:
        try:
            sys.stdout.write(json.dumps({"event": event, "at": round(machine.now(), 3), **fields}, ensure_ascii=False) + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            sys.stdout = open("/dev/null", "w")  # noqa: SIM115  nobody listens any more; the film is finished all the same

    def step(self, step: str, done: int, total: int) -> None:
        self._say("step", step=step, done=done, total=total)

    def fact(self, job: str, seq: int, fact: Fact) -> None:
        body = codec.plain(fact)
        self._say("fact", job=job, seq=seq, kind=body.pop("is"), body=body)  # envelope and body apart: both have names

    def tick(self, engine: Engine) -> None:
        if machine.monotonic() - self._last >= _STEP_EVERY_S:
            self._last = machine.monotonic()
            body = codec.plain(view(engine))
            body.pop("is")
            self._say("progress", job=engine.job, **body)

    def summary(self, report: dict[str, Any]) -> None:
        self._say("summary", **report)

    def close(self) -> None:
        pass


class Live:
    """A bar with time left, speed and the shot under work; problems as they are met; a closing word."""

    def __init__(self) -> None:
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
        self._task: TaskID = self._progress.add_task("Opening media", total=None, rest="")
        self._progress.start()

    def step(self, step: str, done: int, total: int) -> None:
        self._progress.update(
            self._task, description=step_title(step, total), completed=done, total=total or None, rest=f"{done} of {total}"
        )

    def fact(self, job: str, seq: int, fact: Fact) -> None:
        match fact:
            case FilmPlanned():
                reused = f", {fact.reused_frames} frames are checkpoints already" if fact.reused_frames else ""
                self.console.print(
                    f"Job [bold]{job}[/]: {fact.shots} shots, {fact.frames} frames from {fact.start_timecode}{reused}."
                )
            case AttemptFailed() if fact.recovery.retry_at is not None:
                said = catalogue.explain(fact.failure)
                self.console.print(f"[yellow]Retry[/] ({said.title.lower()}): {safe(said.message)}")
            case ShotSlated():
                said = catalogue.explain(fact.failure)
                self.console.print(f"[red]Shot {fact.shot} is a slate[/] ({said.title.lower()}): {safe(said.message)}")
            case SoundSilenced():
                said = catalogue.explain(fact.failure)
                self.console.print(f"[red]Silence for {safe(fact.clip)}[/] ({said.title.lower()}): {safe(said.message)}")
            case SourceMoved():
                self.console.print(f"[green]Found again[/]: {safe(fact.path)} is now {safe(fact.to)}")
            case SealBroken():
                self.console.print(f"[yellow]A checkpoint is made again[/]: {safe(fact.reason)}")
            case _:
                pass

    def tick(self, engine: Engine) -> None:
        now = view(engine)
        title = {"join": "Joining the film", "publish": "Publishing", "done": "Done"}.get(now.phase, "Assembling")
        working = now.working_on[0] if now.working_on else ""
        if now.waiting_s > 0:
            working = f"waiting {now.waiting_s:.0f} s"
        self._progress.update(
            self._task,
            description=title,
            total=now.frames,
            completed=now.frames_done,
            rest=f"{duration(now.left_s)} left  {now.frames_per_s:.0f} fps  {printable(working[:40])}",
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
            for problem in alike:
                say(f"   {_where(problem)}: {safe(problem['message'])}")
            say(f"   [dim]{safe(alike[0]['action'])}[/]")
        for remark in report.get("remarks", []):
            colour = "yellow" if remark["severity"] == "loss" else "dim"
            times = f" ({remark['count']} times)" if remark["count"] > 1 else ""
            say(f"[{colour}]{remark['title']}[/]{times}: {safe(remark['message'])}")
        colour = {0: "green", 1: "yellow"}.get(report["exit_code"], "red")
        say(f"[bold {colour}]{report['title']}[/] {safe(report['message'])}")
        for line in (report.get("safe"), report.get("action")):
            if line:
                say(safe(line))


def safe(text: str) -> str:
    """File names may hold rich's own markup and control characters; they are shown, never obeyed."""
    return re.sub(r"(\\+)(?=\[|\Z)|\[", _literal, printable(text))


def printable(text: str) -> str:
    """Without control characters."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _literal(found: re.Match[str]) -> str:
    """A bracket; or backslashes that rich would take for the escape of the bracket after them: an empty tag parts the two."""
    return f"{found[1] * 2}[none][/none]" if found[1] else "\\["


def _where(problem: dict[str, Any]) -> str:
    shots = problem["shots"]
    if not shots:
        return "Sound"
    return f"Shot{'s' if len(shots) > 1 else ''} {_numbers(shots)}" + (" and sound" if problem["clips"] else "")


def _numbers(numbers: list[int], most: int = 12) -> str:
    shown = ", ".join(map(str, numbers[:most]))
    return shown + (f" and {len(numbers) - most} more" if len(numbers) > most else "")
