"""User decisions to accept slates, silence, and timeline features the film cannot carry. Pure.

A decision holds for *terms*: a digest of the shot, sound or remark as it is cut, together with the
version of its media at that time (`core.timeline.source.version`; none where the file does not
exist). Another cut of the film that has the same shot with the same media has the same terms, so
the decision holds there too. When the file appears, is replaced or changes, or the shot is trimmed,
the terms change and the user is asked again. Renaming a file, linking it or changing its
permissions does not change its version.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from core.graph.nodes import Copy, Piece, Plan, Problem, Still
from core.job.events import (
    Answered,
    Answers,
    Fact,
    RunStarted,
    SegmentParted,
    ShotMended,
    ShotSlated,
    SoundSilenced,
)
from core.timeline.source import version
from core.timeline.timeline import Remark


class Accepted(NamedTuple):
    """Differences that a person has accepted.

    `shots` are slates, wholly or partly, or earlier renders; `clips` are silent; `remarks` are the
    codes of remarks.
    """

    shots: tuple[int, ...] = ()
    clips: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


class Terms:
    """The terms of everything in a plan that a person can decide about.

    Equal items are told apart by their order.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    @cached_property
    def shots(self) -> dict[int, str]:
        """The terms of shots, by shot number."""
        versions: dict[int, set[str]] = {}
        for segment in self._plan.segments:
            if isinstance(segment.picture, Piece | Still | Copy):
                versions.setdefault(segment.shot, set()).add(version(segment.picture.fingerprint))
        for problem in self._plan.problems:
            for number in problem.shots:
                versions.setdefault(number, set()).add(version(problem.fingerprint))
        seen = Counter[str]()
        found = {}
        for shot in self._plan.shots:
            media = sorted(versions.get(shot.number, ()))
            found[shot.number] = _term(
                seen, "shot", shot.kind, shot.name, shot.path, shot.source_in_s, shot.frames, *media
            )
        return found

    @cached_property
    def clips(self) -> dict[str, str]:
        """The terms of sounds, by clip."""
        parts: dict[str, list[object]] = {}
        for chunk in self._plan.chunks:
            for sound in chunk.sounds:
                known = parts.setdefault(
                    sound.clip, [sound.path, version(sound.fingerprint), sound.source_in_s, 0]
                )
                known[3] += sound.samples  # type: ignore[operator]
        for problem in self._plan.problems:
            for clip, heard in zip(problem.clips, problem.heard, strict=False):
                parts.setdefault(clip, []).extend(
                    (problem.path, version(problem.fingerprint), heard[1])
                )
        seen = Counter[str]()
        return {clip: _term(seen, "sound", *what) for clip, what in parts.items()}

    @cached_property
    def remarks(self) -> dict[Remark, str]:
        """The terms of remarks about timeline features that the film cannot carry."""
        seen = Counter[str]()
        return {
            one: _term(seen, "remark", one.code, one.text)
            for one in self._plan.remarks
            if one.severity == "loss"
        }

    @cached_property
    def heard_with(self) -> dict[int, tuple[str, ...]]:
        """The clips heard with each shot, by shot number.

        These clips take their sound from the shot's own file and are heard while it is seen.
        Accepting the shot accepts their silence too.
        """
        heard = _heard(self._plan)
        of_path: dict[str, list[str]] = {}
        for clip, (path, _, _) in heard.items():
            of_path.setdefault(path, []).append(clip)
        found = {}
        for shot in self._plan.shots:
            paths = {
                shot.path,
                *(p.path for p in self._plan.problems if shot.number in p.shots),
            } - {""}
            clips = [clip for path in paths for clip in of_path.get(path, ())]
            found[shot.number] = tuple(
                clip
                for clip in clips
                if heard[clip][1] < shot.record_in + shot.frames and shot.record_in < heard[clip][2]
            )
        return found


def _heard(plan: Plan) -> dict[str, tuple[str, float, float]]:
    """Return the path of each clip's sound, and its start and end in the film in frames."""
    heard: dict[str, tuple[str, float, float]] = {}
    for chunk in plan.chunks:
        for sound in chunk.sounds:
            first = float(
                (chunk.first_sample + sound.at) * plan.format.rate / plan.format.sample_rate
            )
            last = first + float(sound.samples * plan.format.rate / plan.format.sample_rate)
            path, began, ended = heard.get(sound.clip, (sound.path, first, last))
            heard[sound.clip] = path, min(began, first), max(ended, last)
    for problem in plan.problems:
        for clip, (first_frame, frames) in zip(problem.clips, problem.heard, strict=False):
            heard.setdefault(clip, (problem.path, first_frame, first_frame + frames))
    return heard


def _term(seen: Counter[str], *what: object) -> str:
    """Return a digest of `what` and the number of times the same value occurred so far."""
    text = "\x1f".join(map(str, what))
    seen[text] += 1
    return blake2b(
        f"{text}\x1f{seen[text]}".encode("utf-8", "surrogateescape"), digest_size=12
    ).hexdigest()


