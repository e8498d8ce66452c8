"""The ways in which a fault is put into a job, as context managers: they give a `Hand` that strikes, heals and can prove that
it struck."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.faults import volumes
from tests.faults.running import Run, rendering, working
from tests.faults.stage import Stage
from tests.proofs.stage import bytes_hash

Setting = Callable[[Stage], Any]


def nothing(*_: object) -> None:
    """Nothing is done."""


@dataclass
class Hand:
    """`strike` is called when the run has begun, `heal` when its fault was seen; `fired` counts what was struck. `run` are
    further words for `Stage.run`."""

    strike: Callable[[Run], None] = nothing
    heal: Callable[[], None] = nothing
    fired: Callable[[], int] = lambda: 1
    run: dict[str, Any] = field(default_factory=dict)


def planned(run: Run) -> None:
    """Wait until the sources were examined and rendering begins."""
    run.until(lambda: run.at("FilmPlanned") is not None)


# Volumes --------------------------------------------------------------------------------------------------------------


def failing(
    where: str,
    *ops: str,
    error: str = "",
    kind: str = "",
    match: str = "",
    early: bool = False,
    **how: Any,
) -> Setting:
    """The volume of `where` (media, scratch, out) fails, from when rendering begins or, `early`, from the start."""

    @contextmanager
    def put(stage: Stage) -> Iterator[Hand]:
        with volumes.faulty(getattr(stage, where), kind) as volume:

            def strike(run: Run) -> None:
                if not early:
                    planned(run)
                volume.fail(*ops, match=match, errno=getattr(errno, error) if error else 0, **how)

            if early:
                strike(None)  # type: ignore[arg-type]
                yield Hand(heal=volume.clear, fired=lambda: volume.fired)
            else:
                yield Hand(strike=strike, heal=volume.clear, fired=lambda: volume.fired)

    return put


def vanishing(where: str) -> Setting:
    """The program behind a share is killed, and the share mounted again later."""

    @contextmanager
    def put(stage: Stage) -> Iterator[Hand]:
        with volumes.faulty(getattr(stage, where), "sshfs") as volume:

            def strike(run: Run) -> None:
                planned(run)
                volume.vanish()

            yield Hand(strike=strike, heal=volume.come_back, fired=lambda: 1)

    return put


def pulled(where: str) -> Setting:
    """The drive of a folder is pulled out while rendering, and plugged in again."""

    @contextmanager
    def put(stage: Stage) -> Iterator[Hand]:
        with volumes.removable(getattr(stage, where)) as drive:

            def strike(run: Run) -> None:
                planned(run)
                drive.pull()

            yield Hand(strike=strike, heal=drive.plug, fired=lambda: drive.fired)

    return put


def full(where: str, kilobytes: int) -> Setting:
    """A small volume, filled to the last byte when rendering begins."""

    @contextmanager
    def put(stage: Stage) -> Iterator[Hand]:
        with volumes.small(getattr(stage, where), kilobytes=kilobytes) as filler:

            def strike(run: Run) -> None:
                planned(run)
                with filler.open("wb", buffering=0) as handle:
                    try:
                        while handle.write(bytes(4096)):
                            pass
                    except OSError:
                        return

            yield Hand(
                strike=strike,
                heal=lambda: filler.unlink(missing_ok=True),
                fired=lambda: int(filler.exists()),
            )

    return put


def read_only(where: str) -> Setting:
    """A volume that is remounted read-only while it is in use."""

    @contextmanager
    def put(stage: Stage) -> Iterator[Hand]:
        folder = getattr(stage, where)
        struck: list[int] = []
        with volumes.small(folder, kilobytes=400_000):

            def strike(run: Run) -> None:
                planned(run)
                for _ in range(500):  # refused as long as a file is open for writing
                    words = ["mount", "-o", "remount,ro", str(folder)]
                    if subprocess.run(words, check=False, capture_output=True).returncode == 0:
                        struck.append(1)
                        return

            yield Hand(
                strike=strike, heal=lambda: subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True) and None,
                fired=lambda: sum(struck),
            )  # fmt: skip

    return put


# Media ----------------------------------------------------------------------------------------------------------------


def spoiled(name: str, spoil: Callable[[Path], None], *, late: bool = False) -> Setting:
    """A source that is spoiled before the run, or `late` when rendering begins; healed by putting the good file back."""

    @contextmanager
    def put(stage: Stage) -> Iterator[Hand]:
        path, good = stage.media / name, stage.saved / "media" / name
        struck: list[bool] = []

        def strike(run: Run | None) -> None:
            if run is not None:
                planned(run)
            spoil(path)
            struck.append(
                not path.is_file()
                or bytes_hash(path) != bytes_hash(good)
                or path.stat().st_mtime != good.stat().st_mtime
            )

        def heal() -> None:
            if path.is_dir():
                shutil.rmtree(path)
            path.unlink(missing_ok=True)
            shutil.copy2(good, path)

        if not late:
            strike(None)
        yield Hand(strike=strike if late else nothing, heal=heal, fired=lambda: sum(struck))

    return put


# Processes and limits -------------------------------------------------------------------------------------------------


def signalled(number: int, what: Callable[[list[str]], bool] = rendering) -> Setting:
    """A signal to the first ffmpeg that renders, or to a worker."""

    @contextmanager
    def put(stage: Stage) -> Iterator[Hand]:
        struck: list[int] = []

        def strike(run: Run) -> None:
            planned(run)
            for _ in range(50):
                pid = run.catch(rendering)
                if what is working:
                    pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    continue
                struck.append(pid)
                return

        yield Hand(strike=strike, fired=lambda: len(struck))

    return put


def limited(kind: int, most: int) -> Setting:
    """A resource limit on the workers, and so on all that they start."""

    @contextmanager
    def put(stage: Stage) -> Iterator[Hand]:
        struck: list[int] = []
        runs: list[Run] = []
        before = resource.getrlimit(kind)

        def strike(run: Run) -> None:
            runs.append(run)
            planned(run)
            for pid, words in run.family().items():
                if working(words):
                    resource.prlimit(pid, kind, (most, before[1]))
                    struck.append(pid)

        def heal() -> None:
            for pid in [pid for run in runs for pid in run.family()]:
                try:
                    resource.prlimit(pid, kind, before)
                except ProcessLookupError:
                    continue

        yield Hand(strike=strike, heal=heal, fired=lambda: len(struck))

    return put


def crowded(more: int) -> Setting:
    """A control group whose number of processes is limited to what there is and a few more."""

    @contextmanager
    def put(stage: Stage) -> Iterator[Hand]:
        group = Path("/sys/fs/cgroup/pids") / f"hotsplice-{os.getpid()}-{stage.root.name}"
        group.mkdir()

        def strike(run: Run) -> None:
            planned(run)
            (group / "pids.max").write_text(str(len(run.family()) + more))

        def events() -> int:
            return int((group / "pids.events").read_text().split()[1])

        try:
            yield Hand(
                strike=strike, heal=lambda: (group / "pids.max").write_text("max") and None, fired=events,
                run={"prepare": lambda: (group / "cgroup.procs").write_text(str(os.getpid())) and None},
            )  # fmt: skip
        finally:
            stage.close()
            for _ in range(100):
                try:
                    group.rmdir()
                    break
                except OSError:
                    signal.sigtimedwait([], 0.05)

    return put


def starved(what: Callable[[list[str]], bool] = rendering, most: str = "1M") -> Setting:
    """The kernel's own killer: the first ffmpeg that renders, or a worker, is put into a control group without memory."""

    @contextmanager
    def put(stage: Stage) -> Iterator[Hand]:
        group = Path("/sys/fs/cgroup/memory") / f"hotsplice-{os.getpid()}-{stage.root.name}"
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(most)

        def strike(run: Run) -> None:
            planned(run)
            for _ in range(50):
                try:
                    (group / "cgroup.procs").write_text(str(run.catch(what)))
                    return
                except OSError:
                    continue

        def kills() -> int:
            words = (group / "memory.oom_control").read_text().split()
            return int(words[words.index("oom_kill") + 1])

        try:
            yield Hand(strike=strike, fired=kills)
        finally:
            stage.close()
            group.rmdir()

    return put


