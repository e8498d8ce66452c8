"""Hotsplice works with the oldest and with the newest allowed version of everything that it needs.

    python -m tests.proofs.versions [--quick]

Makes two environments in a temporary folder with this Python: one with the lower bounds of `pyproject.toml`, one with the
newest versions that its bounds allow. In each: the demo, the tests of what touches media, and the proof `innocence` (each
third of its files, each twentieth of its functions). `--quick` leaves the proof out. Run it with each Python: which is the
newest version depends on it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from tests.proofs import report
from tests.proofs.launch import ROOT

_BOUND = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?\s*>=\s*([0-9][0-9.]*)")
_TOO_LONG_S = 3600


def lower_bounds() -> list[str]:
    """`name==version` of every dependency, for pip's `--constraint`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    found = (_BOUND.match(line) for line in needed)
    return [f"{match[1]}=={match[2]}" for match in found if match]


def _run(words: Sequence[str | Path], said: Path) -> int:
    with said.open("wb") as out:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        command = [str(word) for word in words]
        try:
            return subprocess.run(
                command,
                cwd=ROOT,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=environment,
                timeout=_TOO_LONG_S,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            return -1


def _versions(python: Path) -> dict[str, str]:
    words = [str(python), "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return {one["name"].lower(): one["version"] for one in json.loads(done.stdout or b"[]")}


def prove(place: Path, say: report.Say, which: str, *, quick: bool) -> dict[str, object]:
    """Exit codes of everything that is run in one environment, and the versions in it."""
    folder = place / which
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    _run([sys.executable, "-m", "venv", folder], place / f"{which}-venv.txt")
    bounds = place / "bounds.txt"
    bounds.write_text("\n".join(lower_bounds()) + "\n", encoding="utf-8")
    held_down = ["-c", bounds] if which == "oldest" else []
    installed = _run(
        [python, "-m", "pip", "install", "-q", *held_down, f"{ROOT}[test]"],
        place / f"{which}-pip.txt",
    )
    versions = _versions(python)
    named = {
        name: versions.get(name, "")
        for name in ("av", "numpy", "pillow", "msgspec", "pyzmq", "xxhash")
    }
    say(
        f"{which}: pip ended with {installed}; {', '.join(f'{name} {version}' for name, version in named.items())}"
    )
    tests = [
        "tests/core/media",
        "tests/core/tasks",
        "tests/core/executors",
        "tests/film/test_assemble_story.py",
        "tests/film/test_innocence_story.py",
    ]
    steps: dict[str, list[str | Path]] = {
        "demo": [python, "-m", "bridge.cli.main", "demo"],
        "tests": [python, "-m", "pytest", "-q", *tests],
    }
    if not quick:
        steps["innocence"] = [python, "-m", "tests.proofs.innocence", "--quick"]
    ended: dict[str, object] = {"pip": installed}
    for name, words in steps.items():
        said = place / f"{which}-{name}.txt"
        ended[name] = _run(words, said) if installed == 0 else "not run"
        last = said.read_text(errors="replace").strip().splitlines()[-1:] if said.exists() else []
        say(f"{which}: {name} ended with {ended[name]}; {' '.join(last)[:200]}")
    return ended | named


def main(arguments: Sequence[str] | None = None) -> int:
    """Both environments."""
    quick, say = report.quick(arguments), report.Say()
    with report.workplace("versions") as place:
        found = {which: prove(place, say, which, quick=quick) for which in ("oldest", "newest")}
    held = all(
        found[which].get(step, 0) == 0
        for which in found
        for step in ("pip", "demo", "tests", "innocence")
    )
    return report.close("versions", held, python=sys.version.split()[0], **found)


if __name__ == "__main__":
    raise SystemExit(main())
