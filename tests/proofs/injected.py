"""Twenty-two real failures, each in a data folder of its own, of which only the logs are kept: can a stranger name the causes?

    python -m tests.proofs.injected --out FOLDER [--only NUMBER,...]          on Linux, with root and FUSE

`FOLDER/logs/01`, `02`, ... hold what somebody would send who asks for help: the files of `logs/` and the companion's words.
`FOLDER/key/answers.json`, which belongs to nobody who tries, says what was done. The order is by chance, but always the same.
Every failure must have fired. Whether the logs name it is for a reader to judge.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.faults import hands
from tests.faults.hands import (
    Hand,
    Setting,
    failing,
    full,
    planned,
    pulled,
    recipe,
    signalled,
    spoiled,
)
from tests.faults.matrix import _ENCODERLESS, _truncate, _zero
from tests.faults.running import Run, TooLate, working
from tests.faults.stage import Stage
from tests.film.media import make_movie
from tests.proofs import report

SEED = 7


class LoggedStage(Stage):
    """A stage whose runs are those of the real command line, so that they write its logs."""

    command: Sequence[str] = ()

    def run(self, *, wrapper: Sequence[str] = (), **more: Any) -> Run:
        """Begin a run of `command`, or of `assemble`."""
        settings = [f"scratch: {self.scratch}"] + [
            f"{key}: {self.asked[key]}" for key in ("ffmpeg",) if key in self.asked
        ]
        if self.home.is_dir() and not (self.home / "settings.yaml").exists():
            (self.home / "settings.yaml").write_text("\n".join(settings) + "\n", encoding="utf-8")
        program = [sys.executable, "-m", "bridge.cli.main"]
        words = self.command or [
            *program, "assemble", self.asked["timeline"], "-o", self.asked["output"], "-p", self.asked.get("preset", "prores-hq"),
            "-j", "2", "--wait", "6", "--json",
        ]  # fmt: skip
        state = str(
            self.root.with_name("state")
        )  # which volume the data folder was on is remembered there
        environment = {
            "HOTSPLICE_HOME": str(self.home),
            "XDG_STATE_HOME": state,
            **more.pop("environment", {}),
        }
        self.runs.append(
            Run(
                self.asked,
                self.root,
                wrapper=wrapper,
                command=words,
                environment=environment,
                **more,
            )
        )
        return self.runs[-1]


class Failure(NamedTuple):
    """What is done, in words for the key. `heals`: it is over when the run has spoken of it. `first`: undisturbed runs before."""

    cause: str
    setting: Setting
    heals: bool = False
    limit_s: float = 90.0


# Failures that the matrix does not have ---------------------------------------------------------------------------------


def _replaced(path: Path) -> None:
    """Another recording of the same length in its place."""
    make_movie(
        path.with_name("other.mov"),
        source_id=9,
        frames=72,
        size=(480, 270),
        codec="dnxhr",
        audio="pcm",
        bits=16,
    )
    path.with_name("other.mov").replace(path)


@contextmanager
def _journal_read_only(stage: Stage) -> Iterator[Hand]:
    journal = stage.home / "journal.db"
    subprocess.run(["mount", "--bind", str(journal), str(journal)], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", str(journal)], check=True)
    try:
        yield Hand()
    finally:
        stage.close()
        subprocess.run(["umount", "-l", str(journal)], check=True)


@contextmanager
def _ffmpeg_not_executable(stage: Stage) -> Iterator[Hand]:
    program = stage.root / "ffmpeg"
    program.write_bytes(b"\x7fELF")
    program.chmod(0o644)
    stage.asked["ffmpeg"] = str(program)
    (stage.home / "settings.yaml").unlink()
    yield Hand()


@contextmanager
def _wrong_settings(stage: Stage) -> Iterator[Hand]:
    with (stage.home / "settings.yaml").open("a", encoding="utf-8") as file:
        file.write("jobs: many\n")
    yield Hand()


@contextmanager
def _hostile_timeline(stage: Stage) -> Iterator[Hand]:
    Path(stage.asked["timeline"]).write_text("[" * 50_000 + "]" * 50_000, encoding="utf-8")
    yield Hand()


@contextmanager
def _clock_set_back(stage: Stage) -> Iterator[Hand]:
    offset = stage.root / "offset"
    offset.write_text("0", encoding="utf-8")
    code = (
        "import sys; from core.system import machine; now = machine.now\n"
        f"machine.now = lambda: now() + float(open({str(offset)!r}).read() or 0)\n"
        "from bridge.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    stage.command = [
        sys.executable, "-c", code, "assemble", stage.asked["timeline"], "-o", stage.asked["output"], "-p", "prores-hq", "-j", "1", "--json"
    ]  # fmt: skip

    def strike(run: Run) -> None:
        planned(run)
        offset.with_suffix(".new").write_text("-93600", encoding="utf-8")
        offset.with_suffix(".new").replace(offset)

    yield Hand(strike=strike, fired=lambda: int(offset.read_text() != "0"))


@contextmanager
def _folder_renamed(stage: Stage) -> Iterator[Hand]:
    renamed = stage.root / "out-moved"

    def strike(run: Run) -> None:
        planned(run)
        stage.out.rename(renamed)

    yield Hand(strike=strike, fired=lambda: int(renamed.exists()))


@contextmanager
def _data_folder_full(stage: Stage) -> Iterator[Hand]:
    with full("home", 4000)(stage) as hand:
        yield hand


def _hotsplice(stage: Stage, *words: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "HOTSPLICE_HOME": str(stage.home)}
    return subprocess.run(
        [sys.executable, "-m", "bridge.cli.main", *words], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
        timeout=90, check=False, **more,
    )  # fmt: skip


def _submit(stage: Stage) -> None:
    _hotsplice(
        stage,
        "submit",
        stage.asked["timeline"],
        "-o",
        stage.asked["output"],
        "-p",
        "prores-hq",
        "--detach",
    )


def _companion_of(stage: Stage) -> int:
    return int(json.loads((stage.home / "run" / "companion.json").read_text())["pid"])


@contextmanager
def _companion_killed(stage: Stage) -> Iterator[Hand]:
    killed: list[int] = []

    def scene() -> None:
        _submit(stage)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not list((stage.scratch / "work").glob("*/*")):
            time.sleep(0.01)
        killed.append(_companion_of(stage))
        os.kill(killed[0], signal.SIGKILL)
        _hotsplice(
            stage, "submit", stage.asked["timeline"], "-o", stage.asked["output"], "-p", "prores-hq"
        )
        _hotsplice(stage, "stop")

    stage.command = ["true"]
    yield Hand(strike=lambda run: scene(), fired=lambda: len(killed))


@contextmanager
def _socket_taken(stage: Stage) -> Iterator[Hand]:
    code = "import socket, time; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); print(s.getsockname()[1], flush=True); time.sleep(120)"
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert other.stdout
    port = int(other.stdout.readline())

    def scene() -> None:
        with (stage.home / "settings.yaml").open("a", encoding="utf-8") as file:
            file.write(f"listen: 127.0.0.1:{port}\n")
        _submit(stage)
        _hotsplice(stage, "stop")

    stage.command = ["true"]
    try:
        yield Hand(strike=lambda run: scene())
    finally:
        other.kill()
        other.wait()
        other.stdout.close()


FAILURES: tuple[Failure, ...] = (
    Failure("The drive with the media was unplugged while shots were rendered, and came back.", pulled("media"), heals=True),
    Failure("The drive with the film's folder was unplugged while shots were rendered, and did not come back.", pulled("out"), limit_s=120.0),
    Failure("The scratch disk filled up.", full("scratch", 120_000)),
    Failure("The film's own volume filled up.", full("out", 90_000)),
    Failure("The disk with the data folder (journal) filled up.", _data_folder_full),
    Failure("An ffmpeg that rendered was killed (SIGKILL) by somebody.", signalled(signal.SIGKILL)),
    Failure("An ffmpeg that rendered hung (stopped, no progress).", signalled(signal.SIGSTOP), limit_s=180.0),
    Failure("An ffmpeg that rendered crashed (SIGSEGV).", signalled(signal.SIGSEGV)),
    Failure("The ffmpeg named in the settings is not executable.", _ffmpeg_not_executable),
    Failure("The source two.mp4 is cut off (truncated), its index is missing.", spoiled("two.mp4", _truncate(0.6))),
    Failure("A stretch in the middle of the source two.mp4 is overwritten (damaged bytes).", spoiled("two.mp4", _zero(0.3, 0.5))),
    Failure("The source one.mov was replaced by another recording while rendering.", spoiled("one.mov", _replaced, late=True)),
    Failure("The drive of the media has bad blocks: reading one.mov ends in EIO.", failing("media", "read", error="EIO", match="one", early=True, after=40)),
    Failure("The share with the media stalled: reads did not come back for a while.",
            failing("media", "read", hang=True, match="one|two", kind="sshfs"), heals=True, limit_s=180.0),
    Failure("The preset asks for an encoder that this ffmpeg does not have.", recipe(_ENCODERLESS)),
    Failure("A worker was killed by the kernel because memory ran out (OOM).", hands.starved(working, "8M")),
    Failure("The journal is read-only.", _journal_read_only),
    Failure("The clock of the machine was set back (by 26 hours) during the job.", _clock_set_back),
    Failure("The companion was killed (SIGKILL) during a job; a new one took it up.", _companion_killed),
    Failure("The timeline is hostile: 50,000 nested arrays.", _hostile_timeline),
    Failure("The settings have a mistake: `jobs: many`.", _wrong_settings),
    Failure("The port in `listen` is taken by another program.", _socket_taken),
    Failure("The film's folder was renamed while shots were rendered.", _folder_renamed),
)  # fmt: skip


def inject(stage: LoggedStage, failure: Failure) -> bool:
    """Put one failure in place, run the job, and see it to its end; whether it fired, and the run wrote a log."""
    stage.restore()
    stage.command = ()
    shutil.rmtree(stage.root.with_name("state"), ignore_errors=True)
    with failure.setting(stage) as hand:
        run = stage.run(**hand.run)
        try:
            hand.strike(run)
            if failure.heals:
                run.until(lambda: bool(run.faults()), failure.limit_s)
                time.sleep(1.5)
                hand.heal()
            run.end(failure.limit_s)
        except TooLate as error:
            print(f"not at its end in time: {error}", flush=True)
        fired = hand.fired()
        logs = stage.root.with_name("logs-now")
        shutil.rmtree(logs, ignore_errors=True)
        logs.mkdir()
        for path in [*(stage.home / "logs").glob("*"), *stage.home.glob("companion.log*")]:
            if path.stat().st_size and path.name != "reserve":
                shutil.copy(path, logs / path.name)
        spoke = any(
            f'"pid": {run.process.pid},' in path.read_text(errors="replace")
            for path in logs.iterdir()
        )
        if not failure.heals:
            hand.heal()
        stage.close()
    return fired > 0 and spoke


def prove(
    place: Path, out: Path, say: report.Say, only: Sequence[int]
) -> tuple[bool, dict[str, object]]:
    """Make all failures, or only these; whether each fired, and the figures."""
    stage = LoggedStage(place / "studio")
    stage.prepare()
    order = list(range(len(FAILURES)))
    random.Random(SEED).shuffle(order)
    key: dict[str, str] = {}
    silent = []
    for number, index in enumerate(order, 1):
        if only and number not in only:
            continue
        failure, began = FAILURES[index], time.monotonic()
        fired = inject(stage, failure)
        if not fired:
            silent.append(number)
        shutil.copytree(
            stage.root.with_name("logs-now"), out / "logs" / f"{number:02}", dirs_exist_ok=True
        )
        key[f"{number:02}"] = failure.cause
        say(f"{number:02} {'made' if fired else 'DID NOT FIRE'}, {time.monotonic() - began:.0f} s")
    (out / "key").mkdir(exist_ok=True)
    (out / "key" / "answers.json").write_text(json.dumps(key, indent=1), encoding="utf-8")
    return not silent, {"failures": len(key), "never_fired": silent, "logs": str(out / "logs")}


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; its exit code."""
    asked = argparse.ArgumentParser(prog="python -m tests.proofs.injected")
    asked.add_argument("--out", type=Path, required=True)
    asked.add_argument("--only", default="")
    words = asked.parse_args(arguments)
    say, began = report.Say(), time.monotonic()
    words.out.mkdir(parents=True, exist_ok=True)
    with report.workplace("studio") as place:
        only = [int(number) for number in words.only.split(",") if number]
        held, figures = prove(place, words.out, say, only)
    return report.close("injected", held, seconds=time.monotonic() - began, **figures)


if __name__ == "__main__":
    sys.exit(main())
