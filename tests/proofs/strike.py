"""Kill -9 at a point of a run, without a hook in the product.

Points are: every journal append (before and after its commit), and every fsync, rename, link, unlink, mkdir and rmdir
that Python code asks for, before it acts. `arm` replaces those functions in this process by ones that first write a
line into a log shared by engine and workers; the process that writes the line asked for kills. What SQLite does in C is
not seen here; `syscalls` covers that.

    HOTSPLICE_STRIKE={"log": "/tmp/x/points", "root": "/tmp/x", "at": 17, "label": "", "who": "everybody"}

`at` counts lines from 1, 0 for none; `label` names a point whatever its number. `who` dies: `everybody` (engine,
workers and ffmpeg, together), `engine` (alone; the others have to notice), or `worker` (this one, alone).
"""

from __future__ import annotations

import fcntl
import functools
import json
import os
import re
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

Who = Literal["everybody", "engine", "worker"]
VARIABLE = "HOTSPLICE_STRIKE"
STRUCK = "STRUCK "
_WATCHED = ("fsync", "fdatasync", "replace", "rename", "link", "unlink", "remove", "mkdir", "rmdir")
_RANDOM = (
    (r"(work/)[a-z2-9]{6}\b", r"\1JOB"),
    (r"\.[a-z2-9]{6}(\.part)", r".JOB\1"),
    (r"(prove-)[a-z0-9]+", r"\1X"),
)


def order(
    log: Path, root: Path, *, at: int = 0, label: str = "", who: Who = "everybody"
) -> dict[str, str]:
    """Environment variables that arm a run."""
    return {
        VARIABLE: json.dumps(
            {"log": str(log), "root": str(root), "at": at, "label": label, "who": who}
        )
    }


def points(log: Path) -> list[str]:
    """Labels of the points that were reached, in order."""
    return [line.removeprefix(STRUCK) for line in _lines(log)]


def struck(log: Path) -> str:
    """The label of the point at which a kill fired; empty when none did."""
    return next((line.removeprefix(STRUCK) for line in _lines(log) if line.startswith(STRUCK)), "")


def _lines(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def family(of: int) -> list[int]:
    """All processes below one, nearest first."""
    parents = {}
    for entry in os.listdir("/proc"):
        try:
            parents[int(entry)] = int(
                Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()[1]
            )
        except (ValueError, OSError):
            continue
    found = [of]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]


def arm(role: Literal["engine", "worker"]) -> None:
    """Watch this process from now on, if the environment says so."""
    if VARIABLE not in os.environ:
        return
    plan = json.loads(os.environ[VARIABLE])
    for name in _WATCHED:
        setattr(os, name, _watched(getattr(os, name), role, name, plan))
    if role == "engine":
        from core.storage.journal import Journal

        for name in ("append", "accept"):
            setattr(Journal, name, _surrounded(getattr(Journal, name), plan))


def _watched(
    act: Callable[..., Any], role: str, name: str, plan: Mapping[str, Any]
) -> Callable[..., Any]:
    @functools.wraps(act)
    def first_asked(*arguments: Any, **options: Any) -> Any:
        subject = arguments[-1] if name in ("replace", "rename", "link") else arguments[0]
        if isinstance(subject, int):
            subject = os.readlink(f"/proc/self/fd/{subject}")
        _reach(f"{role} {name} {os.path.relpath(subject, plan['root'])}", plan)
        return act(*arguments, **options)

    return first_asked


def _surrounded(act: Callable[..., Any], plan: Mapping[str, Any]) -> Callable[..., Any]:
    @functools.wraps(act)
    def recorded(journal: Any, job: str, facts: Any, *rest: Any) -> Any:
        facts = facts if hasattr(facts, "__struct_fields__") else list(facts)
        kinds = [type(fact).__name__ for fact in (facts if isinstance(facts, list) else [facts])]
        words = "+".join(kinds) or "nothing"
        _reach(f"engine before-record {words}", plan)
        result = act(journal, job, facts, *rest)
        _reach(f"engine after-record {words}", plan)
        return result

    return recorded


def _reach(label: str, plan: Mapping[str, Any]) -> None:
    """Count this point; kill when it is the one."""
    for pattern, plain in _RANDOM:
        label = re.sub(pattern, plain, label)
    with open(plan["log"], "a+b", buffering=0) as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        log.seek(0)
        before = [line.removeprefix(STRUCK) for line in log.read().decode().splitlines()]
        label += f" #{1 + sum(line.partition(' #')[0] == label for line in before)}"
        mine = plan["at"] == len(before) + 1 or plan["label"] == label
        log.write(f"{STRUCK if mine else ''}{label}\n".encode())
        if mine:
            _kill(plan["who"], label)


def _kill(who: Who, label: str) -> None:
    engine = os.getppid() if label.startswith("worker") else os.getpid()
    doomed = {"everybody": [engine, *family(engine)], "engine": [engine], "worker": []}[who]
    for pid in [*(pid for pid in doomed if pid != os.getpid()), os.getpid()]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
