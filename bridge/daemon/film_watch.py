"""Which films other data folders work on, asked of the locks beside the films by a process of its own: a share may hang.

companion --(stdin)-->  one line of JSON: {job: output} of every film that is waited for
companion <--(stdout)-- one line of JSON: {"job": ..., "holder": ...}, when that is news; a null holder: the film is free
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import zmq

from bridge.daemon.children import Child
from core.storage import locks
from core.system import machine, process

LOOK_S = 1.0
"""How often a lock is looked at."""
NAME = "film-watch"


class Holder(msgspec.Struct, frozen=True):
    """Who holds the film of a job: the other data folder, "" where that is not known; None: the film is free."""

    job: str
    holder: str | None


class FilmWatch:
    """The companion's side. The process runs only while films are waited for."""

    def __init__(
        self, home: Path, context: zmq.Context[zmq.Socket[bytes]], news: Callable[[Holder], None]
    ) -> None:
        self._home, self._context, self._news = home, context, news
        self._films: dict[str, str] = {}
        self._child: Child | None = None
        self._begun = 0

    def watch(self, films: Mapping[str, str]) -> None:
        """Watch exactly these films from now on, by their jobs."""
        if films == self._films and (self._child is not None or not films):
            return
        self._films = dict(films)
        if not films:
            self.close()
            return
        if self._child is None:
            self._begun += 1
            self._child = Child(
                f"{NAME}-{self._begun}",
                "bridge.daemon.film_watch",
                [str(self._home)],
                self._context,
            )
        self._child.tell(msgspec.json.encode(self._films) + b"\n")

    def hear(self, name: str, line: bytes) -> bool:
        """What the process said; whether it was this one. When it dies, every film counts as free: a job that finds it held
        waits again."""
        if self._child is None or name != self._child.name:
            return False
        if line:
            self._news(msgspec.json.decode(line, type=Holder))
            return True
        self._child.code()
        self._child, films, self._films = None, self._films, {}
        for job in films:
            self._news(Holder(job, None))
        return True

    def close(self) -> None:
        """End the process."""
        if self._child is not None:
            self._child.kill()
            self._child = None


class _Looker:
    """The process's side: a thread for each film, so that a share that hangs holds up no other film."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._films: dict[str, str] = {}

    def listen(self) -> None:
        for line in sys.stdin.buffer:
            before, self._films = self._films, msgspec.json.decode(line, type=dict[str, str])
            for job in self._films.keys() - before.keys():
                threading.Thread(
                    target=self._look, args=(job, self._films[job]), daemon=True
                ).start()

    def _look(self, job: str, output: str) -> None:
        said: str | None = None
        while self._films.get(job) == output:
            holder = locks.held_elsewhere(self._home, output)
            if holder is None or holder != said:
                os.write(sys.stdout.fileno(), msgspec.json.encode(Holder(job, holder)) + b"\n")
            if holder is None:
                return
            said = holder
            machine.sleep(LOOK_S)


def main() -> int:
    """Look until standard input closes."""
    process.die_with_parent(int(sys.argv[1]))
    _Looker(Path(sys.argv[2])).listen()
    return 0


if __name__ == "__main__":
    sys.exit(main())
