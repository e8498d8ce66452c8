"""Build the job view: what became of each shot, and at what cost.

It is built from the events and the stored plan, and is the single source for show, report and
statistics. Without the plan (an old job) it knows less, but what it shows is the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from core.errors.failure import Failure
from core.graph.nodes import Copy, Piece, Plan, Segment, Shot
from core.job.events import (
    Answered,
    AttemptFailed,
    Fact,
    FilmPlanned,
    FilmPublished,
    GateClosed,
    GateOpened,
    JobAccepted,
    JobFinished,
    PreviousUsed,
    ProblemFound,
    Rewound,
    RunInterrupted,
    RunStarted,
    SealBroken,
    SegmentSealed,
    ShotDegraded,
    ShotMended,
    ShotSlated,
    SoundSilenced,
    SourceMoved,
)
from core.report import film_places
from core.report.incidents import Entry, episodes, runs, troubled_s
from core.report.view_model import Figures, JobView, ShotView, State, Trouble


def chronicle(job: str, entries: Sequence[Entry], plan: Plan | None) -> JobView:
    """Build the view of one job from its events, in order, and the plan of its last run.

    Raises ValueError when the events do not begin with JobAccepted.
    """
    if not entries or not isinstance(entries[0].fact, JobAccepted):
        raise ValueError(f"the facts of {job} do not begin with what was asked for")
    teller = _Teller(plan)
    for entry in entries:
        teller.hear(entry)
    shots = teller.tales()
    told = episodes(entries)
    passed = runs(entries)
    return JobView(
        job=job,
        accepted=entries[0].fact,
        asked_at=entries[0].at,
        heard_at=entries[-1].at,
        outcome=teller.outcome,
        code=teller.finished.code if teller.finished else "",
        detail=teller.stopped
        if teller.outcome == "interrupted"
        else teller.finished.detail
        if teller.finished
        else "",
        planned=teller.planned,
        published=teller.published,
        shots=shots,
        elsewhere=tuple(teller.elsewhere),
        silenced=tuple(teller.silenced.items()),
        gates=tuple(teller.gates),
        answers=tuple(teller.answers),
        remarks=plan.remarks if plan else (),
        runs=passed,
        episodes=told,
        figures=teller.figures(sum(run.seconds for run in passed), troubled_s(told)),
        clips={sound.clip: sound.shot_name for chunk in plan.chunks for sound in chunk.sounds}
        if plan
        else {},
        clipped=sum(teller.seals[c.key].clipped for c in plan.chunks if c.key in teller.seals)
        if plan
        else 0,
        fatal=teller.fatal,
        taken_clips=teller.finished.taken_clips if teller.finished else (),
        taken_remarks=teller.finished.taken_remarks if teller.finished else (),
        stood=not teller.made_now,
    )


class _Teller:
    """Reads the events in order. Each run determines its problems, slates and silence anew."""

    def __init__(self, plan: Plan | None) -> None:
        self.plan = plan
        self.segments: dict[str, list[Segment]] = {}
        self.of_shot: dict[int, list[Segment]] = {}
        for segment in plan.segments if plan else ():
            self.segments.setdefault(segment.key, []).append(segment)
            self.of_shot.setdefault(segment.shot, []).append(segment)
        self.planned: FilmPlanned | None = None
        self.published: FilmPublished | None = None
        self.finished: JobFinished | None = None
        self.fatal: Trouble | None = None
        self.stopped = ""
        self.run = 0
        self.made_now = False
        self.outcome = "accepted"
        self.seals: dict[str, SegmentSealed] = {}
        self.made: dict[str, SegmentSealed] = {}
        self.reused: dict[str, SegmentSealed] = {}
        self.loose: dict[int, list[SegmentSealed]] = {}
        """Checkpoints that are not in the plan: slates, and parts of split segments."""
        self.states: dict[int, State] = {}
        self.slated: dict[int, str] = {}
        self.previous: dict[int, set[str]] = {}
        self.troubles: dict[int, list[Trouble]] = {}
        self.causes: dict[int, list[Trouble]] = {}
        self.degraded: dict[int, list[tuple[int, ShotDegraded]]] = {}
        """With the number of the run."""
        self.notes: dict[int, list[Fact]] = {}
        self.elsewhere: list[Trouble] = []
        self.silenced: dict[str, Trouble] = {}
        self.gates: list[tuple[float, GateClosed, GateOpened | None]] = []
        self.answers: list[Fact] = []
        self.failures: list[AttemptFailed] = []

    def hear(self, entry: Entry) -> None:
        fact = entry.fact
        match fact:
            case RunStarted():
                self.outcome, self.finished, self.fatal, self.run = (
                    "running",
                    None,
                    None,
                    self.run + 1,
                )
                self.made_now = False
                self.states, self.slated, self.previous, self.silenced, self.causes = (
                    {},
                    {},
                    {},
                    {},
                    {},
                )
                self.troubles = {
                    n: [t for t in told if t.recovery] for n, told in self.troubles.items()
                }
            case FilmPlanned():
                self.planned = fact
            case ProblemFound():
                self._problem(entry.at, fact)
            case SegmentSealed():
                self.seals[fact.key] = fact
                (self.reused if fact.reused else self.made)[fact.key] = fact
                if fact.shot in self.degraded and not fact.reused:
                    # A new render no longer needs what an earlier run had to change.
                    self.degraded[fact.shot] = [
                        (run, how) for run, how in self.degraded[fact.shot] if run == self.run
                    ]
            case SealBroken():
                self.seals.pop(fact.key, None)
                for shot in [shot for shot, keys in self.previous.items() if fact.key in keys]:
                    self.states[shot] = "slate"  # an earlier render cannot be rendered again
                self.elsewhere.append(
                    Trouble(at=entry.at, code="seal-damaged", path="", detail=fact.reason)
                )
            case Rewound():
                for key in fact.keys:
                    self.seals.pop(key, None)
            case AttemptFailed():
                self._failed(entry.at, fact)
            case ShotSlated() | ShotMended() | PreviousUsed() | ShotDegraded():
                self._stood_in(entry.at, fact)
            case SoundSilenced():
                self.silenced[fact.clip] = self._silence(entry.at, fact)
            case GateClosed():
                self.gates.append((entry.at, fact, None))
            case GateOpened():
                self._opened(fact)
            case Answered() | SourceMoved():
                self.answers.append(fact)
                if isinstance(fact, Answered):
                    self._answered(fact)
            case FilmPublished():
                self.published, self.made_now = fact, True
            case JobFinished():
                self.finished, self.outcome = fact, fact.outcome
            case RunInterrupted():
                self.outcome, self.stopped = "interrupted", fact.reason
            case _:
                pass

    def _answered(self, fact: Answered) -> None:
        if fact.shot:
            self.notes.setdefault(fact.shot, []).append(fact)
        if fact.answer == "retry":
            for shot, code in list(self.slated.items()):
                if fact.shot in (0, shot) and (fact.shot or fact.code in ("", code)):
                    self.states.pop(shot, None)
                    self.slated.pop(shot)
                    self.causes[shot] = [
                        cause for cause in self.causes.get(shot, ()) if cause.failure is None
                    ]

    def _problem(self, at: float, fact: ProblemFound) -> None:
        trouble = Trouble(
            at=at, code=fact.code, path=fact.path, detail=fact.detail, lookalikes=fact.lookalikes
        )
        for shot in fact.shots:
            self.states[shot] = "slate"
            self.troubles.setdefault(shot, []).append(trouble)
            self.causes.setdefault(shot, []).append(trouble)
        for clip in fact.clips:
            self.silenced[clip] = trouble

    def _silence(self, at: float, fact: SoundSilenced) -> Trouble:
        """Return the trouble for silence.

        Stretches of one clip are merged into one trouble; a whole clip has no places.
        """
        trouble, before = _given_up(at, fact.failure), self.silenced.get(fact.clip)
        if self.plan is None or not fact.samples or (before is not None and not before.places):
            return trouble
        more = film_places.of_samples(fact.first_sample, fact.samples, self.plan.format)
        return msgspec.structs.replace(
            trouble, places=tuple(film_places.joined([*(before.places if before else ()), more]))
        )

    def _failed(self, at: float, fact: AttemptFailed) -> None:
        self.failures.append(fact)
        failure = fact.failure
        segment = next(iter(self.segments.get(fact.key, ())), None)
        seen = failure.evidence.frames_seen
        offset = (
            seen if seen is not None and segment is not None and seen < segment.frames else None
        )
        trouble = Trouble(
            at=at,
            code=failure.code,
            path=failure.evidence.path,
            attempt=fact.attempt,
            failure=failure,
            recovery=fact.recovery,
            frame=segment.record_in + offset
            if segment is not None and offset is not None
            else None,
            source_frame=_source_frame(segment, offset)
            if segment is not None and offset is not None
            else None,
        )
        shots = {s.shot for s in self.segments.get(fact.key, ())} or (
            {fact.shot} if fact.shot else set()
        )
        for shot in sorted(shots):
            self.troubles.setdefault(shot, []).append(trouble)
        if not shots:
            self.elsewhere.append(trouble)
        if fact.recovery.fatal:
            self.fatal = trouble

    def _stood_in(
        self, at: float, fact: ShotSlated | ShotMended | PreviousUsed | ShotDegraded
    ) -> None:
        match fact:
            case ShotSlated():
                self.states[fact.shot] = "slate"
                self.slated[fact.shot] = fact.failure.code
                known = [cause for cause in self.causes.get(fact.shot, ()) if not cause.places]
                self.causes[fact.shot] = [*known, _given_up(at, fact.failure)]
                if not any(t.code == fact.failure.code for t in self.troubles.get(fact.shot, ())):
                    self.troubles.setdefault(fact.shot, []).append(_given_up(at, fact.failure))
            case ShotMended():
                self.states[fact.shot] = "mended"
                self.slated[fact.shot] = fact.failure.code
                bad = film_places.mended(self.plan, fact) if self.plan else []
                trouble = _given_up(
                    at, fact.failure, bad[0][0] if bad else None, fact.source_frame, fact.last_good
                )
                trouble = msgspec.structs.replace(trouble, places=tuple(bad))
                self.troubles.setdefault(fact.shot, []).append(trouble)
                self.causes.setdefault(fact.shot, []).append(trouble)
            case PreviousUsed():
                self.states[fact.shot] = "previous"
                self.previous[fact.shot] = {seal.key for seal in fact.seals}
            case ShotDegraded():
                self.degraded.setdefault(fact.shot, []).append((self.run, fact))
        self.notes.setdefault(fact.shot, []).append(fact)

    def _opened(self, fact: GateOpened) -> None:
        for place in reversed(range(len(self.gates))):
            at, closed, opened = self.gates[place]
            if closed.gate == fact.gate and opened is None:
                self.gates[place] = (at, closed, fact)
                return

    def tales(self) -> tuple[ShotView, ...]:
        """Return the view of every shot, in order."""
        self.loose = {}
        for seal in self.seals.values():
            if seal.shot and seal.key not in self.segments:
                self.loose.setdefault(seal.shot, []).append(seal)
        if self.plan is not None:
            return tuple(self._tale(shot) for shot in self.plan.shots)
        known = (
            {seal.shot for seal in self.seals.values()}
            | self.states.keys()
            | self.troubles.keys()
            | {0}
        )
        count = max(self.planned.shots if self.planned else 0, *known)
        empty = (
            Shot(number=number, name="", record_in=0, frames=0, kind="clip")
            for number in range(1, count + 1)
        )
        return tuple(self._tale(shot) for shot in empty)

    def _tale(self, shot: Shot) -> ShotView:
        mine = self.of_shot.get(shot.number, [])
        loose = self.loose.get(shot.number, [])
        seals = [self.seals.get(s.key) for s in mine] or [*loose]
        troubles = self.troubles.get(shot.number, [])
        return ShotView(
            number=shot.number,
            name=shot.name,
            record_in=shot.record_in,
            frames=shot.frames,
            state=self.states.get(shot.number) or self._state(shot, seals, loose if mine else []),
            gap=shot.kind == "gap",
            path=shot.path,
            source_frame=_source_frame(mine[0], 0) if mine else None,
            attempts=sum(seal is not None for seal in seals)
            + sum(bool(t.recovery and not t.recovery.gate) for t in troubles),
            seconds=sum(seal.seconds for seal in seals if seal),
            troubles=tuple(troubles),
            notes=tuple(self.notes.get(shot.number, ())),
            causes=tuple(self.causes.get(shot.number, ())),
            degraded=tuple(how for _, how in self.degraded.get(shot.number, ())),
            taken=self.finished is not None and shot.number in self.finished.taken_shots,
        )

    def _state(
        self, shot: Shot, seals: list[SegmentSealed | None], parts: list[SegmentSealed]
    ) -> State:
        if self.outcome == "unchanged":
            return "reused"
        there = [seal for seal in seals if seal is not None]
        whole = (
            len(there) == len(seals)
            or sum(seal.frames for seal in there + parts) >= shot.frames > 0
        )
        if self.outcome in ("complete", "incomplete") or (seals and whole):
            return "reused" if there and all(seal.reused for seal in there + parts) else "verified"
        return "waiting" if self.outcome in ("running", "interrupted", "accepted") else "missing"

    def _pictures(self, seals: dict[str, SegmentSealed], kinds: tuple[str, ...]) -> int:
        chosen = {key: seal for key, seal in seals.items() if seal.kind in kinds}
        return sum(
            sum(s.frames for s in self.segments.get(key, ())) or seal.frames
            for key, seal in chosen.items()
        )

    def figures(self, worked_s: float, recovering_s: float) -> Figures:
        """Return the totals of the job."""
        end = self.finished
        overhead, overhead_of_work = _overhead(end)
        return Figures(
            worked_s=worked_s,
            frames=self.planned.frames if self.planned else 0,
            frames_made=self._pictures(self.made, ("video",)),
            frames_reused=self._pictures(self.reused, ("video", "copy")),
            frames_copied=self._pictures(self.made, ("copy",)),
            retries=sum(fact.recovery.retry_at is not None for fact in self.failures),
            failures=len(self.failures),
            recovering_s=recovering_s,
            saved_s=sum(seal.seconds for seal in self.reused.values()),
            overhead=overhead,
            overhead_of_work=overhead_of_work,
            overhead_cpu=end.overhead_cpu_s / end.cpu_s if end and end.cpu_s > 0 else None,
            startup_s=end.startup_s if end else 0.0,
        )


def _overhead(end: JobFinished | None) -> tuple[float | None, float | None]:
    """Return the shares of time by which records and checks delayed a run: in all, after start-up.

    Older journals have no start-up time, and the oldest have only sums over all workers.
    """
    if end is None:
        return None, None
    if end.held_s > 0 and end.seconds > 0:
        return end.held_s / (end.startup_s + end.seconds), (
            end.held_s - end.startup_held_s
        ) / end.seconds
    work = end.working_s + end.recording_s
    share = (end.recording_s + end.checking_s) / work if work > 0 else None
    return share, share


def _given_up(
    at: float,
    failure: Failure,
    frame: int | None = None,
    source_frame: int | None = None,
    last_good: str = "",
) -> Trouble:
    return Trouble(
        at=at,
        code=failure.code,
        path=failure.evidence.path,
        failure=failure,
        frame=frame,
        source_frame=source_frame,
        last_good=last_good,
    )


def _source_frame(segment: Segment, offset: int) -> int | None:
    """Return the file's frame that a segment shows at an offset, or None if the rates differ."""
    picture = segment.picture
    if isinstance(picture, Copy) or (isinstance(picture, Piece) and not picture.conform):
        return picture.first_frame + offset
    return None
