"""Watches which films other data folders are working on, by the locks next to the films.

A separate process does this, because a network share may hang.

    daemon --(stdin)-->  one line of JSON: {job: output} for every film that a job waits for
    daemon <--(stdout)-- one line of JSON per change: {"job": ..., "holder": ...}; a null holder
                         means that the film is free
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
"""Seconds between two checks of a lock."""
NAME = "film-watch"


class Holder(msgspec.Struct, frozen=True):
    """The holder of a job's film.

    `holder` is another data folder, "" if it is unknown, or None if the film is free.
    """

    job: str
    holder: str | None


class FilmWatch:
    """The daemon's side. The process runs only while jobs wait for films."""

    def __init__(
        self, home: Path, context: zmq.Context[zmq.Socket[bytes]], news: Callable[[Holder], None]
    ) -> None:
        self._home, self._context, self._news = home, context, news
        self._films: dict[str, str] = {}
        self._child: Child | None = None
        self._begun = 0

    def watch(self, films: Mapping[str, str]) -> None:
        """Watch exactly these films from now on; the keys are their jobs."""
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
        """Handle a line from the process; return whether `name` was this process.

        When the process dies, every film counts as free: a job that still finds its film held waits
        again.
        """
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
        """Kill the process."""
        if self._child is not None:
            self._child.kill()
            self._child = None


class _Looker:
    """The process's side: one thread per film, so that a hanging share delays no other film."""

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
    """Watch until standard input closes."""
    process.die_with_parent(int(sys.argv[1]))
    _Looker(Path(sys.argv[2])).listen()
    return 0


if __name__ == "__main__":
    sys.exit(main())
