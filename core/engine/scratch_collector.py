"""Keep the scratch folder within its budget: remove only what exists verified elsewhere.

A segment may be removed if its packets are in a complete film that is in its place now, byte for
byte. The film's hash is on record with the keys that it was joined from, and the film's bytes are
read again and compared.

Some segments are never removed automatically:
- segments of replaced cuts, which exist nowhere else;
- segments of incomplete films, which are needed again when the user answers;
- segments of a film that a job is about to replace, which exist elsewhere only until then;
- segments of a job that can be resumed;
- segments that another data folder has in its index.

Films are taken least recently used first, and read again. Their segments are removed, unused for
longest first, until the folder is within its budget.

For each segment, first the record is removed, then the index entry, then the file. A process that
is killed in between leaves files without a record; the next start records what the index has
(`SegmentIndex.restore`).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from core.engine import gc, run_tasks
from core.executors.worker_pool import WorkerPool
from core.job.events import FilmJoined, SegmentSealed
from core.job.scratch_budget import Budget, Collected, Removal, Stored, oldest_first
from core.plan.policy import Policy
from core.storage import scratch_leases
from core.storage.journal import Film, Journal
from core.storage.segment_index import SegmentIndex
from core.storage.workspace import Workspace
from core.system import codec, machine
from core.tasks.spec import Assignment, CheckFilm, Made

_UNCHANGED = "DELETE FROM seals WHERE key = ? AND sealed_at = ?"
"""Keeps a segment that a job has used since it was examined."""


def stored_bytes(workspace: Workspace) -> int:
    """Return the bytes of the files in the store, of all data folders. Raises OSError."""
    total = 0
    with contextlib.suppress(
        FileNotFoundError
    ):  # nothing was kept here yet, or a file was removed meanwhile
        for folder in os.scandir(workspace.scratch / "store"):
            if folder.is_dir(follow_symlinks=False):
                for file in os.scandir(folder.path):
                    with contextlib.suppress(FileNotFoundError):
                        total += file.stat(follow_symlinks=False).st_size
    return total


def limit(budget: Budget | None, workspace: Workspace) -> int | None:
    """Return the budget in bytes; None if there is none."""
    return budget.limit(machine.disk_bytes(workspace.scratch)) if budget is not None else None


def collect(
    journal: Journal,
    workspace: Workspace,
    limit: int,
    *,
    check: Callable[[Film], bool],
    keep: Collection[str] = (),
    replaced: Collection[str] = (),
    dry_run: bool = False,
) -> Collected:
    """Bring the store within its budget as far as that loses nothing.

    `check` returns whether a film is as it is on record; it is called for no more films than
    needed. `keep` are content keys that are needed now. `replaced` are paths of films about to be
    replaced. With `dry_run` nothing is removed. Raises sqlite3.Error or OSError.
    """
    used = stored_bytes(workspace)
    excess, removals = used - limit, list[Removal]()
    if excess > 0:
        keep = {*keep, *gc.needed_by_open_jobs(journal)}
        gone: set[str] = set()
        for film, stored in _candidates(
            journal, workspace, keep, {*replaced, *_to_be_replaced(journal)}
        ):
            stored = [one for one in stored if one.seal.key not in gone]
            if not stored or not check(film):
                continue
            chosen = oldest_first(stored, excess)
            gone |= {one.seal.key for one in chosen}
            if not dry_run:
                chosen, freed = _remove(journal, workspace, chosen)
            else:
                freed = sum(one.seal.bytes for one in chosen)
            removals.append(Removal(film.path, len(chosen), freed))
            excess -= freed
            if excess <= 0:
                break
    return Collected(used, limit, tuple(one for one in removals if one.segments))


def _to_be_replaced(journal: Journal) -> list[str]:
    return [journal.accepted(job).output for job in gc.open_jobs(journal)]


def _candidates(
    journal: Journal, workspace: Workspace, keep: Collection[str], replaced: Collection[str]
) -> list[tuple[Film, list[Stored]]]:
    """Return complete films that exist, each with the segments that are provably in it.

    Segments that another data folder also has are left out. The least recently used film comes
    first; of equally old films, the smaller one.
    """
    index, others = (
        SegmentIndex(workspace.scratch, workspace.home),
        scratch_leases.living(workspace.scratch, workspace.home),
    )
    rows = journal.read("SELECT key, body, sealed_at FROM seals", ())
    stored = {
        key: Stored(codec.decode(body, SegmentSealed), at)
        for key, body, at in rows
        if key not in keep
    }
    stored = {
        key: one for key, one in stored.items() if one.seal.file and not index.shared(key, others)
    }
    found: list[tuple[float, int, Film, list[Stored]]] = []
    for film in journal.films():
        published = journal.published(film.film_hash)
        if film.path in replaced or published is None or not published[1].complete:
            continue
        inside = dict(_parts(journal, film.film_hash))
        its = [one for key, one in stored.items() if inside.get(key) == one.seal.file_hash]
        try:
            size = os.stat(film.path).st_size
        except OSError:
            continue
        if its:
            found.append((max(one.used_at for one in its), size, film, its))
    return [(film, its) for _, _, film, its in sorted(found, key=lambda one: one[:2])]


def _parts(journal: Journal, film_hash: str) -> Iterator[tuple[str, str]]:
    """Yield (key, hash of the segment's file) for the segments that a film was joined from.

    Older versions did not record them.
    """
    joined = journal.read(
        "SELECT seq, job, body FROM facts WHERE kind = 'FilmJoined' AND json_extract(body, '$.film_hash') = ?",
        (film_hash,),
    )
    for seq, job, body in joined:
        keys = set(codec.decode(body, FilmJoined).keys)
        seals = journal.read(
            "SELECT body FROM facts WHERE kind = 'SegmentSealed' AND job = ? AND seq < ? ORDER BY seq",
            (job, seq),
        )
        for (said,) in seals if keys else ():
            seal = codec.decode(said, SegmentSealed)
            if seal.key in keys:
                yield seal.key, seal.file_hash


def _remove(
    journal: Journal, workspace: Workspace, chosen: list[Stored]
) -> tuple[list[Stored], int]:
    """Remove segments; return those that were removed, and the bytes of their files."""
    index = SegmentIndex(workspace.scratch, workspace.home)
    freed, went = 0, list[Stored]()
    with index.removing(journal):
        journal.write(_UNCHANGED, [(one.seal.key, one.used_at) for one in chosen])
        for one in chosen:
            if journal.seals([one.seal.key]):
                continue
            index.forget(one.seal.key)
            freed += workspace.remove_stored(one.seal.file)
            went.append(one)
    return went, freed


class ScratchCollector:
    """Collections of one run: before its film is rendered, and after the run has ended.

    A collection never fails the run or delays it for long. `verified` maps paths of films whose
    bytes this run has read to their hashes; these films are not read again.
    """

    def __init__(
        self,
        journal: Journal,
        workspace: Workspace,
        budget: Budget | None,
        *,
        crew: WorkerPool,
        policy: Policy,
        stopped: Callable[[], bool],
        on_collected: Callable[[Collected], None],
    ) -> None:
        self._journal, self._workspace, self._budget = journal, workspace, budget
        self._crew, self._policy, self._stopped, self._on_collected = (
            crew,
            policy,
            stopped,
            on_collected,
        )
        self.verified: dict[str, str] = {}

    def collect(
        self, seconds: float, *, keep: Collection[str] = (), replaced: Collection[str] = ()
    ) -> None:
        """Collect, and read films again for at most `seconds`.

        For `keep` and `replaced`, see the function `collect`.
        """
        until = machine.monotonic() + seconds
        size = None
        try:
            size = limit(self._budget, self._workspace)
            if size is None:
                return
            check = lambda film: self._stands(film, until)  # noqa: E731
            found = collect(
                self._journal, self._workspace, size, check=check, keep=keep, replaced=replaced
            )
            told = self._first_time(over=found.left > size)
        except Exception as error:  # no film fails because of it; the listener logs it
            self._on_collected(Collected(0, size or 0, trouble=error))
        else:
            if found.removals or told:
                self._on_collected(Collected(found.used, found.limit, found.removals, told))

    def _stands(self, film: Film, until: float) -> bool:
        if self.verified.get(film.path) == film.film_hash:
            return Path(film.path).exists()
        if machine.monotonic() >= until or self._stopped():
            return False
        return film_stands(
            film,
            self._crew,
            self._policy,
            stopped=lambda: self._stopped() or machine.monotonic() >= until,
        )

    def _first_time(self, *, over: bool) -> bool:
        """Whether the budget is exceeded, and that was not reported since it was last met."""
        switch = f"over budget {self._workspace.scratch}"
        known = bool(self._journal.read("SELECT 1 FROM switches WHERE name = ?", (switch,)))
        if over and not known:
            self._journal.write("INSERT OR REPLACE INTO switches VALUES (?, 1)", [(switch,)])
        elif known and not over:
            self._journal.write("DELETE FROM switches WHERE name = ?", [(switch,)])
        return over and not known


def film_stands(
    film: Film, crew: WorkerPool, policy: Policy, *, stopped: Callable[[], bool] = lambda: False
) -> bool:
    """Read a film again; return whether it is, byte for byte, what was published.

    False if `stopped` ends the check early.
    """
    order = CheckFilm(
        path=film.path,
        film_hash=film.film_hash,
        frames=film.frames,
        samples=film.samples,
        deep=False,
    )
    try:
        results = run_tasks.run_all(
            crew, {"stands": Assignment(order=order)}, policy=policy, stopped=stopped
        )
    except run_tasks.Stopped:
        return False
    return isinstance(results["stands"], Made)
