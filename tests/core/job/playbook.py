"""A job's state machine played as a script: `>>` tells a fact, `<<` says what is owed after it.

    play(film, media) << ["render 1", "render 2"] >> made("render 1") << ["render 2"]

Work goes by short words: its kind and the number of the shot it is about. After every fact the invariants are checked, and
at every `<<` the facts so far are told to a fresh state, which must owe the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from core.errors.failure import ErrorType, Evidence, Failure, Recovery, Strategy
from core.graph.nodes import Plan
from core.graph.preset import Preset
from core.job.events import (
    AttemptFailed,
    Fact,
    FilmJoined,
    FilmPublished,
    JobFinished,
    SealBroken,
    SegmentSealed,
    ShotSlated,
    SoundSilenced,
)
from core.job.state import JobState
from core.plan.policy import Policy
from core.timeline.timeline import Timeline
from tests.core.props import BUILD, POLICY, PRORES, SLATES, plan


class Told(NamedTuple):
    """A fact that is made when it is told, of what the words mean then."""

    by: Callable[[Playbook], Fact]


class Playbook:
    """See the module."""

    def __init__(
        self,
        made: Plan,
        *,
        preset: Preset = PRORES,
        policy: Policy = POLICY,
        claimed: tuple[str, ...] = (),
        claims: bool = False,
    ) -> None:
        self._fresh = lambda: JobState(
            plan=made,
            preset=preset,
            policy=policy,
            build=BUILD,
            slate_words=SLATES,
            claimed=dict(self._claimed),
        )
        self._claimed: dict[str, SegmentSealed] = {}
        state = self._fresh()
        keys = dict.fromkeys(
            [
                *(s.key for s in state.work),
                *(c.key for c in made.chunks),
                *([state.track] if state.track else []),
            ]
        )
        self._claimed = {
            key: seal(key) for key in keys if claims or self._word(state, key) in claimed
        }
        self.state = self._fresh()
        self.story: list[Fact] = []
        self.now = 1000.0
        self.flying: set[str] = set()

    def __rshift__(self, told: Told | Fact) -> Playbook:
        fact = told.by(self) if isinstance(told, Told) else told
        self.state.fold(fact)
        self.state.check_invariants()
        self.story.append(fact)
        return self

    def __lshift__(self, wanted: list[str]) -> Playbook:
        assert self.owed() == wanted
        again = self._fresh()
        for fact in self.story:
            again.fold(fact)
        assert again.needs(self.now, self.flying) == self.state.needs(self.now, self.flying), (
            "told again, it owes something else"
        )
        return self

    def owed(self) -> list[str]:
        """What is owed now, in words."""
        return [
            self._words(need.kind, need.key) for need in self.state.needs(self.now, self.flying)
        ]

    def after(self, seconds: float) -> Playbook:
        """Time goes by."""
        self.now += seconds
        return self

    def given(self, *words: str) -> Playbook:
        """Workers are at it."""
        self.flying |= {f"{word.split()[0]}:{self.key(word)}" for word in words}
        return self

    def back(self) -> Playbook:
        """All of them have come back."""
        self.flying.clear()
        return self

    def key(self, word: str) -> str:
        """The content key of `render 2`, `mix 1`, `track`, `join`."""
        kind, _, number = word.removeprefix("validate ").partition(" ")
        if kind == "mix":
            return self.state.current.chunks[int(number) - 1].key
        if kind == "track":
            return self.state.track
        if kind in ("join", "publish"):
            return self.state.cut
        shot, _, piece = number.partition(".")
        pieces = [
            segment.key for segment in self.state.current.segments if segment.shot == int(shot)
        ]
        return pieces[int(piece or 1) - 1]

    def _words(self, kind: str, key: str) -> str:
        word = self._word(self.state, key)
        if kind == "validate":
            return f"validate {word}"
        return word if kind in ("render", "copy", "mix", "track") else kind

    @staticmethod
    def _word(state: JobState, key: str) -> str:
        for number, chunk in enumerate(state.current.chunks, start=1):
            if chunk.key == key:
                return f"mix {number}"
        for segment in state.current.segments:
            if segment.key == key:
                pieces = [s.key for s in state.current.segments if s.shot == segment.shot]
                kind = "copy" if key.startswith("c") else "render"
                return f"{kind} {segment.shot}" + (
                    f".{pieces.index(key) + 1}" if len(pieces) > 1 else ""
                )
        return "track" if key == state.track else "?"


def play(film: Timeline, sources: object, **more: object) -> Playbook:
    """Begin with a timeline and its sources."""
    preset, policy = more.get("preset", PRORES), more.get("policy", POLICY)
    return Playbook(plan(film, sources, preset=preset, policy=policy), **more)  # type: ignore[arg-type]


# Facts ----------------------------------------------------------------------------------------------------------------


def seal(key: str) -> SegmentSealed:
    """A checkpoint under a key."""
    kind = {"a": "audio", "c": "copy", "t": "track"}.get(key[0], "video")
    file = "" if kind == "copy" else f"{key}.x"
    return SegmentSealed(
        key=key, kind=kind, shot=1, file=file, bytes=100, file_hash="h", frames=24, digest="d"
    )  # type: ignore[arg-type]


def made(word: str) -> Told:
    """A piece of work is sealed; or a claim of it was validated."""
    return Told(lambda book: seal(book.key(word)))


def broken(word: str) -> Told:
    """Its file is not what the journal says."""
    return Told(lambda book: SealBroken(key=book.key(word), reason="its bytes have changed"))


def failure(code: str, place: str = "source") -> Failure:
    """A judged failure."""
    return Failure(
        type=ErrorType.TRANSIENT_RESOURCE,
        code=code,
        evidence=Evidence(operation="render", place=place),
    )  # type: ignore[arg-type]


def failed(
    word: str, code: str = "network-lost", *, again_in: float | None = None, fatal: bool = False
) -> Told:
    """An attempt failed; it may be tried again so many seconds from now."""

    def tell(book: Playbook) -> Fact:
        key = book.key(word)
        retry_at = None if again_in is None else book.now + again_in
        return AttemptFailed(
            key=key,
            shot=1,
            attempt=len(book.state.failed.get(key, ())) + 1,
            at=book.now,
            failure=failure(code),
            recovery=Recovery(strategy=Strategy.WAIT_AND_RETRY, retry_at=retry_at, fatal=fatal),
        )

    return Told(tell)


def slated(shot: int, code: str = "source-damaged") -> Fact:
    """A shot was given up."""
    return ShotSlated(shot=shot, failure=failure(code))


def silenced(clip: str) -> Fact:
    """A clip's sound was given up."""
    return SoundSilenced(clip=clip, failure=failure("source-damaged"))


joined = Told(
    lambda book: FilmJoined(
        cut=book.state.cut,
        staged="/f/.hotsplice/a.part.mov",
        bytes=1,
        film_hash="tree8m:1",
        frames=book.state.plan.frames,
        samples=book.state.plan.samples,
    )
)
published = Told(
    lambda book: FilmPublished(output="/f/a.mov", film_hash="tree8m:1", kept="", cut=book.state.cut)
)
finished = JobFinished(outcome="complete")
