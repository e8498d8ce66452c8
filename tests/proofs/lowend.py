"""A small machine: 1 GiB of memory, one core, slow disks, a share that stalls. Jobs end right, or wait and say why.

    python -m tests.proofs.lowend [--quick]          on Linux, with root, control groups (memory) and FUSE

Everything that a job starts is in a control group with 1 GiB and runs on one core. The jobs: 1080p from ProRes, H.264 and DNxHR to
ProRes; UHD from the same codecs to H.264; the same through a companion; with disks that take 5 ms for each write and 100 ms for each
flush; with media on a share (sshfs over the loopback, and a FUSE mount that every system calls a network) that stalls for some
seconds; and with 160 MiB, where the kernel has to kill. What must hold:

1. The film is that of a run without any limit, frame for frame and sample for sample.
2. A stall is waited for, and the reason is said while it lasts.
3. Every process that the kernel killed for want of memory is reported by the job, or the job ends with that reason.

The peak of memory is printed: what the processes hold (resident), and with the page cache.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.running import Run, TooLate
from tests.faults.volumes import faulty, why_no_fuse
from tests.film import reading
from tests.film.media import make_movie, make_wav
from tests.film.timelines import timeline
from tests.proofs import report

GIB = 1 << 30
STALL_S = 6.0
SIZES = {"1080p": (1920, 1080), "uhd": (3840, 2160)}
_SFTP = ("/usr/lib/openssh/sftp-server", "/usr/libexec/sftp-server", "/usr/lib/ssh/sftp-server")


class Group:
    """A control group (v1 or v2) that limits memory; what is started with `prepare` is in it, on one core."""

    def __init__(self, most: int) -> None:
        first = Path("/sys/fs/cgroup/memory")
        self._v1 = (first / "memory.limit_in_bytes").exists()
        self.folder = (
            first if self._v1 else Path("/sys/fs/cgroup")
        ) / f"hotsplice-lowend-{os.getpid()}"
        self.folder.mkdir()
        (self.folder / ("memory.limit_in_bytes" if self._v1 else "memory.max")).write_text(
            str(most)
        )
        self.resident = 0
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)
        self._watch.start()

    def prepare(self) -> None:
        """In the child, before it begins."""
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

    def _look(self) -> None:
        names = ("total_rss", "anon")
        while not self._over.wait(0.1):
            for line in (self.folder / "memory.stat").read_text().splitlines():
                name, _, value = line.partition(" ")
                if name in names:
                    self.resident = max(self.resident, int(value))

    @property
    def peak(self) -> int:
        """The most bytes in use at any time, page cache and all."""
        return int(
            (self.folder / ("memory.max_usage_in_bytes" if self._v1 else "memory.peak")).read_text()
        )

    @property
    def kills(self) -> int:
        """How many processes the kernel killed in it."""
        words = (
            (self.folder / ("memory.oom_control" if self._v1 else "memory.events"))
            .read_text()
            .split()
        )
        return int(words[words.index("oom_kill") + 1])

    def close(self) -> None:
        """No more; its processes are gone by then."""
        self._over.set()
        self._watch.join()
        for _ in range(100):
            try:
                self.folder.rmdir()
                return
            except OSError:
                time.sleep(0.05)


def why_no_group() -> str:
    """What is missing for a control group; empty when it can be had."""
    for folder in (Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")):
        if (folder / "memory.limit_in_bytes").exists() or "memory" in (
            (folder / "cgroup.subtree_control").read_text()
            if (folder / "cgroup.subtree_control").exists()
            else ""
        ):
            return "" if os.access(folder, os.W_OK) else "control groups may not be made here"
    return "there is no control group for memory here"


@dataclass
class Place:
    """Media, and for each job folders of its own."""

    root: Path
    truths: dict[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)

    def make(self, sizes: Sequence[str]) -> None:
        """Sources and timelines."""
        media = self.root / "media"
        media.mkdir()
        wav = make_wav(media / "voice.wav", source_id=4, samples=240_000)
        for name in sizes:
            size, frames = SIZES[name], 24 if name == "1080p" else 10
            sources = [
                make_movie(
                    media / f"{name}-prores.mov",
                    source_id=1,
                    frames=frames,
                    size=size,
                    codec="prores",
                    audio="pcm",
                ),
                make_movie(
                    media / f"{name}-h264.mp4", source_id=2, frames=frames, size=size, codec="h264"
                ),
                make_movie(
                    media / f"{name}-dnxhr.mov",
                    source_id=3,
                    frames=frames,
                    size=size,
                    codec="dnxhr",
                ),
            ]
            cut = timeline(24, name=name)
            video = cut.video()
            for first in (0, frames // 2):
                for source in sources:
                    video.clip(source, first, frames // 2)
            cut.audio().clip(wav, 0, 3 * frames)
            cut.save(self.root / f"{name}.otio")

    def fresh(self, name: str) -> Path:
        """Folders for one job."""
        folder = self.root / name
        for part in ("home", "scratch", "out"):
            (folder / part).mkdir(parents=True)
        (folder / "home" / "settings.yaml").write_text(
            f"scratch: {folder / 'scratch'}\nwait: 60\n", encoding="utf-8"
        )
        return folder

    def run(self, folder: Path, size: str, prepare: Callable[[], None] | None = None) -> Run:
        """Begin the job of a size."""
        film, preset = (
            (folder / "out" / "film.mov", "prores-hq")
            if size == "1080p"
            else (folder / "out" / "film.mp4", "h264")
        )
        words = [
            "assemble",
            str(self.root / f"{size}.otio"),
            "-o",
            str(film),
            "-p",
            preset,
            "--json",
        ]
        return Run(
            {}, folder, environment={"HOTSPLICE_HOME": str(folder / "home")}, prepare=prepare,
            command=[sys.executable, "-m", "bridge.cli.main", *words],
        )  # fmt: skip

    def pictures(self, folder: Path) -> tuple[tuple[str, ...], str]:
        """The film as it is seen and heard."""
        film = next((folder / "out").glob("film.*"))
        return tuple(reading.frame_hashes(film)), reading.audio_hash(film)


@dataclass
class Proof:
    """What was tried, and what was found."""

    place: Place
    say: report.Say
    wrong: list[str] = field(default_factory=list)
    peak: int = 0
    resident: int = 0
    kills: int = 0
    reported: int = 0
    jobs: int = 0

    def expect(self, name: str, held: bool, otherwise: str) -> None:
        """Note and say what does not hold."""
        if not held:
            self.wrong.append(name)
            self.say(f"WRONG  {name}: {otherwise}")

    def job(
        self, name: str, size: str, *, memory: int = GIB, strike: Callable[[Run], None] = lambda run: None,
        folder: Path | None = None, waits: bool = False, may_end: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """One job in a group; see the module."""
        folder, group, began = folder or self.place.fresh(name), Group(memory), time.monotonic()
        run = self.place.run(folder, size, group.prepare)
        try:
            strike(run)
            code = run.end(600)
        except TooLate as error:
            self.expect(name, False, str(error))
            code = -1
        seen, kills = run.faults(), group.kills
        failures = [
            fact["failure"]["evidence"]
            for kind in ("AttemptFailed", "GateClosed")
            for fact in run.facts(kind)
        ]
        told = sum(one.get("oom_kills", 0) for one in failures)
        end = run.lines[-1].get("code", "") if run.lines else ""
        run.close()
        if code == 0:
            self.expect(
                name,
                self.place.pictures(folder) == self.place.truths[size],
                "the film is not that of a run without limits",
            )
        else:
            self.expect(
                name,
                end in may_end,
                f"it ended with {code} {end!r}: {run.lines[-1] if run.lines else ''}",
            )
        waited = any(one.strategy == "wait_and_retry" for one in seen)
        self.expect(name, not waits or waited, "the stall was not spoken of")
        self.expect(
            name,
            kills == 0 or told > 0,
            f"the kernel killed {kills} processes, and nobody spoke of it",
        )
        self.note(
            name,
            group,
            f"ended with {code}{f' ({end})' if end else ''}, heard {sorted({one.code for one in seen})}",
            began,
        )
        self.reported += told
        group.close()

    def note(self, name: str, group: Group, words: str, began: float) -> None:
        """A line of figures."""
        self.jobs += 1
        self.kills += group.kills
        if group.kills == 0:
            self.peak, self.resident = (
                max(self.peak, group.peak),
                max(self.resident, group.resident),
            )
        self.say(
            f"{name:24} {words}; resident {group.resident >> 20} MiB, with page cache {group.peak >> 20} MiB, "
            f"{group.kills} killed by the kernel; {time.monotonic() - began:.0f} s"
        )

    def companion(self, size: str) -> None:
        """A companion and its job in the group."""
        name, group, began = "companion and job", Group(GIB), time.monotonic()
        folder = self.place.fresh("companion")
        film = folder / "out" / "film.mov"
        words = [
            "submit",
            str(self.place.root / f"{size}.otio"),
            "-o",
            str(film),
            "-p",
            "prores-hq",
        ]
        environment = {**os.environ, "HOTSPLICE_HOME": str(folder / "home")}

        def hotsplice(*argv: str) -> int:
            done = subprocess.run(
                [sys.executable, "-m", "bridge.cli.main", *argv], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                preexec_fn=group.prepare, timeout=600, check=False,
            )  # fmt: skip
            return done.returncode

        code = hotsplice(*words)
        hotsplice("stop")
        self.expect(name, code == 0, f"it ended with {code}")
        if code == 0:
            self.expect(
                name,
                self.place.pictures(folder) == self.place.truths[size],
                "the film is not that of a run without limits",
            )
        self.note(name, group, f"ended with {code}", began)
        self.expect(name, group.kills == 0, "the kernel had to kill")
        group.close()


@contextmanager
def sshfs(folder: Path) -> Iterator[int]:
    """The folder as a share through sshfs over the loopback; the process id of its server, to be stopped."""
    server = next(path for path in _SFTP if Path(path).exists())
    behind = folder.with_name(f"{folder.name}.shared")
    folder.rename(behind)
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        words = [
            "sshfs",
            f"localhost:{behind}",
            str(folder),
            "-f",
            "-o",
            f"directport={port},cache=no,dir_cache=no",
        ]
        client = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        listening.settimeout(10)
        connection, _ = listening.accept()
        with connection:
            answering = subprocess.Popen(
                [server], stdin=connection.fileno(), stdout=connection.fileno()
            )
            deadline = time.monotonic() + 10
            while not os.path.ismount(folder):
                if client.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("sshfs did not mount")
                time.sleep(0.02)
            try:
                yield answering.pid
            finally:
                subprocess.run(
                    ["fusermount3", "-u", "-z", str(folder)], check=False, capture_output=True
                )
                answering.kill()
                answering.wait()
                client.wait(10)
                assert client.stderr
                client.stderr.close()
                folder.rmdir()
                behind.rename(folder)


def why_no_sshfs() -> str:
    """What is missing for a share through sshfs."""
    if not shutil.which("sshfs"):
        return "sshfs is not installed"
    return "" if any(Path(path).exists() for path in _SFTP) else "sftp-server is not installed"


def why_no_nfs() -> str:
    """Why NFS cannot be mounted from the loopback; it is only tried where the kernel knows it."""
    known = Path("/proc/filesystems").read_text().split()
    return (
        ""
        if "nfs" in known or "nfs4" in known
        else "this kernel has no NFS client (not in /proc/filesystems)"
    )


def prove(place: Path, say: report.Say, *, quick: bool) -> tuple[bool, dict[str, object]]:
    """All jobs, or with `quick` one and a stall; whether all held, and the figures."""
    here = Place(place)
    sizes = ["1080p"] if quick else ["1080p", "uhd"]
    here.make(sizes)
    proof = Proof(here, say)
    for size in sizes:
        folder = here.fresh(f"undisturbed-{size}")
        run = here.run(folder, size)
        if run.end(600) != 0:
            raise RuntimeError(f"the undisturbed run failed: {run.faults()} {run.said()[-800:]}")
        run.close()
        here.truths[size] = here.pictures(folder)
        shutil.rmtree(folder)
    say("undisturbed runs are done")
    for size in sizes:
        proof.job(f"{size}, 1 GiB, one core", size)
    if not quick:
        proof.companion("1080p")
        folder = here.fresh("slow disks")
        with ExitStack() as stack:
            for name in ("scratch", "out"):
                volume = stack.enter_context(faulty(folder / name))
                volume.fail("write", delay=0.005)
                volume.fail("fsync", "fsyncdir", delay=0.1)
            proof.job("slow disks", "1080p", folder=folder)
        proof.job(
            "160 MiB", "1080p", memory=160 << 20,
            may_end=("out-of-memory", "ffmpeg-killed", "worker-died", "memory-low", "nothing-to-show", ""),
        )  # fmt: skip
    stalled = _stalls(proof, quick)
    if why := why_no_nfs():
        say(
            f"NOT RUN: media on NFS over the loopback, because {why}. A FUSE mount of a network's kind stood in for it."
        )
    return not proof.wrong, {
        "jobs": proof.jobs, "failed": sorted(set(proof.wrong)), "stalls": stalled, "peak_resident_mib": proof.resident >> 20,
        "peak_with_cache_mib": proof.peak >> 20, "killed_by_kernel": proof.kills, "kills_reported": proof.reported,
        "nfs": not why_no_nfs(),
    }  # fmt: skip


def _stalls(proof: Proof, quick: bool) -> list[str]:
    """Media on shares that stall while shots are rendered."""
    media, tried = proof.place.root / "media", []

    def planned(run: Run) -> None:
        run.until(lambda: run.at("FilmPlanned") is not None, 120)

    if why := why_no_sshfs():
        proof.say(f"NOT RUN: media through sshfs, because {why}.")
    else:
        with sshfs(media) as server:

            def stop(run: Run) -> None:
                planned(run)
                os.kill(server, signal.SIGSTOP)
                if not quick:
                    run.until(lambda: bool(run.faults()), 200)
                time.sleep(STALL_S)
                os.kill(server, signal.SIGCONT)

            proof.job("sshfs stalls", "1080p", strike=stop, waits=not quick)
            tried.append("sshfs")
    if not quick:
        with faulty(media, "nfs4") as volume:

            def hang(run: Run) -> None:
                planned(run)
                volume.fail("read", hang=True)
                run.until(lambda: bool(run.faults()), 200)
                time.sleep(STALL_S)
                volume.clear()

            proof.job("a share hangs", "1080p", strike=hang, waits=True)
            tried.append("FUSE")
    return tried


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; its exit code."""
    quick, say, began = report.quick(arguments), report.Say(), time.monotonic()
    if why := why_no_group() or why_no_fuse():
        say(f"NOT RUN: {why}")
        return report.close("lowend", False, quick=quick, not_run=why)
    with report.workplace("lowend") as place:
        held, figures = prove(place, say, quick=quick)
    return report.close("lowend", held, quick=quick, seconds=time.monotonic() - began, **figures)


if __name__ == "__main__":
    sys.exit(main())
