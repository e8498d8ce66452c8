"""The command `hotsplice` for tests that run it many times: as in a process of its own, without the time to import it."""

from __future__ import annotations

import atexit
import os
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tests.proofs.launch import ROOT, Launcher


@cache
def _launcher() -> Launcher:
    made = Launcher(armed=False)
    atexit.register(made.close)
    return made


def hotsplice(
    *words: str | Path, home: Path | None = None, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A command in a data folder, or in an environment of its own: its exit code and what it said. No traceback is ever said."""
    chosen = {
        **os.environ,
        **({"HOTSPLICE_HOME": str(home)} if home else {}),
        "PYTHONPATH": str(ROOT),
    }
    done = _launcher().run(
        [str(word) for word in words], chosen if environment is None else environment
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done
