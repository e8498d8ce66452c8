"""The real command, to which something happens at a defined moment: it goes on only when that has been done.

python -m tests.film.delivering HAPPENINGS COMMAND...        a file of JSON, a list of `Happening`
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Literal

import msgspec

from bridge.cli.main import main
from core.engine.loop import Engine
from core.job.events import Fact


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
    """Count the facts of every engine from now on, as they are put on record: several may be recorded at once."""
    begin = Engine.__post_init__
    heard: Counter[str] = Counter()

    def listening(engine: Engine) -> None:
        begin(engine)
        told = engine.on_fact

        def on_record(seq: int, fact: Fact) -> None:
            told(seq, fact)
            kind = type(fact).__name__
            heard[kind] += 1
            for happening in happenings:
                if (happening.kind, happening.nth) == (kind, heard[kind]):
                    happening.happen()

        engine.on_fact = on_record

    Engine.__post_init__ = listening  # type: ignore[method-assign]


if __name__ == "__main__":
    watch(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=list[Happening]))
    sys.exit(main(sys.argv[2:]))
