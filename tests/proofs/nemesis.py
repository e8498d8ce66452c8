"""What goes wrong at random while jobs run: programs die or stop, the media's volume goes away, the scratch disk fills up.

Each fault is real, is counted only when it struck something, and is over by itself after a moment; nobody helps the job.
Volumes are a bind mount (media) and a small tmpfs (scratch), which need root on Linux; without it these two are left out
and said.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

SCRATCH_BYTES = 256 << 20


def may_mount() -> bool:
    """Whether volumes can be made and taken away here."""
    return os.name == "posix" and os.geteuid() == 0 and shutil.which("mount") is not None


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


class Volumes:
    """`media` is a volume whose content lives in `store`, so that it can go and come back; `scratch` is a disk of 256 MiB."""

    def __init__(self, place: Path) -> None:
        self.store, self.media, self.scratch = place / "store", place / "media", place / "scratch"
        for folder in (self.store, self.media, self.scratch):
            folder.mkdir()
        self.real = may_mount()
        if self.real:
            for folder in (self.store, self.scratch):
                _mount("-t", "tmpfs", "-o", f"size={SCRATCH_BYTES}", "hotsplice-proof", str(folder))
            self.plug()
        else:
            self.media.rmdir()
            self.media.symlink_to(self.store)

    def plug(self) -> None:
        """The media's volume is there."""
        _mount("--bind", str(self.store), str(self.media))

    def unplug(self) -> None:
        """It is not, from one instant to the next."""
        subprocess.run(["umount", "-l", str(self.media)], check=True)

    def close(self) -> None:
        """Leave no mount behind."""
        if self.real:
            for folder in (self.media, self.store, self.scratch):
                while os.path.ismount(folder):
                    subprocess.run(["umount", "-l", str(folder)], check=True)


class Nemesis(threading.Thread):
    """Strikes this process's children and its volumes, on the average every `mean_s` seconds of work."""

    def __init__(self, volumes: Volumes, seed: int, mean_s: float) -> None:
        super().__init__(daemon=True)
        self.struck: Counter[str] = Counter()
        self._volumes, self._chance, self._mean_s = volumes, random.Random(seed), mean_s
        self._over, self._working = threading.Event(), threading.Event()
        self._kinds: list[Callable[[], bool]] = [
            self.kill_ffmpeg,
            self.kill_worker,
            self.stop_ffmpeg,
        ]
        if volumes.real:
            self._kinds += [self.pull_the_media, self.fill_the_scratch]

    @property
    def volumes_tried(self) -> bool:
        """Whether volumes were taken away as well."""
        return self._volumes.real

    def run(self) -> None:
        """Until `close`."""
        while not self._over.is_set():
            self._over.wait(self._chance.expovariate(1 / self._mean_s))
            kind = self._chance.choice(self._kinds)
            deadline = time.monotonic() + 2.0
            while (
                self._working.is_set() and not self._over.is_set() and time.monotonic() < deadline
            ):
                if kind():
                    self.struck[kind.__name__.replace("_", " ")] += 1
                    break
                time.sleep(0.01)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Strike during this, and not between jobs, where others of this process's children are."""
        self._working.set()
        try:
            yield
        finally:
            self._working.clear()

    def close(self) -> None:
        """No more."""
        self._over.set()
        if self.is_alive():
            self.join()

    def _victim(self, name: str) -> psutil.Process | None:
        try:
            found = [
                one
                for one in psutil.Process().children(recursive=True)
                if name in " ".join(one.cmdline()[:4])
            ]
        except psutil.Error:
            return None
        return self._chance.choice(found) if found else None

    def _signal(self, name: str, number: int) -> bool:
        victim = self._victim(name)
        try:
            if victim is not None:
                victim.send_signal(number)
        except psutil.Error:
            return False
        return victim is not None

    def kill_ffmpeg(self) -> bool:
        """As the system does when memory is short."""
        return self._signal("ffmpeg", signal.SIGKILL)

    def stop_ffmpeg(self) -> bool:
        """It hangs and says nothing."""
        return self._signal("ffmpeg", signal.SIGSTOP)

    def kill_worker(self) -> bool:
        """With whatever it was doing."""
        return self._signal("core.executors.worker", signal.SIGKILL)

    def pull_the_media(self) -> bool:
        """The drive is out for two seconds."""
        self._volumes.unplug()
        time.sleep(2.0)
        self._volumes.plug()
        return True

    def fill_the_scratch(self) -> bool:
        """Somebody else fills the disk, and clears up after two seconds."""
        filler = self._volumes.scratch / "somebody-elses-file"
        try:
            with filler.open("wb", buffering=0) as handle:
                while True:
                    handle.write(bytes(1 << 16))
        except OSError:
            time.sleep(2.0)
        finally:
            filler.unlink(missing_ok=True)
        return True