def why_no_hog() -> str:
    """Taking a quarter of the memory away from everybody needs some to begin with."""
    free = psutil.virtual_memory().available
    return "" if free > 12 << 30 else f"only {free >> 20} MB of memory are free"


def hogged() -> Setting:
    """Another program takes so much memory that there is less than the job is told to want."""

    @contextmanager
    def put(stage: Stage) -> Iterator[Hand]:
        free = psutil.virtual_memory().available
        stage.asked["policy"]["free_memory_bytes"] = int(
            free * 0.75
        )  # it wants a quarter more than this to go on
        words = f"data = bytearray({int(free * 0.28)}); data[::4096] = b'x' * len(data[::4096]); print('held', flush=True); input()"
        hog = subprocess.Popen(
            [sys.executable, "-c", words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert hog.stdout
        hog.stdout.readline()

        def heal() -> None:
            hog.kill()
            hog.wait()

        try:
            yield Hand(heal=heal)
        finally:
            heal()

    return put


def asked(**more: Any) -> Setting:
    """The request itself is at fault; healed by asking as usual."""

    @contextmanager
    def put(stage: Stage) -> Iterator[Hand]:
        usual = dict(stage.asked)
        stage.asked = {**usual, **more}

        def heal() -> None:
            stage.asked = usual

        yield Hand(heal=heal)

    return put


def recipe(text: str) -> Setting:
    """A preset of the user's own that is at fault."""

    @contextmanager
    def put(stage: Stage) -> Iterator[Hand]:
        (stage.home / "presets").mkdir(exist_ok=True)
        (stage.home / "presets" / "mine.yaml").write_text(text, encoding="utf-8")
        with asked(preset="mine")(stage) as hand:
            yield hand

    return put


def traced(fault: str) -> Setting:
    """Errors injected into system calls of every worker by strace."""

    @contextmanager
    def put(stage: Stage) -> Iterator[Hand]:
        traces: list[Path] = []
        tracers: list[subprocess.Popen[bytes]] = []

        def strike(run: Run) -> None:
            run.until(lambda: bool(run.lines))
            for pid in [pid for pid, words in run.family().items() if working(words)]:
                traces.append(stage.root / f"trace{pid}")
                words = [
                    "strace",
                    "-qq",
                    "-o",
                    str(traces[-1]),
                    "-p",
                    str(pid),
                    "-e",
                    f"trace={fault.partition(':')[0]}",
                ]
                tracers.append(
                    subprocess.Popen([*words, "-e", f"inject={fault}"], stderr=subprocess.DEVNULL)
                )

        def heal() -> None:
            for tracer in tracers:
                tracer.terminate()
                tracer.wait()

        try:
            yield Hand(
                strike=strike, heal=heal,
                fired=lambda: sum(trace.read_text(errors="replace").count("INJECTED") for trace in traces if trace.exists()),
            )  # fmt: skip
        finally:
            heal()

    return put


def growing(name: str) -> Setting:
    """Somebody writes to a source, a little every few milliseconds, until the fault was seen; then the good file is put back."""

    @contextmanager
    def put(stage: Stage) -> Iterator[Hand]:
        path, good, stop = stage.media / name, stage.saved / "media" / name, threading.Event()
        written: list[int] = []

        def write() -> None:
            with path.open("ab") as handle:
                while not stop.wait(0.01):
                    written.append(handle.write(bytes(100)))
                    handle.flush()

        writer = threading.Thread(target=write)
        writer.start()

        def heal() -> None:
            stop.set()
            writer.join()
            shutil.copy2(good, path)

        try:
            yield Hand(heal=heal, fired=lambda: len(written))
        finally:
            stop.set()
            writer.join()

    return put


def checkpoint_flipped() -> Setting:
    """A bit of the first sealed segment is flipped as soon as it is on record."""

    @contextmanager
    def put(stage: Stage) -> Iterator[Hand]:
        struck: list[Path] = []

        def strike(run: Run) -> None:
            run.until(
                lambda: any(
                    fact["file"] and fact["kind"] == "video" for fact in run.facts("SegmentSealed")
                )
            )
            seal = next(
                fact
                for fact in run.facts("SegmentSealed")
                if fact["file"] and fact["kind"] == "video"
            )
            path = next(stage.scratch.rglob(Path(seal["file"]).name))
            with path.open("r+b") as handle:
                handle.seek(path.stat().st_size // 2)
                byte = handle.read(1)
                handle.seek(-1, os.SEEK_CUR)
                handle.write(bytes([byte[0] ^ 1]))
            struck.append(path)

        yield Hand(strike=strike, fired=lambda: len(struck))

    return put


def clocks(jumped_s: float, slept_s: float) -> Setting:
    """The clock is set, or the machine sleeps, as the process reads it: setting the machine's own would disturb everybody."""

    @contextmanager
    def put(stage: Stage) -> Iterator[Hand]:
        offsets = stage.root / "clock"
        offsets.write_text("0 0", encoding="utf-8")
        stage.asked["clock"] = str(offsets)

        def strike(run: Run) -> None:
            planned(run)
            fresh = offsets.with_suffix(".new")
            fresh.write_text(f"{jumped_s} {slept_s}", encoding="utf-8")
            fresh.replace(offsets)

        yield Hand(strike=strike, fired=lambda: int(offsets.read_text(encoding="utf-8") != "0 0"))

    return put
