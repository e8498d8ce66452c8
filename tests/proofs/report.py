"""What all proofs share: `--quick`, a workplace, readable lines, and one line of JSON at the end.

from tests.proofs import report
quick = report.quick(arguments)                     # None: the program's own arguments
with report.workplace("kills") as place: ...        # a temporary folder, removed when the proof held
                                                    # what is started within keeps its records of data folders in another
say = report.Say(); say("42 points, all held")
return report.close("kills", held, points=42)       # prints the JSON line; the exit code, 0 when held
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

STATE = "XDG_STATE_HOME"
"""Below it, on Linux, `bridge.settings.settings.records` keeps on which drives data folders are."""


def quick(arguments: Sequence[str] | None) -> bool:
    """Whether `--quick` was asked for; any other word ends the program with a usage line."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    others = [word for word in words if word != "--quick"]
    if others:
        raise SystemExit(f"usage: python -m tests.proofs.NAME [--quick]   (not {' '.join(others)})")
    return "--quick" in words


@contextmanager
def workplace(name: str) -> Iterator[Path]:
    """A folder for a proof's files; kept, and named, when the proof fails with an exception. Within it, XDG_STATE_HOME is a
    folder of the proof's own: the records of data folders on drives are none of this user's."""
    place = Path(tempfile.mkdtemp(prefix=f"proof-{name}-", dir=os.environ.get("PROOFS_FOLDER")))
    outside = os.environ.get(STATE)
    with tempfile.TemporaryDirectory(prefix=f"proof-{name}-state-") as state:
        os.environ[STATE] = state
        try:
            yield place
        except BaseException:
            print(f"files of the failed proof are in {place}", flush=True)
            raise
        finally:
            os.environ.pop(STATE)
            if outside is not None:
                os.environ[STATE] = outside
    shutil.rmtree(place, ignore_errors=True)


class Say:
    """Prints a line with the seconds since the proof began."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, text: str) -> None:
        print(f"{time.monotonic() - self._began:7.1f} s  {text}", flush=True)


def close(name: str, held: bool, **figures: Any) -> int:
    """The last line, and the exit code."""
    rounded = {
        key: round(value, 4) if isinstance(value, float) else value
        for key, value in figures.items()
    }
    print(json.dumps({"proof": name, "held": held, **rounded}, ensure_ascii=False), flush=True)
    return 0 if held else 1
