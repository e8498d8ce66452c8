"""Assign an identity to every opened file, which decides whether recorded checkpoints apply to it.

A file gets the identity of a content on record, or a new one. Rules:

1. A file whose path and state (size, times, inode, samples) are on record keeps its identity.
   Nothing is read, except on a file system that keeps no change time: there, a copy with the old
   date can forge any state, so the parts that were used are compared each time.
2. Any other file is compared with the contents on record that have its size and samples. If
   everything that was ever used of one of them is equal, the file has that identity, and nothing
   made from it is rendered again. Otherwise it gets an identity of its own.
3. An identity belongs to one file at a time, or to links to it. A copy beside a file that still
   exists has its own identity, because parts that were not used yet may differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from core.engine import run_tasks
from core.errors.failure import Failure
from core.executors.worker_pool import WorkerPool
from core.media import hashes
from core.media.content import Compared, CompareSource, Use
from core.plan.policy import Policy
from core.storage.history import History, SourceRecord
from core.system import machine
from core.tasks.spec import Assignment
from core.timeline.source import Source

_TRIED = 3
"""Number of contents on record that a file is compared with."""
_HOLDERS = 16

Step = Callable[[str, int, int], None]
Pair = tuple[str, str]
"""A path and an identity."""


@dataclass
class SourceIdentities:
    """Compares files with contents on record, each pair once.

    `bytes` and `seconds` are what the comparisons have read and taken so far.
    """

    crew: WorkerPool
    memory: History
    policy: Policy
    stopped: Callable[[], bool]
    on_step: Step
    bytes: int = 0
    seconds: float = 0.0
    _compared: dict[Pair, Compared] = field(default_factory=dict)
    _open: set[str] = field(default_factory=set)
    """Paths that may hold another file than when last opened; others may have their contents."""

    def identified(self, sources: Mapping[str, Source]) -> tuple[dict[str, Source], list[str]]:
        """Return the sources with their identities, and paths that could not be compared.

        Those paths look the same as on record. Raises Stopped when asked to stop.
        """
        seen = {path: self.memory.seen(path) for path in sources}
        as_it_was = {
            path: before.identity
            for path, source in sources.items()
            if (before := seen[path]) is not None and before.identity and _as_it_was(before, source)
        }
        doubted = {
            path: (sources[path], which, ())
            for path, which in as_it_was.items()
            if not machine.keeps_change_time(path)
        }
        differs = {
            path
            for path, compared in self._all(doubted, alone=False).items()
            if compared.verdict == "other"
        }
        given = {path: identity for path, identity in as_it_was.items() if path not in differs}
        self._open = sources.keys() - given.keys()
        files = {sources[path].inode: identity for path, identity in given.items()}
        waiting = {
            path: self._candidates(source, seen[path])
            for path, source in sources.items()
            if path not in given and source.inode not in files
        }
        while any(waiting.values()):
            tries = {path: candidates.pop(0) for path, candidates in waiting.items() if candidates}
            found = self._all(
                {path: (sources[path], identity, ()) for path, identity in tries.items()},
                alone=True,
            )
            for path, identity in sorted(
                tries.items(), key=lambda pair: not _had(seen[pair[0]], pair[1])
            ):
                source, compared = sources[path], found[path]
                owned = identity in files.values() and files.get(source.inode) != identity
                if (
                    compared.verdict == "same"
                    and not compared.held
                    and (not owned or _covered(source))
                ):
                    given[path] = files[source.inode] = identity
            waiting = {
                path: row for path, row in waiting.items() if sources[path].inode not in files
            }
        for path, source in sources.items():
            given.setdefault(path, files.setdefault(source.inode, self._fresh(source)))
        settled = {
            path: msgspec.structs.replace(source, identity=given[path])
            for path, source in sources.items()
        }
        return settled, [path for path in sources if self._untold(path, seen[path], settled[path])]

    def proven(self, tries: Mapping[str, tuple[Source, tuple[Use, ...]]]) -> dict[str, Compared]:
        """Compare candidates for missing files with the records of the missing files.

        `tries` maps each missing path to its candidate and to what the film uses of it. A candidate
        is proven if the verdict is `same` and everything that is used is covered.
        """
        asked = {}
        for path, (source, used) in tries.items():
            before = self.memory.seen(path)
            if before is not None and (before.identity or _covered(source)):
                asked[path] = (source, before.identity, used)
        found = self._all(asked, alone=False)
        return {path: found.get(path, Compared(verdict="unknown")) for path in tries}

    def read_of(self, path: str) -> int:
        """Return how many bytes of a file were compared with the record."""
        return sum(compared.bytes for (at, _), compared in self._compared.items() if at == path)

    def _candidates(self, source: Source, before: SourceRecord | None) -> list[str]:
        if not source.mark:
            return []
        alike = self.memory.alike(source.size, source.mark)
        first = [before.identity] if before is not None and before.identity in alike else []
        return list(dict.fromkeys([*first, *alike]))[:_TRIED]

    def _fresh(self, source: Source) -> str:
        """Return an identity of its own for a file.

        It is the one from opening the file, unless another state of a file has it already.
        """
        if source.identity and self.memory.on_record(source.identity):
            return f"{source.identity}-{machine.token()}"
        return source.identity

    def _untold(self, path: str, before: SourceRecord | None, now: Source) -> bool:
        """Whether a file may be the same as on record, but no comparison could tell."""
        alike = (
            before is not None
            and before.mark
            and (before.size, before.mark) == (now.size, now.mark)
        )
        if before is None or not alike or before.identity in ("", now.identity):
            return False
        compared = self._compared.get((path, before.identity))
        return compared is not None and compared.verdict == "unknown"

    def _all(
        self, asked: Mapping[str, tuple[Source, str, tuple[Use, ...]]], *, alone: bool
    ) -> dict[str, Compared]:
        """Compare every file with an identity.

        Files that cannot be read, or change meanwhile, are `unknown`.
        """
        found: dict[str, Compared] = {}
        orders: dict[str, Assignment] = {}
        for name, (source, identity, used) in asked.items():
            holders = tuple(
                path
                for path in self.memory.holders(identity)
                if path not in (source.path, *self._open)
            )[:_HOLDERS]
            if _covered(source):
                found[name] = Compared(
                    verdict="same", covered=True
                )  # its content mark covers every byte
                continue
            if alone and (source.path, identity) in self._compared:
                found[name] = self._compared[source.path, identity]
                continue
            known = self.memory.known(identity)
            if not known:  # nothing was made from it, or (None) the record cannot tell
                found[name] = Compared(verdict="unknown" if known is None else "same")
                continue
            order = CompareSource(
                path=source.path,
                fingerprint=source.fingerprint,
                known=known,
                used=used,
                holders=holders,
                alone=alone,
            )
            orders[name] = Assignment(order=order)
        if orders:
            found |= self._run(orders)
        for name, (source, identity, _) in asked.items():
            self._compared[source.path, identity] = found[name]
        return found

    def _run(self, orders: Mapping[str, Assignment]) -> dict[str, Compared]:
        done = 0

        def compared(*_: object) -> None:
            nonlocal done
            done += 1
            self.on_step("compare", done, len(orders))

        began = machine.monotonic()
        self.on_step("compare", 0, len(orders))
        results = run_tasks.run_all(
            self.crew, orders, policy=self.policy, stopped=self.stopped, on_done=compared
        )
        found = {
            name: result if isinstance(result, Compared) else Compared(verdict="unknown")
            for name, result in results.items()
        }
        self.seconds += machine.monotonic() - began
        self.bytes += sum(one.bytes for one in found.values())
        return found


def sources_in(opened: Mapping[str, Source | Failure]) -> dict[str, Source]:
    """Return the sources that could be opened."""
    return {path: source for path, source in opened.items() if isinstance(source, Source)}


def _covered(source: Source) -> bool:
    return bool(source.mark) and source.size <= hashes.COVERED


def _had(before: SourceRecord | None, identity: str) -> bool:
    return before is not None and before.identity == identity


def _as_it_was(before: SourceRecord, now: Source) -> bool:
    return (before.fingerprint, before.inode) == (now.fingerprint, str(now.inode[1]))
