"""Search for missing media by content, through folders, volumes and media hash lists.

A file that was opened before is recognised by its size and content mark. That is no proof, so the
caller compares the bytes before using the file (`core.tasks.compare_source`). A file that was never
opened, or whose record is inconclusive, is recognised by what an MHL list says about it. For that,
its path must agree with the list's path beyond the names that every camera creates. Every card has
a CLIP/C0001, and a list that vouches for its own, so the path must also contain the name of the
folder that the list describes.

The search is bounded in time and in number of files. The larger share of the time is for walking,
the rest for comparing.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from core.media import hashes as hashing
from core.media import mhl
from core.system import machine
from core.tasks import search_places
from core.tasks.spec import FindSources, Found, Match, Wanted

_NEVER = {"lost+found", "$RECYCLE.BIN", "System Volume Information", "__pycache__", "node_modules"}
_NO_DISKS = ("/proc", "/sys", "/dev")
_WALKING = 0.7
"""Share of the time budget that is spent on walking."""
_MOST_TROUBLE = 12
_MOST_UNPROVEN = 8
_OFTEN = 256


class _Spent(Exception):
    """The time, or the number of files, is used up; the message goes into `Found.trouble`."""


def find(order: FindSources, report: Callable[[int], None] = lambda found: None) -> Found:
    """Return everything that matches the wanted files.

    `report` is called repeatedly with the number of files proven so far.
    """
    return _Search(order, report).run()


@dataclass
class _Search:
    order: FindSources
    report: Callable[[int], None]
    matches: dict[tuple[str, str], Match] = field(default_factory=dict)
    trouble: list[str] = field(default_factory=list)
    looked_at: int = 0
    bytes: int = 0

    def __post_init__(self) -> None:
        self._began = machine.monotonic()
        self._walks_until = self._began + self.order.budget_s * _WALKING
        self._until = self._began + self.order.budget_s
        self._entered: set[tuple[int, int]] = set()
        self._closed = 0
        self._recorded: dict[int | str, list[Wanted]] = {}
        """Files with a record, by size and by name."""
        for wanted in self.order.wanted:
            for known in (wanted.size, mhl.name_of(wanted.path)) if wanted.mark else ():
                self._recorded.setdefault(known, []).append(wanted)
        self._unrecorded = [
            wanted for wanted in self.order.wanted if not wanted.mark or wanted.unproven
        ]
        self._names = {mhl.name_of(wanted.path) for wanted in self._unrecorded}
        self._later: list[tuple[Wanted, str]] = []
        self._by_size: dict[int, list[str]] = {}
        self._by_name: dict[str, list[tuple[int, str]]] = {}
        """Paths seen so far, by name, in case a list found later mentions them.

        Kept, like `_by_size`, only if a file was never opened or its record is inconclusive.
        """
        self._lists: list[str] = []
        self._read: set[str] = set()
        self._records: dict[str, list[mhl.Told]] = {}
        self._hashes: dict[tuple[str, str], str] = {}
        self._sure: set[str] = set()
        self._unproven: dict[tuple[str, str], set[str]] = {}
        self._others = frozenset(self.order.near)

    def run(self) -> Found:
        for folder in self.order.skip:
            self._enter(folder)
        walking = True
        for place, named in search_places.of(self.order):
            if walking:
                walking = self._walk_all(place, named)
                self._settle()
            if not walking or len(self._sure) == len(self.order.wanted):
                break
        if self._closed and len(self._sure) < len(self.order.wanted):
            self.trouble.append(
                f"{self._closed} of the folders and files looked at could not be opened."
            )
        trouble = list(dict.fromkeys(self.trouble))[:_MOST_TROUBLE]
        return Found(
            matches=tuple(self.matches.values()),
            trouble=tuple(trouble),
            looked_at=self.looked_at,
            bytes=self.bytes,
            seconds=machine.monotonic() - self._began,
        )

    def _match(
        self,
        wanted: Wanted,
        to: str,
        how: Literal["samples", "mhl", "alike", "unlike"],
        history: str = "",
    ) -> None:
        """Record a match.

        Keeps all matches that are proven or can still be. Of the others, which may be many where
        cameras use the same names, it keeps up to `_MOST_UNPROVEN` per file and kind. The film's
        other media are left out of these.
        """
        self.matches.pop((wanted.path, to), None)
        if how in ("alike", "unlike") and to in self._others:
            return
        kept = self._unproven.setdefault((wanted.path, how), set())
        if how in ("samples", "mhl"):
            self._sure.add(wanted.path)
        elif len(kept) >= _MOST_UNPROVEN:
            return
        kept.add(to)
        self.matches[wanted.path, to] = Match(path=wanted.path, to=to, how=how, history=history)

    # Walking --------------------------------------------------------------------------------------

    def _walk_all(self, place: str, named: bool) -> bool:
        """Walk a folder and all folders inside it, nearest first; return True if time is left."""
        self._lists_above(place)
        waiting = deque([place])
        try:
            while waiting:
                folder = waiting.popleft()
                try:
                    if folder not in _NO_DISKS and self._enter(folder):
                        self._walk(folder, waiting)
                except OSError as error:
                    self._closed += not (named and folder == place)
                    if named and folder == place:
                        self.trouble.append(
                            f"{place} could not be searched: {error.strerror or error}."
                        )
        except _Spent as why:
            self.trouble.append(str(why))
            return False
        return True

    def _enter(self, folder: str) -> bool:
        """Return True on the first visit to a folder: a link may lead anywhere, also back."""
        try:
            facts = os.stat(folder)
        except OSError:
            if folder in self.order.skip:
                return False
            raise
        if (facts.st_dev, facts.st_ino) in self._entered:
            return False
        self._entered.add((facts.st_dev, facts.st_ino))
        return True

    def _walk(self, folder: str, waiting: deque[str]) -> None:
        self.report(len(self._sure))
        with os.scandir(folder) as entries:
            for entry in entries:
                if machine.monotonic() > self._walks_until:
                    raise _Spent(
                        f"The search ended after {self.order.budget_s:g} s; not everything was looked at."
                    )
                if entry.name.startswith(".") or entry.name in _NEVER or not _is_text(entry.name):
                    continue
                try:
                    if entry.is_dir():
                        waiting.append(entry.path)
                    elif entry.is_file():
                        self._look_at(entry.path, entry.stat().st_size)
                except OSError:
                    self._closed += 1

    def _look_at(self, path: str, size: int) -> None:
        if self.looked_at >= self.order.most:
            raise _Spent(
                f"The search ended after {self.looked_at} files; not everything was looked at."
            )
        self.looked_at += 1
        if self.looked_at % _OFTEN == 0:
            self.report(len(self._sure))
        if self._unrecorded:
            self._by_size.setdefault(size, []).append(path)
            if mhl.name_of(path) in self._names:
                self._by_name.setdefault(mhl.name_of(path), []).append((size, path))
            if path.lower().endswith(mhl.ENDING):
                self._lists.append(path)
        name = mhl.name_of(path)
        for wanted in self._recorded.get(size, ()):
            if path != wanted.path and name == mhl.name_of(wanted.path):
                self._compare(wanted, path)
            elif path != wanted.path:
                self._later.append((wanted, path))
        for wanted in self._recorded.get(name, ()):
            if path != wanted.path and size != wanted.size:
                self._match(wanted, path, "unlike")

    def _lists_above(self, place: str) -> None:
        """Collect the lists in the folders above a place, since such a list may cover the place."""
        folder = os.path.abspath(place)
        while self._unrecorded and folder != (folder := os.path.dirname(folder)):
            for around in (os.path.join(folder, mhl.FOLDER), folder):
                try:
                    with os.scandir(around) as entries:
                        self._lists += [
                            e.path
                            for e in entries
                            if e.name.lower().endswith(mhl.ENDING) and _is_text(e.name)
                        ]
                except OSError:
                    continue  # most folders have none

    # Comparing ------------------------------------------------------------------------------------

    def _compare(self, wanted: Wanted, path: str) -> None:
        if path in wanted.refused or path in wanted.unproven:
            return
        try:
            same = hashing.content_mark(path) == wanted.mark
            self.bytes += hashing.sampled_bytes(wanted.size)
        except OSError:
            self._closed += 1
            return
        if same or mhl.name_of(path) == mhl.name_of(wanted.path):
            self._match(wanted, path, "samples" if same else "unlike")

    def _settle(self) -> None:
        """Compare what the walk found, as long as there is time."""
        later, self._later = self._later, []
        try:
            for wanted, path in later:
                self._breathe()
                self._compare(wanted, path)
            self._read_lists()
            for wanted in self._unrecorded:
                self._prove(wanted)
        except _Spent as why:
            self.trouble.append(str(why))

    def _breathe(self) -> None:
        self.report(len(self._sure))
        if machine.monotonic() > self._until:
            raise _Spent(
                f"The search ended after {self.order.budget_s:g} s; not everything was compared."
            )

    def _read_lists(self) -> None:
        for history in dict.fromkeys(self._lists):
            if history in self._read:
                continue
            self._read.add(history)
            try:
                for record in mhl.records(history, self._names, self._breathe):
                    for wanted in self._unrecorded:
                        told = mhl.told(record, history, wanted.path)
                        if told.agreed:
                            self._records.setdefault(wanted.path, []).append(told)
            except mhl.NotUnderstood as why:
                self.trouble.append(f"{history} was passed over: {why}.")
            except OSError as error:
                self.trouble.append(f"{history} was passed over: {error.strerror or error}.")

    def _prove(self, wanted: Wanted) -> None:
        """Match a wanted file through the lists that know it.

        A hash is proof only if these lists agree with each other and one of them is sure. Otherwise
        a match is only a proposal. For a file on record, only the candidates in `Wanted.unproven`
        are hashed.
        """
        told = self._records.get(wanted.path, [])
        closest = max((one.agreed for one in told), default=0)
        surest = max((one.agreed for one in told if one.sure), default=0)
        best = [one for one in told if one.agreed == closest or (one.sure and one.agreed == surest)]
        sizes = {one.record.size for one in best if one.record.size is not None} or (
            {wanted.size} if wanted.size else set()
        )
        if not best and not sizes:
            return
        hashes = mhl.common([one.record.hashes for one in best])
        trusted = surest > 0 and len(sizes) <= 1 and bool(hashes)
        history = max(best, key=lambda one: one.sure).history if best else ""
        if wanted.unproven:
            for path in wanted.unproven if trusted and sizes == {wanted.size} else ():
                self._hash(wanted, path, hashes, named=False, history=history)
            return
        for size, path in self._by_name.get(mhl.name_of(wanted.path), ()):
            if not self._open(wanted, path):
                continue
            if sizes and size not in sizes:
                if trusted:
                    self._match(wanted, path, "unlike", history)
            elif sizes:
                self._match(wanted, path, "alike", history)  # until it is hashed or the time is up
        if trusted:
            named = [
                path
                for size, path in self._by_name.get(mhl.name_of(wanted.path), ())
                if not sizes or size in sizes
            ]
            for path in dict.fromkeys(
                [*named, *(path for size in sizes for path in self._by_size.get(size, ()))]
            ):
                if self._open(wanted, path):
                    self._hash(wanted, path, hashes, named=path in named, history=history)

    def _open(self, wanted: Wanted, path: str) -> bool:
        """Return True if it is still undecided whether `path` is the wanted file."""
        known = self.matches.get((wanted.path, path))
        return (
            path != wanted.path
            and path not in wanted.refused
            and (known is None or known.how == "alike")
        )

    def _hash(
        self,
        wanted: Wanted,
        path: str,
        hashes: dict[str, frozenset[str]],
        *,
        named: bool,
        history: str,
    ) -> None:
        algorithm = mhl.quickest(hashes)
        try:
            if (path, algorithm) not in self._hashes:
                self._hashes[path, algorithm] = mhl.hash_of(path, algorithm, self._breathe)
                self.bytes += os.path.getsize(path)
        except OSError:
            self._closed += 1
            return
        if self._hashes[path, algorithm] in hashes[algorithm]:
            self._match(wanted, path, "mhl", history)
        elif named:
            self._match(wanted, path, "unlike", history)


def _is_text(name: str) -> bool:
    """Return True if a name is valid text; other names cannot be shown to the user."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
