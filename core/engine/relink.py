"""Open every source, and find missing ones again: by content, never by name alone.

A file at another path is taken only if all bytes that the film uses of it match the record, or if a
media hash list has its hash. Every other file that looks like it is only proposed.

A user's choice comes first, then the file at its path, then a search. A worker does the search: it
costs nothing when nothing is missing, it ends after its time budget, and a share that hangs costs
one worker and the search results.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from core.engine import run_tasks
from core.engine.source_identity import SourceIdentities, sources_in
from core.errors.failure import Failure, Lookalike
from core.executors.worker_pool import WorkerPool
from core.job import relink_choice
from core.job.events import SourceMoved
from core.media.content import Compared, Use
from core.plan.policy import Policy
from core.storage.history import History, SourceRecord
from core.system import machine
from core.tasks.spec import Assignment, FindSources, Found, Match, Outcome, Progress, Wanted
from core.timeline.source import Source
from core.timeline.timeline import Remark

_COPIES_TRIED = 3
_WITH_THEIR_VOLUME = {"source-missing", "source-volume-gone", "network-lost"}

Step = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Opened:
    """The outcome of opening all sources.

    `sources` has, for every path of the timeline, the source (perhaps at another path) or the
    reason why there is none. `moved`: sources that were found elsewhere. `remarks`: what to report
    about them. `alike`: files that look like a missing one and were not taken.
    """

    sources: dict[str, Source | Failure]
    moved: tuple[SourceMoved, ...] = ()
    remarks: tuple[Remark, ...] = ()
    alike: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def remember(self, memory: History) -> None:
        """Remember every source as it is now, in one write.

        A source that was found again is also remembered under its old path. A file that the user
        chose to replace a source is not remembered under that source's path.
        """
        now = [
            (source.path, source) for source in self.sources.values() if isinstance(source, Source)
        ]
        for moved in self.moved:
            source = self.sources[moved.path]
            if moved.how != "person" and isinstance(source, Source):
                now.append((moved.path, source))
        seen = {path: _seen(path, source) for path, source in now if source.mark}
        if seen:
            memory.see(list(seen.values()))


def _seen(path: str, source: Source) -> SourceRecord:
    return SourceRecord(
        path=path,
        size=source.size,
        mark=source.mark,
        fingerprint=source.fingerprint,
        volume=machine.listed_mount(path)[0] if source.volume else "",
        identity=source.identity,
        inode=str(source.inode[1]) if source.identity else "",
        modified_ns=source.modified_ns,
    )


Uses = Callable[[Mapping[str, Source]], Mapping[str, tuple[Use, ...]]]
"""Function from the sources at some paths of the timeline to what the film uses of each.

