"""Open every source, and find again what is missing: by content, never by name alone.

What a person has said comes first, then the file at its path, then a search. The search is a worker's: it costs nothing
when nothing is missing, ends after its time, and a share that hangs costs a worker and what would have been found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from core import preparation
from core.decide import healing
from core.model.facts import SourceMoved
from core.model.failure import Failure
from core.model.film import Remark
from core.model.orders import Assignment, FindSources, Found, Match, Outcome, Progress, Wanted
from core.model.policy import Policy
from core.model.source import Source
from core.perform import machine
from core.perform.crew import Crew
from core.record.memory import Memory, Seen

_COPIES_TRIED = 3
_WITH_THEIR_VOLUME = {"source-missing", "source-volume-gone", "network-lost"}

Step = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Opened:
    """For every path of the timeline the source (perhaps at another place) or why there is none; what was found elsewhere;
    what is said about it."""

    sources: dict[str, Source | Failure]
    moved: tuple[SourceMoved, ...] = ()
    remarks: tuple[Remark, ...] = ()

    def remember(self, memory: Memory) -> None:
        """Every source as it is now, in one write. One that was found again is remembered under its old path too; one that
        a person chose in place of another is not that other one."""
        now = [(source.path, source) for source in self.sources.values() if isinstance(source, Source)]
        for moved in self.moved:
            source = self.sources[moved.path]
            if moved.how != "person" and isinstance(source, Source):
                now.append((moved.path, source))
        marked = [(path, source) for path, source in now if source.mark]
        listed = {path: machine.listed_mount(path)[0] if source.volume else "" for path, source in marked}
        seen = {path: Seen(path, source.size, source.mark, source.fingerprint, listed[path]) for path, source in marked}
        if seen:
            memory.see(list(seen.values()))


@dataclass(frozen=True)
class Healer:
    """What opening and searching need. `folders` are searched because a person named them, those in `skip` never are. `replaced`
    are files that were replaced, or away, since this run began, with the fingerprints they had."""

    crew: Crew
    memory: Memory
    output: Path
    policy: Policy
    stopped: Callable[[], bool]
    on_step: Step
    folders: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    replaced: Mapping[str, str] = field(default_factory=dict)

    def open(self, paths: Sequence[str]) -> Opened:
        """Every path. preparation.Stopped when asked to stop."""
        told = self.memory.relinks(str(self.output))
        places = {path: told.get(path, path) for path in paths}
        at = self._examine(list(dict.fromkeys(places.values())), "examine")
        self._wait_for_volumes(at)
        self._wait_for_deliveries(at)
        again, remarks = self._search(at)
        sources, moved = {}, []
        for path, place in places.items():
            match = again.get(place)
            source = at[place]
            if match is not None:
                moved.append(SourceMoved(path=path, to=match.to, how="mhl" if match.how == "mhl" else "content"))
            elif place != path and isinstance(source, Source):
                moved.append(SourceMoved(path=path, to=place, how="person"))
                remarks.append(healing.given(path, place))
            elif place != path and isinstance(source, Failure):
                source = _with_detail(source, f"It was to take the place of {path}. {source.evidence.detail}".strip())
            elif match is None and isinstance(source, Source) and self._replaced(source):
                remarks.append(healing.replaced(path))
            sources[path] = source
        return Opened(sources, tuple(moved), tuple(remarks))

    def _replaced(self, source: Source) -> bool:
        """Whether its content is not what it was; another date alone is no other file."""
        seen = self.memory.seen(source.path)
        before = self.replaced.get(source.path, source.fingerprint)
        return before != source.fingerprint or bool(seen and seen.mark and source.mark and seen.mark != source.mark)

    def _examine(self, places: list[str], step: str) -> dict[str, Source | Failure]:
        done = 0

        def opened(*_: object) -> None:
            nonlocal done
            done += 1
            self.on_step(step, done, len(places))

        self.on_step(step, 0, len(places))
        return preparation.examine(self.crew, places, policy=self.policy, stopped=self.stopped, on_done=opened)

    def _wait_for_volumes(self, at: dict[str, Source | Failure]) -> None:
        """Sources on a volume that is not mounted now are waited for, as in the midst of a job: a drive that is out for a moment
        must not cost a film that begins just then. A volume is known by any file that was ever opened on it, in this run or
        before. `at` gets what came back."""
        missing = [path for path, source in at.items() if isinstance(source, Failure) and source.code in _WITH_THEIR_VOLUME]
        known = {*self.memory.volumes(), *(source.volume for source in at.values() if isinstance(source, Source))} - {""}
        away, began = {path for path in missing if self._away(path, known)}, machine.monotonic()
        while away and machine.monotonic() - began < self.policy.gate_patience_s:
            if self.stopped():
                raise preparation.Stopped
            self.on_step("wait", 0, len(away))
            self.crew.listen(self.policy.probe_every_s)
            back = sorted(path for path in away if not self._away(path, known))
            at.update(self._examine(back, "examine") if back else {})
            away.difference_update(back)

    def _wait_for_deliveries(self, at: dict[str, Source | Failure]) -> None:
        """What took the place of a file while the film was made may be on its way still: it is waited for as a volume is. `at`
        gets what came."""
        began = machine.monotonic()
        while growing := [path for path in self.replaced if _grows(at.get(path))]:
            if self.stopped():
                raise preparation.Stopped
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

    def _search(self, at: dict[str, Source | Failure]) -> tuple[dict[str, Match], list[Remark]]:
        """Look for what could not be opened. `at` gets what was found; the matches that were taken, and what is said."""
        lost = {p: failure for p, failure in at.items() if isinstance(failure, Failure) and failure.code in healing.LOOKED_FOR}
        if not lost:
            return {}, []
        near = [source.path for source in at.values() if isinstance(source, Source)]
        found = self._find(lost, near)
        trouble = list(found.trouble)
        copies = {path: healing.proven(path, found.matches, near) for path in lost}
        tries = [match.to for path in lost for match in copies[path][:_COPIES_TRIED]]
        opened = preparation.examine(self.crew, list(dict.fromkeys(tries)), policy=self.policy, stopped=self.stopped)
        taken: dict[str, Match] = {}
        remarks: list[Remark] = []
        for path, failure in lost.items():
            match = next((match for match in copies[path] if isinstance(opened.get(match.to), Source)), None)
            if match is not None:
                at[path], taken[path] = opened[match.to], match
                remarks.append(healing.found_again(match, len(copies[path])))
                continue
            trouble += [f"{match.to} is {path} by its content, but cannot be opened." for match in copies[path]]
            at[path] = _with_detail(failure, healing.detail(path, found.matches))
            remarks += healing.contradicted(path, found.matches)
        remarks += [Remark(code="search-incomplete", severity="note", text=text) for text in trouble]
        return taken, remarks

    def _find(self, lost: dict[str, Failure], near: list[str]) -> Found:
        before = self.memory.moved(str(self.output))
        order = FindSources(
            wanted=tuple(self._wanted(path) for path in lost),
            folders=self.folders,
            near=tuple(near),
            beside=tuple([before[p] for p in lost if p in before] + [p for p, f in lost.items() if f.code not in healing.SILENT]),
            skip=self.skip,
            budget_s=self.policy.search_s,
            most=self.policy.search_files,
        )
        outcome = self._perform(order)
        if isinstance(outcome, Found):
            return outcome
        return Found(trouble=("The search for missing media did not come back and was given up.",))

    def _wanted(self, path: str) -> Wanted:
        seen = self.memory.seen(path)
        return Wanted(path=path, size=seen.size, mark=seen.mark) if seen else Wanted(path=path)

    def _perform(self, order: FindSources) -> Outcome:
        """Its outcome. It sees to its time itself and hangs only where the system does, which is soon seen. Never tried
        again: a job does not wait for a search."""
        total = len(order.wanted)
        self.on_step("find", 0, total)
        self.crew.give("find", Assignment(order=order, stall_s=self.policy.probe_stall_s))
        while not self.stopped():
            for name, reply in self.crew.listen(1.0):
                if name == "find" and not isinstance(reply, Progress):
                    return reply
                if name == "find" and isinstance(reply, Progress):
                    self.on_step("find", reply.frames, total)
        raise preparation.Stopped


def _grows(source: Source | Failure | None) -> bool:
    return isinstance(source, Failure) and source.code == "source-growing"


def _with_detail(failure: Failure, detail: str) -> Failure:
    return msgspec.structs.replace(failure, evidence=msgspec.structs.replace(failure.evidence, detail=detail))
