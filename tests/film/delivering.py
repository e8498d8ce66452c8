"""The real command, to which something happens at a defined moment: it goes on only when that has been done.

    python -m tests.film.delivering HAPPENINGS COMMAND...        a file of JSON, a list of `Happening`
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from bridge.cli.main import main
from core.engine import Engine
from core.model.facts import Fact
from core.record.journal import Journal


class Happening(msgspec.Struct):
    """After the `nth` fact of a kind was put on record, `new` takes the place of `media` (`renamed` over it, or `copied` into
    it), `media` is `removed`, half of `new` is written into it (`begun`), or the process is `killed`."""

    how: Literal["renamed", "copied", "begun", "removed", "killed"]
    media: str = ""
    new: str = ""
    kind: str = "FilmPlanned"
    nth: int = 1

    def happen(self) -> None:
        """Now."""
        media, new = Path(self.media), Path(self.new)
        match self.how:
            case "renamed":
                os.replace(new, media)
            case "copied":
                shutil.copyfile(new, media)
            case "begun":
                media.write_bytes(new.read_bytes()[: new.stat().st_size // 2])
            case "removed":
                media.unlink()
            case "killed":
                os.kill(os.getpid(), signal.SIGKILL)


def watch(happenings: list[Happening]) -> None:
    """From now on facts are counted as they are recorded."""
    append, note = Journal.append, Engine.note
    heard: Counter[str] = Counter()
    due: list[Happening] = []

    def appended(journal: Journal, job: str, facts: Sequence[Fact], at: float) -> int:
        last = append(journal, job, facts, at)
        for fact in facts:
            kind = type(fact).__name__
            heard[kind] += 1
            due.extend(one for one in happenings if (one.kind, one.nth) == (kind, heard[kind]))
        return last

    def noted(engine: Engine, *facts: Fact) -> None:
        note(engine, *facts)
        while due:
            due.pop(0).happen()

    Journal.append, Engine.note = appended, noted  # type: ignore[method-assign]


if __name__ == "__main__":
    watch(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=list[Happening]))
    sys.exit(main(sys.argv[2:]))
