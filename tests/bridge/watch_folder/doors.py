"""Keepers of a real folder, with a real companion."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from bridge.watch_folder.folder import Folder
from bridge.watch_folder.submission import Usual
from bridge.watch_folder.watcher import Pace, Watcher
from tests.bridge.companions import Companions, listed

QUICK = Pace(look=0.0, settle=0.0, vain=3.0, write=0.0, renew=0.2, describe=0.1, rest=0.0)
NEVER = Pace(look=0.0, settle=0.0, vain=1e9, write=0.0, renew=0.2, describe=0.1, rest=0.0)


class Doors:
    """Keepers of one folder, one after the other."""

    def __init__(self, house: Companions, tmp_path: Path) -> None:
        self.house, self.inbox, self.films = house, tmp_path / "inbox", tmp_path / "films"
        self.usual = Usual(films=self.films, preset="", endings={"h264": ".mp4"})
        self.inbox.mkdir()
        self.before = {line.job for line in self.lines()}

    def lines(self):
        with self.house.client() as client:
            return listed(client)

    def new(self):
        """Jobs since the test began."""
        return [line for line in self.lines() if line.job not in self.before]

    def keep(self, until: Callable[[], bool], pace: Pace = QUICK, most_s: float = 40) -> None:
        """Go round until something is so."""
        end = time.monotonic() + most_s
        with self.house.client() as asks, self.house.client() as hears:
            keeper = Watcher(
                folder=Folder(self.inbox),
                usual=self.usual,
                make=True,
                asks=asks,
                hears=hears,
                language="en",
                pace=pace,
            )

            def done() -> bool:
                assert time.monotonic() < end, (sorted(os.listdir(self.inbox)), self.lines())
                return until()

            keeper.run(done)

    def reply(self, name: str) -> dict[str, object]:
        path = self.inbox / f"{name}.reply.json"
        return json.loads(path.read_bytes()) if path.exists() else {}

    def ended(self, *names: str) -> Callable[[], bool]:
        return lambda: all(self.reply(name).get("ended") for name in names)

    def inside(self) -> list[str]:
        return sorted(
            str(path.relative_to(self.inbox)) for path in self.inbox.rglob("*") if path.is_file()
        )
