"""What a person has decided to take as it is: slates, silence, and what the film cannot carry of the timeline. Pure.

A decision holds for *terms*: a digest of the shot, sound or remark as it is cut, together with the version of its media at that
time (`core.timeline.source.version`; none where the file is not there). Another cut of the film that has the same shot with the same
media has the same terms, so the decision holds there too. When the file appears, is replaced or changes, or the shot is trimmed,
the terms are others and the person is asked again. A file that is renamed, linked or given other permissions has not changed.
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
    """What a film lacks by decision: shots that are slates, wholly or in part, or an earlier render; clips that are silent;
    codes of remarks."""

    shots: tuple[int, ...] = ()
    clips: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


class Terms:
    """The terms of everything in a plan about which a person may decide. Equal things are told apart by their order."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    @cached_property
    def shots(self) -> dict[int, str]:
        """By number."""
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
        """Of sounds, by clip."""
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
        """Of what the film cannot carry of the timeline."""
        seen = Counter[str]()
        return {
            one: _term(seen, "remark", one.code, one.text)
            for one in self._plan.remarks
            if one.severity == "loss"
        }

    @cached_property
    def heard_with(self) -> dict[int, tuple[str, ...]]:
        """By shot the clips whose sound comes from the shot's own file and is heard while it is seen: who takes the one as it
        is takes the other."""
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
    """By clip the path of its sound, and where it begins and ends in the film, in frames."""
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
    """A digest of it, with how often the same came before."""
    text = "\x1f".join(map(str, what))
    seen[text] += 1
    return blake2b(
        f"{text}\x1f{seen[text]}".encode("utf-8", "surrogateescape"), digest_size=12
    ).hexdigest()


@dataclass
class Decisions:
    """What was decided about a film. `preferences` are by fault code; `answers` by shot, code or "" for all; `accepted` are
    terms."""

    preferences: Mapping[str, Answers] = field(default_factory=dict)
    answers: dict[int | str, Answers] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)

    @property
    def none(self) -> bool:
        """Whether nothing was decided at all."""
        return not (self.accepted or self.answers or self.preferences)

    def hear(self, fact: Answered) -> None:
        """The newest word about something wins."""
        about = fact.shot or fact.code
        self.answers.pop(about, None)
        self.settle(fact)
        if fact.answer != "retry" and not (fact.answer == "skip" and fact.terms):
            self.answers[about] = fact.answer

    def settle(self, fact: Answered) -> None:
        """What it says of terms alone: of another cut nothing else holds."""
        if fact.answer == "skip":
            self.accepted.update(fact.terms)
        else:
            self.accepted.difference_update(fact.terms)

    def wish(self, about: int | str, code: str, term: str) -> Answers | None:
        """What is wanted about something that failed with a code: said of it, of all that fail so, of all; or always."""
        said = self.answers.get(about) or self.answers.get(code) or self.answers.get("")
        return said or ("skip" if term in self.accepted else self.preferences.get(code))


class Lacks(NamedTuple):
    """What a film lacks, by what it is about, with its codes."""

    shots: Mapping[int, str]
    clips: Mapping[str, str]
    remarks: Collection[Remark]

    def taken(self, terms: Terms, decisions: Decisions, earlier: Collection[int] = ()) -> Accepted:
        """What of it was decided to be so. In `earlier` shots an earlier render stands in: nobody uses one unasked."""
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
        """Whether it lacks more than that."""
        return bool(
            self.shots.keys() - set(taken.shots) or self.clips.keys() - set(taken.clips)
        ) or any(one.code not in taken.remarks for one in self.remarks)


def _left(remark: Remark, terms: Terms, decisions: Decisions) -> bool:
    return decisions.wish(remark.code, remark.code, terms.remarks.get(remark, "")) == "skip"


def clips_of(problems: Iterable[Problem]) -> dict[str, str]:
    """Clips whose sound cannot be had, known before rendering, with the problem's code."""
    return {clip: problem.code for problem in problems for clip in problem.clips}


def last_run(facts: Sequence[Fact]) -> Sequence[Fact]:
    """Those since the last run of a job began."""
    began = max((at for at, fact in enumerate(facts) if isinstance(fact, RunStarted)), default=0)
    return facts[began:]


def happened_again(
    facts: Iterable[Fact], then: Plan, now: Plan, terms: Collection[str]
) -> list[Fact]:
    """What is recorded of the shots and clips that have these terms, out of the `facts` of a run whose plan was `then`: to the
    shots and clips of the plan `now` that have them."""
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
                found[fact] = None  # where no piece has that key, it means nothing
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
    """Those of the shots whose pieces no other shot shows: a mend is one of a piece, and would be one of that shot too."""
    others = {segment.key for segment in plan.segments if segment.shot not in shots}
    return shots - {segment.shot for segment in plan.segments if segment.key in others}


def _begin_of_clips(plan: Plan) -> dict[str, int]:
    begin: dict[str, int] = {}
    for chunk in plan.chunks:
        for sound in chunk.sounds:
            begin.setdefault(sound.clip, chunk.first_sample + sound.at)
    return begin
