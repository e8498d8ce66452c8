"""The journal as it lies on disk after a kill, read from a copy: opening the real one would tidy it up first."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Record:
    """`seals`: store file to hash. `made`: how often each content key was sealed anew. `films`: path to (hash of the film,
    hash of the kept one). `last_published`: hash in the newest publication or rollback. `rolled_back` counts those."""

    sound: bool
    seals: dict[str, str]
    made: Counter[str]
    films: dict[str, tuple[str, str]]
    kinds: Counter[str]
    jobs: frozenset[str]
    open_jobs: int
    last_published: str

    @property
    def rolled_back(self) -> int:
        """How many rollbacks are on record."""
        return self.kinds["FilmRolledBack"]


def read(home: Path) -> Record:
    """The record of a data folder; an empty one when there is no journal, or none that was ever used."""
    with tempfile.TemporaryDirectory() as copy:
        for path in home.glob("journal.db*"):
            shutil.copy(path, copy)
        base = sqlite3.connect(Path(copy, "journal.db"))
        try:
            return _read(base)
        finally:
            base.close()


def facts(home: Path) -> dict[int, tuple[str, dict[str, Any]]]:
    """Every fact by its number: (kind, body), as `--json` tells of it."""
    with tempfile.TemporaryDirectory() as copy:
        for path in home.glob("journal.db*"):
            shutil.copy(path, copy)
        base = sqlite3.connect(Path(copy, "journal.db"))
        try:
            rows = list(base.execute("SELECT seq, kind, body FROM facts"))
        except sqlite3.OperationalError:  # nothing was ever recorded
            rows = []
        finally:
            base.close()
    bodies = {seq: (kind, json.loads(body)) for seq, kind, body in rows}
    for _, body in bodies.values():
        body.pop("is", None)
    return bodies


def _read(base: sqlite3.Connection) -> Record:
    sound = base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    if not base.execute("SELECT 1 FROM sqlite_schema WHERE name = 'films'").fetchone():
        return Record(sound, {}, Counter(), {}, Counter(), frozenset(), 0, "")
    seals = [json.loads(body) for (body,) in base.execute("SELECT body FROM seals")]
    facts: list[tuple[str, str, dict[str, Any]]] = [
        (job, kind, json.loads(body))
        for job, kind, body in base.execute("SELECT job, kind, body FROM facts ORDER BY seq")
    ]
    ended = {
        job for job, kind, body in facts if kind == "JobFinished" and body["outcome"] != "failed"
    }
    jobs = frozenset(job for (job,) in base.execute("SELECT id FROM jobs"))
    published = [
        body["film_hash"] for _, kind, body in facts if kind in ("FilmPublished", "FilmRolledBack")
    ]
    return Record(
        sound=sound,
        seals={seal["file"]: seal["file_hash"] for seal in seals if seal["file"]},
        made=Counter(
            body["key"]
            for _, kind, body in facts
            if kind == "SegmentSealed" and not body.get("reused")
        ),
        films={
            path: (film, kept)
            for path, film, kept in base.execute("SELECT path, film_hash, kept_hash FROM films")
        },
        kinds=Counter(kind for _, kind, _ in facts),
        jobs=jobs,
        open_jobs=len(jobs - ended),
        last_published=published[-1] if published else "",
    )