Paths for which that is unknown are left out.
"""


@dataclass(frozen=True)
class Relinker:
    """Opens sources and searches for missing ones.

    `folders` are searched because the user named them; folders in `skip` are never searched.
    `replaced` maps files that were replaced or missing since this run began to the identities that
    they had.
    """

    crew: WorkerPool
    memory: History
    output: Path
    policy: Policy
    stopped: Callable[[], bool]
    on_step: Step
    folders: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    replaced: Mapping[str, str] = field(default_factory=dict)
    uses: Uses = lambda sources: dict.fromkeys(sources, ())

    def open(self, paths: Sequence[str]) -> Opened:
        """Open every path. Raises `run_tasks.Stopped` when asked to stop."""
        told = self.memory.relinks(str(self.output))
        places = {path: told.get(path, path) for path in paths}
        at = self._examine(list(dict.fromkeys(places.values())), "examine")
        self._wait_for_volumes(at)
        self._wait_for_deliveries(at)
        same = SourceIdentities(self.crew, self.memory, self.policy, self.stopped, self.on_step)
        failed = {place: found for place, found in at.items() if isinstance(found, Failure)}
        again, remarks, alike = self._search(at, places, same)
        identified, untold = same.identified(
            {source.path: source for source in sources_in(at).values()}
        )
        at = {
            place: identified[found.path] if isinstance(found, Source) else found
            for place, found in at.items()
        }
        sources, moved = {}, []
        for path, place in places.items():
            match = again.get(place)
            source = at[place]
            if match is not None:
                how: Literal["mhl", "content"] = "mhl" if match.how == "mhl" else "content"
                moved.append(
                    SourceMoved(path=path, to=match.to, how=how, failure=failed.get(place))
                )
            elif place != path and isinstance(source, Source):
                moved.append(SourceMoved(path=path, to=place, how="person"))
                remarks.append(relink_choice.given(path, place))
            elif place != path and isinstance(source, Failure):
                source = _resembled(
                    source, (Lookalike(path=path, how="instead"), *source.evidence.lookalikes)
                )
            elif match is None and isinstance(source, Source) and source.path in untold:
                remarks.append(relink_choice.untold(path))
            elif match is None and isinstance(source, Source) and self._replaced(source):
                remarks.append(relink_choice.replaced(path))
            sources[path] = source
        return Opened(sources, tuple(moved), tuple(remarks), alike)

    def _replaced(self, source: Source) -> bool:
        """Whether a file's content has changed; a different date alone does not count."""
        now = source.identity or source.fingerprint
        if self.replaced.get(source.path, "") not in ("", now):
            return True
        seen = self.memory.seen(source.path)
        if seen is None or not seen.identity:
            return bool(seen and seen.mark and source.mark and seen.mark != source.mark)
        return seen.identity != now

    def _examine(self, places: list[str], step: str) -> dict[str, Source | Failure]:
        done = 0

        def opened(*_: object) -> None:
            nonlocal done
            done += 1
            self.on_step(step, done, len(places))

        self.on_step(step, 0, len(places))
        return run_tasks.examine(
            self.crew, places, policy=self.policy, stopped=self.stopped, on_done=opened
        )

    def _wait_for_volumes(self, at: dict[str, Source | Failure]) -> None:
        """Wait for sources on a volume that is not mounted now, as in the middle of a job.

        A drive that is disconnected for a moment must not cost a film that starts just then. A
        volume is known by any file that was ever opened on it, in this run or before. `at`
        receives the sources that came back.
        """
        missing = [
            path
            for path, source in at.items()
            if isinstance(source, Failure) and source.code in _WITH_THEIR_VOLUME
        ]
        known = {
            *self.memory.volumes(),
            *(source.volume for source in at.values() if isinstance(source, Source)),
        } - {""}
        away, began = {path for path in missing if self._away(path, known)}, machine.monotonic()
        while away and machine.monotonic() - began < self.policy.gate_patience_s:
            if self.stopped():
                raise run_tasks.Stopped
            self.on_step("wait", 0, len(away))
            self.crew.listen(self.policy.probe_every_s)
            back = sorted(path for path in away if not self._away(path, known))
            at.update(self._examine(back, "examine") if back else {})
            away.difference_update(back)

    def _wait_for_deliveries(self, at: dict[str, Source | Failure]) -> None:
        """Wait for replacement files that are still being written, as for a volume.

        These files took the place of others while the film was rendered. `at` receives the
        results.
        """
        began = machine.monotonic()
        while growing := [path for path in self.replaced if _grows(at.get(path))]:
            if self.stopped():
                raise run_tasks.Stopped
            if machine.monotonic() - began >= self.policy.gate_patience_s:
                return
            self.on_step("settle", 0, len(growing))
            self.crew.listen(self.policy.probe_every_s)
            at.update(self._examine(sorted(growing), "examine"))

    def _away(self, path: str, known: set[str]) -> bool:
        seen, now = self.memory.seen(path), machine.listed_mount(path)[0]
        above = (volume for volume in known if path.startswith(volume.rstrip("/") + "/"))
        unmounted = bool(now) and any(len(volume) > len(now) for volume in above)
        return unmounted or bool(seen and seen.volume and now != seen.volume)

    def _search(
        self, at: dict[str, Source | Failure], places: Mapping[str, str], same: SourceIdentities
    ) -> tuple[dict[str, Match], list[Remark], dict[str, tuple[str, ...]]]:
        """Search for files that could not be opened.

        `at` receives the sources that were found. Return the matches that were taken, the remarks,
        and the files that look like one that is still missing.

        A file of the same size and samples is compared before it is taken. If it proves to be a
        different file, the search goes on for as long as there is time.
        """
        lost = {
            p: failure
            for p, failure in at.items()
            if isinstance(failure, Failure) and failure.code in relink_choice.LOOKED_FOR
        }
        if not lost:
            return {}, [], {}
        near = [source.path for source in at.values() if isinstance(source, Source)]
        taken: dict[str, Match] = {}
        refused: dict[str, dict[str, Compared]] = {path: {} for path in lost}
        copies: dict[str, int] = {}
        founds: list[Found] = []
        trouble: list[str] = []
        while True:
            left = {path: failure for path, failure in lost.items() if path not in taken}
            found = self._find(
                left, near, refused, self.policy.search_s - sum(one.seconds for one in founds)
            )
            founds.append(found)
            trouble += found.trouble
            tries = {
                path: row
                for path in left
                if (row := relink_choice.promising(path, found.matches, near))
            }
            names = [match.to for row in tries.values() for match in row[:_COPIES_TRIED]]
            opened = run_tasks.examine(
                self.crew, list(dict.fromkeys(names)), policy=self.policy, stopped=self.stopped
            )
            copies |= {path: len(row) for path, row in tries.items()}
            before = len(taken), sum(map(len, refused.values()))
            for place in range(_COPIES_TRIED):
                here = {
                    path: row[place]
                    for path, row in tries.items()
                    if path not in taken and place < len(row)
                }
                trouble += self._take(here, opened, places, same, at, taken, refused)
            if not lost.keys() - taken or before == (len(taken), sum(map(len, refused.values()))):
                break
            if self.policy.search_s <= sum(one.seconds for one in founds):
                break
        remarks = [
            relink_choice.found_again(match, copies[path], same.read_of(match.to))
            for path, match in taken.items()
        ]
        theirs = {match.to for match in taken.values()}
        matches = [match for match in founds[-1].matches if match.to not in theirs]
        for path in lost.keys() - taken:
            at[path] = _resembled(
                lost[path], relink_choice.lookalikes(path, matches, refused[path])
            )
            remarks += relink_choice.contradicted(path, matches)
        remarks += [
            Remark(code="search-incomplete", severity="note", text=text)
            for text in dict.fromkeys(trouble)
        ]
        looked = relink_choice.Cost(
            len(lost), max(one.looked_at for one in founds), sum(one.bytes for one in founds) + same.bytes,
            sum(one.seconds for one in founds) + same.seconds,
        )  # fmt: skip
        return (
            taken,
            [*remarks, *relink_choice.cost(looked)],
            {path: tuple(refused[path]) for path in lost.keys() - taken},
        )

    def _take(
        self,
        row: Mapping[str, Match],
        opened: Mapping[str, Source | Failure],
        places: Mapping[str, str],
        same: SourceIdentities,
        at: dict[str, Source | Failure],
        taken: dict[str, Match],
        refused: dict[str, dict[str, Compared]],
    ) -> list[str]:
        """Take the proven matches, and add the others to `refused`.

        Return a message for each file that could not be opened.
        """
        files = {
            path: source
            for path, match in row.items()
            if isinstance(source := opened.get(match.to), Source)
        }
        asked = {path: source for path, source in files.items() if row[path].how == "samples"}
        used = (
            self.uses({named: asked[place] for named, place in places.items() if place in asked})
            if asked
            else {}
        )
        wanted = {
            path: tuple(
                use for named, uses in used.items() if places[named] == path for use in uses
            )
            for path in asked
        }
        found = same.proven({path: (source, wanted[path]) for path, source in asked.items()})
        told = {places[named] for named in used}
        for path, source in files.items():
            if path not in asked or (
                path in told and (found[path].verdict == "same" and found[path].covered)
            ):
                at[path], taken[path] = source, row[path]
            else:
                refused[path][source.path] = found[path]
        lost = {path: match.to for path, match in row.items() if path not in files}
        for path, to in lost.items():
            refused[path][to] = Compared(verdict="unknown")
        return [
            f"{to} may be {path} by its content, but cannot be opened." for path, to in lost.items()
        ]

    def _find(
        self,
        lost: dict[str, Failure],
        near: list[str],
        refused: Mapping[str, Mapping[str, Compared]],
        budget_s: float,
    ) -> Found:
        before = self.memory.moved(str(self.output))
        order = FindSources(
            wanted=tuple(self._wanted(path, refused[path]) for path in lost),
            folders=self.folders,
            near=tuple(near),
            beside=tuple(
                [before[p] for p in lost if p in before]
                + [p for p, f in lost.items() if f.code not in relink_choice.SILENT]
            ),
            skip=self.skip,
            budget_s=budget_s,
            most=self.policy.search_files,
        )
        outcome = self._perform(order)
        if isinstance(outcome, Found):
            return outcome
        return Found(
            trouble=("The search for missing media did not come back and was given up.",),
            seconds=budget_s,
        )

    def _wanted(self, path: str, refused: Mapping[str, Compared]) -> Wanted:
        seen = self.memory.seen(path)
        if seen is None:
            return Wanted(path=path, refused=tuple(refused))
        others = tuple(to for to, compared in refused.items() if compared.verdict == "other")
        unproven = tuple(to for to in refused if to not in others)
        return Wanted(path=path, size=seen.size, mark=seen.mark, refused=others, unproven=unproven)

    def _perform(self, order: FindSources) -> Outcome:
        """Run the search and return its outcome.

        The search keeps to its time budget by itself. It hangs only if the system does, and that is
        noticed soon. It is never tried again, because a job does not wait for a search.
        """
        total = len(order.wanted)
        self.on_step("find", 0, total)
        self.crew.give("find", Assignment(order=order, stall_s=self.policy.probe_stall_s))
        while not self.stopped():
            for name, reply in self.crew.listen(1.0):
                if name == "find" and not isinstance(reply, Progress):
                    return reply
                if name == "find" and isinstance(reply, Progress):
                    self.on_step("find", reply.frames, total)
        raise run_tasks.Stopped


def _grows(source: Source | Failure | None) -> bool:
    return isinstance(source, Failure) and source.code == "source-growing"


def _resembled(failure: Failure, lookalikes: tuple[Lookalike, ...]) -> Failure:
    evidence = msgspec.structs.replace(failure.evidence, detail="", lookalikes=lookalikes)
    return msgspec.structs.replace(failure, evidence=evidence)
