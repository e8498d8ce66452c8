"""`demo`: assemble a small film while everything goes wrong, and show that no work is lost.

It uses real movies, a real timeline, a real SIGKILL, a source that is really missing and one that
is really damaged.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from bridge.cli import demo_media
from bridge.cli.console import plain_console, safe
from bridge.settings import settings
from core.messages.phrases import phrase
from core.messages.template import Language
from core.system import machine, process

_FRAMES = 168
_KILL_AFTER = 5
_DAMAGE_BYTES = 96 * 1024


class DemoFailed(Exception):
    """The demo did not show what it promises; the text says what."""


def run(folder: str | None) -> int:
    """Run the demo. Return 0 when everything came out as promised, otherwise 3."""
    console, speak = plain_console(), settings.language()
    place = (
        Path(os.path.expanduser(folder)).absolute()
        if folder
        else Path(tempfile.mkdtemp(prefix="hotsplice-demo-"))
    )
    try:
        place.mkdir(parents=True, exist_ok=True)
        _Demo(place, console, speak).play()
    except DemoFailed as error:
        all_in = phrase("demo-all-in", speak, path=place)
        console.print(f"[red]{phrase('demo-failed', speak)}[/] {safe(str(error))} {safe(all_in)}")
        return 3
    except OSError as error:
        console.print(
            f"[red]{safe(phrase('demo-cannot', speak, path=place))}[/] {error.strerror or error}"
        )
        return 3
    return 0


class _Demo:
    def __init__(self, place: Path, console: Console, speak: Language) -> None:
        self.place, self.console, self.speak = place, console, speak
        self.media, self.away = place / "media", place / "elsewhere"
        self.film, self.timeline = place / "film.mov", place / "timeline.otio"
        self.environment = {
            **os.environ,
            "HOTSPLICE_HOME": str(place / "home"),
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        }
        self.started = machine.monotonic()

    def say(self, text: str) -> None:
        self.console.print(f"[dim]{machine.monotonic() - self.started:5.1f} s[/]  {text}")

    def play(self) -> None:
        self._prepare()
        self._kill_in_the_middle()
        self._resume()
        self._heal()
        self._verify()

    def _prepare(self) -> None:
        if self.film.exists():
            raise DemoFailed(phrase("demo-there-already", self.speak))
        self.media.mkdir(exist_ok=True)
        chosen = self.place / "home" / "settings.yaml"
        chosen.parent.mkdir(exist_ok=True)
        if not chosen.exists():
            chosen.write_text(f"language: {self.speak}\n", encoding="utf-8")
        self.away.mkdir(exist_ok=True)
        self.say(phrase("demo-sources", self.speak))
        files = [demo_media.make_reel(self.media, reel, _FRAMES) for reel in demo_media.REELS]
        a, b, c, d, e = files
        shutil.copy2(e, self.away / e.name)
        shutil.move(d, self.away / d.name)
        with e.open("r+b") as handle:
            handle.seek(e.stat().st_size // 2)
            handle.write(bytes(_DAMAGE_BYTES))
        shots: list[tuple[str, Path | None, int, int]] = [
            ("Opening", a, 12, 48),
            ("Harbour", b, 10, 40),
            ("Close-up", c, 24, 36),
            ("Night train", d, 0, 48),
            ("Window", a, 90, 60),
            ("", None, 0, 12),
            ("Argument", b, 60, 72),
            ("Letter", e, 60, 48),
            ("Rain", c, 70, 80),
            ("Reverse", a, 30, 50),
            ("Platform", b, 5, 55),
            ("Farewell", c, 100, 60),
            ("Credits", a, 100, 40),
        ]
        demo_media.make_timeline(self.timeline, shots, _FRAMES)
        frames = sum(shot[3] for shot in shots)
        cut, wrong = (
            phrase("demo-timeline", self.speak, count=len(shots), frames=frames),
            phrase("demo-wrong", self.speak),
        )
        self.say(f"{cut} [yellow]{wrong}[/]")

    @contextmanager
    def _hotsplice(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        child = process.spawn(
            [sys.executable, "-P", "-m", "bridge.cli.main", *words],
            stderr=subprocess.DEVNULL,
            environment=self.environment,
        )
        try:
            yield child
        finally:
            if child.poll() is None:
                child.kill()
            child.wait()
            if child.stdout:
                child.stdout.close()

    def _events(self, child: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
        assert child.stdout
        for line in child.stdout:
            yield json.loads(line)

    def _assemble(self) -> dict[str, Any]:
        with self._hotsplice(
            "assemble", str(self.timeline), "-o", str(self.film), "--preset", "prores-hq", "--json"
        ) as child:
            last: dict[str, Any] = {}
            for event in self._events(child):
                last = event
        if last.get("event") != "summary":
            raise DemoFailed("the run ended without a summary")
        return last

    def _kill_in_the_middle(self) -> None:
        self.say(phrase("demo-kill", self.speak))
        sealed = 0
        with self._hotsplice(
            "assemble", str(self.timeline), "-o", str(self.film), "--preset", "prores-hq", "--json"
        ) as child:
            for event in self._events(child):
                if event["event"] == "fact" and event["kind"] == "SegmentSealed":
                    sealed += 1
                if sealed >= _KILL_AFTER:
                    os.kill(child.pid, signal.SIGKILL)
                    break
                if event["event"] == "summary":
                    raise DemoFailed(f"it ended before it could be killed: {event.get('message')}")
            code = child.wait()
        if code != -signal.SIGKILL:
            raise DemoFailed(f"the killed process ended with {code}")
        right = phrase("demo-untrue" if self.film.exists() else "demo-right", self.speak)
        after = phrase("demo-after", self.speak, count=sealed, right=right)
        self.say(f"[red]{phrase('demo-killed', self.speak)}[/] {after}")

    def _resume(self) -> None:
        self.say(phrase("demo-again", self.speak))
        last = self._assemble()
        if (
            last["exit_code"] != 1
            or last["reused"] < _KILL_AFTER
            or len(last["shots_missing"]) != 2
        ):
            raise DemoFailed(
                f"expected a film with two slates from checkpoints, got {last['title']} {last['message']}"
            )
        resumed = phrase(
            "demo-resumed", self.speak, count=last["reused"], frames=last["rendered_frames"]
        )
        self.say(f"{resumed} [yellow]{last['title']}[/] {phrase('demo-reported', self.speak)}")
        for problem in last["problems"]:
            where = phrase("where-sound", self.speak)
            if problem["shots"]:
                numbers = ", ".join(map(str, problem["shots"]))
                where = phrase(
                    "where-shots", self.speak, count=len(problem["shots"]), numbers=numbers
                )
            self.console.print(
                f"         [red]{where}: {problem['title']}.[/] {safe(problem['message'])}\n         {safe(problem['action'])}"
            )

    def _heal(self) -> None:
        self.say(phrase("demo-heal", self.speak))
        for file in self.away.iterdir():
            shutil.move(str(file), str(self.media / file.name))
        last = self._assemble()
        if last["exit_code"] != 0:
            raise DemoFailed(f"expected a complete film, got {last['title']} {last['message']}")
        if last["rendered_frames"] != 48 + 48:
            raise DemoFailed(
                f"expected two shots to be made again, got {last['rendered_frames']} frames"
            )
        healed = phrase(
            "demo-healed", self.speak, made=last["rendered_frames"], frames=last["frames"]
        )
        self.say(f"[green]{last['title']}[/] {healed}")

    def _verify(self) -> None:
        with self._hotsplice("check", str(self.film), "--deep", "--json") as child:
            found = list(self._events(child))[-1]
        if found["exit_code"] != 0:
            raise DemoFailed(f"the film does not verify: {found}")
        self.say(f"[green]{phrase('demo-verified', self.speak)}[/]")
        self.say(safe(phrase("demo-film", self.speak, path=self.film)))
        again = f"HOTSPLICE_HOME={self.place / 'home'} hotsplice rollback {self.film}"
        self.console.print(f"         {safe(phrase('demo-kept', self.speak, command=again))}")
