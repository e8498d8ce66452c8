"""The state machine of a job.

Rules:
1. Only `fold` changes the state, and only with events that are already in the journal.
2. `needs` looks at the state, never at the last event: resuming after a power cut is not a special
   case.
3. A checkpoint from an earlier run is only cached until its file has been hashed again in this run;
   then it is verified.
4. Nothing is requested twice at once: tasks in flight are left out, equal keys are rendered once.
5. A failed task becomes pending again when its event says so (`retry_at`), never earlier.
6. A task behind a closed gate is not pending now; an attempt that a gate ended is not counted.
7. Tasks that read replaced media are no longer pending: the film is replanned for that media.
8. The film is joined when every segment and chunk is verified, and published when it is joined. A
   fatal failure ends the job before anything is published.

In the identifiers, `claimed` means cached, `believed` means verified, and a gate is a circuit
breaker.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from core.errors.failure import Failure
from core.graph import content_key
from core.graph.nodes import Copy, Plan, Segment, Slate
from core.graph.preset import Preset
from core.job import circuit_breaker as gates
from core.job import damage_repair, replan
from core.job.decisions import Accepted, Decisions, Lacks, Terms, clips_of
from core.job.events import (
    Answered,
    Answers,
    AttemptFailed,
    Fact,
    FilmJoined,
    FilmPublished,
    GateClosed,
    GateOpened,
    JobFinished,
    PreviousUsed,
    Rewound,
    SealBroken,
    SegmentParted,
    SegmentSealed,
    ShotMended,
    ShotSlated,
    SoundSilenced,
)
from core.job.pending_tasks import Kind, PendingTask, one_mix_first, reusable
from core.job.retry_policy import ALONE, LOOK_AGAIN, Cures
from core.plan import planning
from core.plan.policy import Policy
from core.plan.slate_text import SlateWords, slate_lines, stretch
from core.system.folder import FolderIdentity


@dataclass
class JobState:
    """The state of a job in this run.

    `plan` is the original plan; `current` is the plan with slates, repairs and silence applied.
    """

    plan: Plan
    preset: Preset
    policy: Policy
    build: str
    slate_words: SlateWords
    claimed: dict[str, SegmentSealed]
    volumes: Mapping[str, str] = field(default_factory=dict)
    cures: Cures = field(default_factory=dict)
    hwaccel: str = ""
    looks: int = 0
    """How many replans for replaced media remain."""
    folders: dict[str, FolderIdentity] = field(
        default_factory=dict
    )  # by role: `film` and `scratch`
    believed: dict[str, SegmentSealed] = field(default_factory=dict)
    failed: dict[str, list[AttemptFailed]] = field(default_factory=dict)
    slated: dict[int, Failure] = field(default_factory=dict)
    silenced: dict[str, Failure] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    gates: dict[str, GateClosed] = field(default_factory=dict)
    previous: dict[int, PreviousUsed] = field(default_factory=dict)
    decisions: Decisions = field(default_factory=Decisions)
    damage: damage_repair.Damage = field(default_factory=damage_repair.Damage)
    replaced: set[str] = field(default_factory=set)
    """Paths of media files that were replaced since this plan was prepared."""
    fatal: Failure | None = None
    joined: FilmJoined | None = None
    published: FilmPublished | None = None
    finished: JobFinished | None = None
    current: Plan = field(init=False)

    def __post_init__(self) -> None:
        self.current = self.plan
        self.terms = Terms(self.plan)
        self._order()

    def _order(self) -> None:
        """Sort the work longest first, to keep all workers busy to the end; ties in film order."""
        unique = {segment.key: segment for segment in reversed(self.current.segments)}
        self.work = sorted(unique.values(), key=lambda s: (-s.frames, s.record_in))
        self.track = (
            content_key.track_key(self.current.chunks, self.plan.format, self.preset, self.build)
            if self.current.audible and not self.preset.audio.pcm
            else ""
        )
        self.cut = content_key.cut_key(self.current, self.preset)
        self.nothing_to_show = self._nothing_to_show()

    def fold(self, fact: Fact) -> None:
        """Apply a recorded event to the state."""
        match fact:
            case SegmentSealed():
                self.believed[fact.key] = fact
                self.claimed.pop(fact.key, None)
            case SealBroken():
                self.believed.pop(fact.key, None)
                self.claimed.pop(fact.key, None)
                self.joined = None
                lost = [
                    shot
                    for shot, used in self.previous.items()
                    if any(seal.key == fact.key for seal in used.seals)
                ]
                for shot in lost:  # cannot be rendered again: back to the slate
                    del self.previous[shot]
                if lost:
                    self._revise()
            case PreviousUsed():
                self.previous[fact.shot] = fact
                self.claimed.update(
                    {seal.key: seal for seal in fact.seals if seal.key not in self.believed}
                )
                self._revise()
            case Answered():
                self._answered(fact)
            case AttemptFailed() if fact.recovery.gate:
                self.held[fact.key] = self.held.get(fact.key, 0) + 1
            case GateClosed():
                self.gates[fact.gate] = fact
            case GateOpened():
                self.gates.pop(fact.gate, None)
            case AttemptFailed():
                if fact.failure.code == "decoder-device-gone":
                    # One failure is enough: do not decode with the device again in this run.
                    self.hwaccel = ""
                if fact.failure.code == "film-part-gone":
                    self.joined = None
                if fact.recovery.change == LOOK_AGAIN:
                    self.replaced.add(fact.failure.evidence.path)
                self.failed.setdefault(fact.key, []).append(fact)
                if fact.recovery.fatal:
                    self.fatal = fact.failure
            case ShotSlated():
                self.slated[fact.shot] = fact.failure
                self._revise()
            case SoundSilenced(samples=0):
                self.silenced[fact.clip] = fact.failure
                self._revise()
            case ShotMended() | SegmentParted() | SoundSilenced():
                self.damage.fold(fact)
                self._revise()
            case FilmJoined():
                self.joined = fact
            case FilmPublished():
                self.published = fact
            case JobFinished():
                self.finished = fact
            case Rewound():
                for key in fact.keys:
                    self.claimed.pop(key, None)
            case _:
                pass

    def _answered(self, fact: Answered) -> None:
        """Apply a user decision: a retry starts afresh, other answers are stored until needed."""
        about = (
            [fact.shot]
            if fact.shot
            else [n for n, code in self.shots_missing().items() if fact.code in ("", code)]
        )
        self.decisions.hear(fact)
        if fact.answer == "retry":
            self._begin_anew([n for n in about if n in self.slated or n in self.damage.shots])

    def _begin_anew(self, shots: list[int]) -> None:
        for shot in shots:
            self.slated.pop(shot, None)
            self.damage.forget(shot)
        for segment in (*self.plan.segments, *self.current.segments):
            if segment.shot in shots:
                self.failed.pop(segment.key, None)
                self.held.pop(segment.key, None)
        if shots:
            self._revise()

    def wish(self, shot: int, code: str) -> Answers | None:
        """Return what the user wants done about a shot that failed with `code`, or None.

        An answer can name the shot, the code or everything; a preference comes last.
        """
        return self.decisions.wish(shot, code, self.terms.shots.get(shot, ""))

    def questions(self) -> dict[int, str]:
        """Return the shots that still await a user decision, with their failure codes."""
        return {
            n: code
            for n, code in self.shots_missing().items()
            if self.wish(n, code) is None and n not in self.previous
        }

    def asks_for_another_plan(self, fact: Answered) -> bool:
        """Return whether an answer can only be carried out by a replan.

        That holds for a relink and for another look at unusable media, which an assembly takes only
        once, at its start.
        """
        if fact.answer != "retry":
            return fact.answer == "relink"
        seen = [problem for problem in self.plan.problems if fact.code in ("", problem.code)]
        unheard = not fact.shot and any(
            fact.code in ("", failure.code) for failure in self.silenced.values()
        )
        return unheard or any(not fact.shot or fact.shot in problem.shots for problem in seen)

    def claim(self, seals: Mapping[str, SegmentSealed]) -> None:
        """Cache recorded checkpoints for segments that were not in the original plan.

        They can then be verified instead of being rendered again.
        """
        found = reusable(self.current, self.track, seals)
        self.claimed.update({key: seal for key, seal in found.items() if key not in self.believed})

    def _revise(self) -> None:
        plan, words = self.plan, self.slate_words
        lines = {}
        for shot in plan.shots:
            if failure := self.slated.get(shot.number):
                first = plan.start_frame + shot.record_in
                where = stretch(
                    words, first, shot.frames, plan.format.rate, drop_frame=plan.drop_frame
                )
                lines[shot.number] = slate_lines(words, shot, failure.code, where)
        revised = replan.revised(
            self.plan,
            lines,
            frozenset(self.silenced),
            self.previous,
            preset=self.preset,
            policy=self.policy,
            build=self.build,
        )
        self.current = self.damage.applied(
            revised, preset=self.preset, build=self.build, slate_words=self.slate_words
        )
        self._order()

    def needs(self, now: float, in_flight: Collection[str]) -> list[PendingTask]:
        """Return the tasks that can start now, most urgent first.

        Tasks that are in flight or must wait are left out.
        """
        if self.finished is not None:
            return []
        if self.fatal is not None or self.published is not None:
            return [PendingTask("finish", "film")] if not in_flight else []
        if any(self._alone(name.partition(":")[2]) for name in in_flight):
            return []
        if self.complete and in_flight:
            return []
        owed = [need for need in self.owed() if need.name not in in_flight and self._may(need, now)]
        together = one_mix_first([need for need in owed if not self._alone(need.key)], in_flight)
        return together if together or in_flight else owed[:1]

    def owed(self) -> list[PendingTask]:
        """Return all remaining tasks, including those in flight, waiting or behind a gate.

        Tasks that depend on unfinished work are not included.
        """
        if self.fatal is not None or self.published is not None or self.finished is not None:
            return []
        if self.joined is not None:
            return [PendingTask("publish", self.cut)]
        if self.complete:
            return [PendingTask("join", self.cut)] if not self.replaced else []
        return self._owed()

    def _alone(self, key: str) -> bool:
        tries = self.failed.get(key)
        return tries is not None and tries[-1].recovery.change == ALONE and key not in self.believed

    def _may(self, need: PendingTask, now: float) -> bool:
        return self.ready_at(need.key, now) <= now and not (
            self.gates and self.behind(need) & self.gates.keys()
        )

    def behind(self, need: PendingTask) -> set[str]:
        """Return the gates that must be open for a task."""
        return gates.behind(
            need.kind, need.segment, need.chunk, self.current.segments, self.volumes
        )

    def tried(self, key: str) -> list[str]:
        """Return the changes tried so far for a task, in order."""
        return [fact.recovery.change for fact in self.failed.get(key, ()) if fact.recovery.change]

    def _owed(self) -> list[PendingTask]:
        row: list[PendingTask] = []
        chunks = {chunk.key: chunk for chunk in self.current.chunks}
        wanted = (
            {segment.key for segment in self.work}
            | set(chunks)
            | ({self.track} if self.track else set())
        )
        row += [PendingTask("validate", key) for key in self.claimed if key in wanted]
        open_keys = self.believed.keys() | self.claimed.keys()
        row += [
            PendingTask("mix", key, chunk=chunk)
            for key, chunk in chunks.items()
            if key not in open_keys
            and self.replaced.isdisjoint(sound.path for sound in chunk.sounds)
        ]
        if (
            self.track
            and self.track not in open_keys
            and all(key in self.believed for key in chunks)
        ):
            row.append(PendingTask("track", self.track))
        for segment in self.work:
            if (
                segment.key not in open_keys
                and getattr(segment.picture, "path", "") not in self.replaced
            ):
                row.append(PendingTask(self._kind(segment), segment.key, segment=segment))
        return row

    def _kind(self, segment: Segment) -> Kind:
        tries = self.failed.get(segment.key)
        if tries and tries[-1].recovery.change == damage_repair.LOCATE:
            return "locate"
        return "copy" if isinstance(segment.picture, Copy) else "render"

    @property
    def complete(self) -> bool:
        """Whether all parts of the film are verified."""
        return (
            all(segment.key in self.believed for segment in self.work)
            and all(chunk.key in self.believed for chunk in self.current.chunks)
            and (not self.track or self.track in self.believed)
        )

    @property
    def wants_another_look(self) -> bool:
        """Whether all remaining work depends on media that was replaced."""
        return (
            bool(self.replaced)
            and not self.owed()
            and self.fatal is None
            and self.published is None
            and self.finished is None
        )

    @property
    def first_failed_at(self) -> dict[str, float]:
        """When each task that failed in this run failed for the first time."""
        return {key: tries[0].at for key, tries in self.failed.items()}

    def ready_at(self, key: str, now: float) -> float:
        """Return when a task may be tried (again); 0 means at once.

        A time further ahead than any delay was set by another clock, so it is ignored.
        """
        tries = self.failed.get(key)
        moment = tries[-1].recovery.retry_at or 0.0 if tries else 0.0
        return (
            moment
            if moment - now <= max(self.policy.longest_delay_s, self.policy.retry_budget_s)
            else 0.0
        )

    def next_alarm(self, now: float) -> float | None:
        """Return the next time at which a waiting task may continue, or None."""
        waiting = [self.ready_at(key, now) for key in self.failed]
        return min((moment for moment in waiting if moment > now), default=None)

    def shots_missing(self) -> dict[int, str]:
        """Return the shots that are wholly or partly slates, with failure codes.

        The slates may be planned or follow from failures. Shots replaced by an earlier render are
        not included.
        """
        return {
            number: code for number, code in self._short().items() if number not in self.previous
        }

    def _short(self) -> dict[int, str]:
        missing = {n: problem.code for problem in self.plan.problems for n in problem.shots}
        return missing | {
            number: failure.code for number, failure in (self.damage.shots | self.slated).items()
        }

    @property
    def lacks(self) -> Lacks:
        """How the film differs from the timeline."""
        silent = {silence.clip: silence.failure.code for silence in self.damage.silences}
        silent |= {clip: failure.code for clip, failure in self.silenced.items()}
        losses = [remark for remark in self.plan.remarks if remark.severity == "loss"]
        return Lacks(self._short(), clips_of(self.plan.problems) | silent, losses)

    @property
    def taken(self) -> Accepted:
        """The differences that a person has accepted."""
        return self.lacks.taken(self.terms, self.decisions, self.previous)

    @property
    def incomplete(self) -> bool:
        """Whether the film differs from the timeline in ways that nobody accepted."""
        return self.lacks.beyond(self.taken)

    def _nothing_to_show(self) -> bool:
        """Return whether there are clips but none of them can be seen or heard."""
        clips = [shot for shot in self.plan.shots if shot.kind == "clip"]
        pictured = any(
            not isinstance(s.picture, Slate)
            for s in self.current.segments
            if self.plan.shots[s.shot - 1].kind == "clip"
        )
        heard = any(chunk.sounds for chunk in self.current.chunks)
        return bool(clips) and not pictured and not heard

    def check_invariants(self) -> None:
        """Assert invariants of the whole state; tests call this after every event."""
        assert not (self.believed.keys() & self.claimed.keys()), (
            "a seal is both believed and claimed"
        )
        assert self.joined is None or self.fatal is not None or self.complete, (
            "joined from an incomplete set"
        )
        assert self.published is None or self.joined is not None, (
            "published without having been joined"
        )
        planning.check(self.current)