@dataclass
class Decisions:
    """The user decisions about a film.

    `preferences` are by fault code; `answers` are by shot, code, or "" for all; `accepted` are
    terms.
    """

    preferences: Mapping[str, Answers] = field(default_factory=dict)
    answers: dict[int | str, Answers] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)

    @property
    def none(self) -> bool:
        """Whether there are no decisions at all."""
        return not (self.accepted or self.answers or self.preferences)

    def hear(self, fact: Answered) -> None:
        """Apply an answer; it replaces any earlier answer about the same subject."""
        about = fact.shot or fact.code
        self.answers.pop(about, None)
        self.settle(fact)
        if fact.answer != "retry" and not (fact.answer == "skip" and fact.terms):
            self.answers[about] = fact.answer

    def settle(self, fact: Answered) -> None:
        """Apply only what the answer says about terms; nothing else carries over to another cut."""
        if fact.answer == "skip":
            self.accepted.update(fact.terms)
        else:
            self.accepted.difference_update(fact.terms)

    def wish(self, about: int | str, code: str, term: str) -> Answers | None:
        """Return what the user wants done about an item that failed with `code`, or None.

        An answer about the item itself takes precedence over one about the code, then one about
        everything, then accepted terms, then the preference.
        """
        said = self.answers.get(about) or self.answers.get(code) or self.answers.get("")
        return said or ("skip" if term in self.accepted else self.preferences.get(code))


class Lacks(NamedTuple):
    """How a film differs from its timeline: shots, clips and remarks with their codes."""

    shots: Mapping[int, str]
    clips: Mapping[str, str]
    remarks: Collection[Remark]

    def taken(self, terms: Terms, decisions: Decisions, earlier: Collection[int] = ()) -> Accepted:
        """Return the differences that a person has accepted.

        `earlier` are shots replaced by an earlier render, which always count as accepted because
        one is used only on request.
        """
        if not (self.shots or self.clips or self.remarks) or decisions.none:
            return Accepted()
        left = {
            n for n, code in self.shots.items() if decisions.wish(n, code, terms.shots[n]) == "skip"
        }
        mute = {
            clip
            for clip, code in self.clips.items()
            if decisions.wish(clip, code, terms.clips.get(clip, "")) == "skip"
        }
        mute |= {clip for n in left for clip in terms.heard_with[n] if clip in self.clips}
        codes = {one.code for one in self.remarks}
        told = {
            code
            for code in codes
            if all(_left(one, terms, decisions) for one in self.remarks if one.code == code)
        }
        return Accepted(
            tuple(sorted(left.union(earlier))), tuple(sorted(mute)), tuple(sorted(told))
        )

    def beyond(self, taken: Accepted) -> bool:
        """Return whether there are differences besides the accepted ones."""
        return bool(
            self.shots.keys() - set(taken.shots) or self.clips.keys() - set(taken.clips)
        ) or any(one.code not in taken.remarks for one in self.remarks)


def _left(remark: Remark, terms: Terms, decisions: Decisions) -> bool:
    return decisions.wish(remark.code, remark.code, terms.remarks.get(remark, "")) == "skip"


def clips_of(problems: Iterable[Problem]) -> dict[str, str]:
    """Return the clips whose sound is known to be missing before rendering, with problem codes."""
    return {clip: problem.code for problem in problems for clip in problem.clips}


def last_run(facts: Sequence[Fact]) -> Sequence[Fact]:
    """Return the events since the last run of a job started."""
    began = max((at for at, fact in enumerate(facts) if isinstance(fact, RunStarted)), default=0)
    return facts[began:]


def happened_again(
    facts: Iterable[Fact], then: Plan, now: Plan, terms: Collection[str]
) -> list[Fact]:
    """Transfer recorded events to another plan, for the shots and clips with these terms.

    `facts` come from a run with the plan `then`; the events returned refer to the shots and clips
    of `now` that have the same terms.
    """
    before, here = Terms(then), Terms(now)
    numbers = {term: number for number, term in here.shots.items() if term in terms}
    shots = {number: numbers[term] for number, term in before.shots.items() if term in numbers}
    clips = {term: clip for clip, term in here.clips.items() if term in terms}
    sounds = {clip: clips[term] for clip, term in before.clips.items() if term in clips}
    began, begins = _begin_of_clips(then), _begin_of_clips(now)
    alone = _without_others(now, set(shots.values()))
    found: dict[Fact, None] = {}
    for fact in facts:
        match fact:
            case ShotSlated() if fact.shot in shots:
                found[msgspec.structs.replace(fact, shot=shots[fact.shot])] = None
            case ShotMended() if shots.get(fact.shot) in alone:
                found[msgspec.structs.replace(fact, shot=shots[fact.shot])] = None
            case SegmentParted():
                found[fact] = None  # no effect where no segment has that key
            case SoundSilenced() if fact.clip in sounds:
                clip = sounds[fact.clip]
                moved = begins.get(clip, 0) - began.get(fact.clip, 0) if fact.samples else 0
                found[
                    msgspec.structs.replace(fact, clip=clip, first_sample=fact.first_sample + moved)
                ] = None
            case _:
                pass
    return list(found)


def _without_others(plan: Plan, shots: set[int]) -> set[int]:
    """Return the shots that share no segment with shots outside the set.

    A repair belongs to a segment, so it would apply to those other shots as well.
    """
    others = {segment.key for segment in plan.segments if segment.shot not in shots}
    return shots - {segment.shot for segment in plan.segments if segment.key in others}


def _begin_of_clips(plan: Plan) -> dict[str, int]:
    begin: dict[str, int] = {}
    for chunk in plan.chunks:
        for sound in chunk.sounds:
            begin.setdefault(sound.clip, chunk.first_sample + sound.at)
    return begin
