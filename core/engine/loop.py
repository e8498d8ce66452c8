"""Pending task -> worker -> journal -> state: this loop is the whole engine.

    needs = state.needs(now, in flight)      pure: looks at the state, never at the last event
    a worker performs the task               the only place that touches media
    journal.append(event)                    record it first,
    state.fold(event)                        then update the state

Whatever happens at any moment, running the job again produces the same film.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from core.engine import batching, bitrot_check, task_factory
from core.engine import publish as publishing
from core.engine.resource_monitor import PROBE, ResourceMonitor
from core.engine.run_metrics import RunMetrics
from core.engine.source_watch import SourceWatch
from core.engine.task_factory import Dispatched
from core.engine.user_decisions import UserDecisions
from core.errors.failure import Evidence
from core.executors.worker_pool import WorkerPool
from core.job import outcomes, verification
from core.job.events import (
    REPLAN,
    AttemptFailed,
    Fact,
    JobFinished,
    Outcomes,
    RunInterrupted,
    SealBroken,
    SegmentSealed,
)
from core.job.pending_tasks import PendingTask
from core.job.retry_policy import FEWER_WORKERS, FREED
from core.job.state import JobState
from core.job.timeouts import patience_s
from core.storage.journal import Journal
from core.storage.segment_index import SegmentIndex
from core.storage.workspace import Sealed, Workspace
from core.system import machine
from core.tasks.spec import (
    Assignment,
    EncodeTrack,
    ExamineCopy,
    JoinFilm,
    Located,
    Made,
    MixSound,
    Order,
    Outcome,
    Progress,
    Refuted,
    RenderSegment,
    Validated,
)


@dataclass
class Engine:
    """Runs one planned job to its end.

    `on_fact` receives every event after it is recorded. `on_tick` is called after the workers'
    replies are processed, which includes their frame counts. `stopped` is called between steps and
    returns the reason to stop, or "". `free` removes files of ours that can be rendered again.
    """

    job: str
    output: Path
    state: JobState
    journal: Journal
    workspace: Workspace
    crew: WorkerPool
    ffmpeg: str
    answering: UserDecisions
    stopped: Callable[[], str]
    on_fact: Callable[[int, Fact], None] = lambda seq, fact: None
    on_tick: Callable[[Engine], None] = lambda engine: None
    free: Callable[[], int] = lambda: 0
    tally: RunMetrics = field(default_factory=RunMetrics)
    clock: machine.Steady = field(default_factory=machine.Steady)
    given: dict[str, Dispatched] = field(default_factory=dict)
    relinked: bool = False
    index: SegmentIndex | None = None

    def __post_init__(self) -> None:
        self.tally.work_begins()
        self._fewer, self._memory = 0, batching.BatchedHistory(self.journal)
        self._lookout = SourceWatch(
            self.crew, PROBE, lambda took_s: self.tally.checked(took_s, self.crew, alone=True)
        )
        self._keeper = ResourceMonitor(crew=self.crew, workspace=self.workspace, output=self.output)
        self._back: list[tuple[str, Outcome]] = []
        self._sealed: list[tuple[SegmentSealed, Sealed, Dispatched, Made]] = []

    def note(self, *told: Fact) -> None:
        """Record events, then update the state, then call the listeners.

        Checkpoints that wait for their record are recorded in the same transaction.
        """
        sealed, self._sealed = self._sealed, []
        facts = (*(fact for fact, *_ in sealed), *told)
        if not facts:
            return
        with self.tally.recording(self.crew):
            if self.index is not None:
                self.index.forget_broken(facts)
            self._memory.write_marks()
            last = self.journal.append(self.job, facts, machine.now())
        for place, fact in enumerate(facts):
            self.state.fold(fact)
            self.on_fact(last - len(facts) + 1 + place, fact)
        for one in sealed:
            self._make_durable(*one)

    def run(self) -> JobFinished | RunInterrupted:
        """Run until the job has ended or a stop is requested; return the event that says so.

        Raises JournalLost, sqlite3.Error or OSError if nothing can be recorded any more.
        Existing records stay valid.
        """
        while self.state.finished is None:
            reason = self.stopped() or self._ask() or self._wants_another_plan()
            if reason:
                self._settle(at_once=True)
                interrupted = RunInterrupted(reason=reason)
                self.note(interrupted)
                self.tally.work_ends()
                return interrupted
            if self.state.nothing_to_show and not self.given:
                self._end("failed", "nothing-to-show")
                break
            now = self.clock.now()
            jump = self._keeper.clock()
            if jump is not None:
                self.note(jump)
            needs = self.state.needs(now, self.given.keys())
            published = (
                self.state.published
            )  # once the film is published, the job ends at once without waiting for replies
            for need in needs:
                if need.kind == "publish":
                    self.publish()
                elif need.kind == "finish":
                    self._finish()
                elif need.kind == "join" and self._waits_to_join():
                    break
                elif (
                    need.kind == "mix"
                    and self.crew.would_learn(MixSound)
                    and any(other.kind != "mix" for other in needs)
                ):
                    continue  # render pictures in the meantime
                elif self.crew.idle and len(self.given) - len(self._back) < max(
                    1, self.crew.size - self._fewer
                ):
                    self._give(need)
                else:
                    break
            news = self._settle()
            if self.state.gates:
                for gate in self._keeper.tend(self.state, idle=not needs and not self.given):
                    self.note(
                        *outcomes.given_up(self.state, self._keeper.opened(gate, given_up=True))
                    )
            if self.state.finished is None:
                self._listen(now, patient=not news and published is self.state.published)
        assert self.state.finished is not None
        return self.state.finished

    def _ask(self) -> str:
        """Apply new user decisions and use the earlier renders that they ask for.

        Return the reason to stop, or "".
        """
        for answer in self.answering.news():
            self.state.fold(answer)
            self.relinked = self.relinked or self.state.asks_for_another_plan(answer)
            if answer.answer == "stop":
                return "answer"
        if self.state.finished is None and self.state.published is None:
            self.note(*self.answering.stand_ins(self.state))
        return self.answering.stop(self.state)

    def _wants_another_plan(self) -> str:
        """Return REPLAN if the film has to be planned again instead of published, else "".

        This is so if a source was relinked or replaced, once everything else is rendered.
        """
        wanted = self.state.wants_another_look or (self.relinked and self.state.complete)
        return REPLAN if wanted and not self.given else ""

    def _waits_to_join(self) -> bool:
        return (
            self.relinked
            or self.answering.still_waited_for(self.state)
            or self._lookout.looks(self.state)
        )

    def _listen(self, now: float, *, patient: bool) -> None:
        alarm = self.state.next_alarm(now)
        patience = 1.0 if alarm is None else min(1.0, alarm - now)
        idle_s = patience if self.given or alarm or self.state.gates else 0.05
        idle_s = min(idle_s, batching.LONGEST_S) if self._back else idle_s
        for name, reply in self.crew.listen(idle_s if patient else 0.0):
            if name.startswith(PROBE):
                self.note(
                    *self._keeper.heard(name, reply),
                    *self._lookout.heard(name, reply, self.state, self.clock.now()),
                )
                continue
            given = self.given[name]
            if isinstance(reply, Progress):
                given.frames = reply.frames
            else:
                given.back_at, given.alone = (
                    machine.monotonic(),
                    len(self.given) == len(self._back) + 1,
                )
                self.tally.working_s += given.back_at - given.at
                self._back.append((name, reply))
        self.on_tick(self)

    def _settle(self, *, at_once: bool = False) -> bool:
        """Process the outcomes that came back; return whether there were any.

        Their workers already have the next tasks, because flushing names and records takes as long
        as starting a program.
        """
        back = [
            (self.given[name].at, self.given[name].back_at, reply) for name, reply in self._back
        ]
        if not at_once and batching.may_wait(back, idle=self.crew.idle, now=machine.monotonic()):
            return False
        news, self._back = self._back, []
        for name, reply in news:
            self._hear(self.given.pop(name), reply)
        self.note()
        return bool(news)

    # Tasks ----------------------------------------------------------------------------------------

    def _give(self, need: PendingTask) -> None:
        short = self._keeper.shortage(need, self.state)
        if short is not None:
            self._fail(need, short)
            return
        attempt = len(self.state.failed.get(need.key, ())) + 1
        try:
            order = task_factory.order_for(
                need, self.state, job=self.job, attempt=attempt, output=self.output, workspace=self.workspace,
                journal=self.journal, ffmpeg=self.ffmpeg,
            )  # fmt: skip
        except OSError as error:  # the scratch folder or the film's folder rejects our file names
            self._fail(need, task_factory.not_begun(need, error, self.output, self.workspace))
            return
        self.given[need.name] = Dispatched(need, order, attempt, machine.monotonic())
        stall_s = patience_s(need, self.state)
        self.crew.give(
            need.name, Assignment(order=order, rate=self.state.plan.format.rate, stall_s=stall_s)
        )

    # Outcomes -------------------------------------------------------------------------------------

    def _hear(self, given: Dispatched, outcome: Outcome) -> None:
        need, order = given.need, given.order
        match outcome:
            case Evidence():
                self._fail(need, outcome, order)
            case Validated():
                self.tally.checked(given.back_at - given.at, self.crew, alone=given.alone)
                self.note(msgspec.structs.replace(self.state.claimed[need.key], reused=True))
            case Refuted() if need.kind == "validate":
                self.note(SealBroken(key=need.key, reason=outcome.reason))
            case Refuted():
                seen = Evidence(
                    operation=need.kind,
                    place="output",
                    path=str(self.output),
                    note="refuted",
                    detail=outcome.reason,
                )
                self._fail(need, seen, order)
            case Made():
                outcome = bitrot_check.stamped(order, outcome)
                self.tally.checked(
                    outcome.checking_s, self.crew, alone=given.alone, cpu_s=outcome.checking_cpu_s
                )
                with self.tally.recording(self.crew):
                    wrong = verification.discrepancy(order, outcome)  # type: ignore[arg-type]
                    wrong = wrong or bitrot_check.of(order, outcome, self._memory)
                if wrong is not None:
                    self._fail(need, wrong, order)
                else:
                    self._seal(given, outcome)
            case Located():
                self.note(*outcomes.located(self.state, need, outcome))
                on_record = self.journal.seals(
                    s.key for s in self.state.work if s.key not in self.state.believed
                )
                self.state.claim({key: seal for key, seal in on_record.items() if seal.file})
            case _:
                raise AssertionError(f"{need.name} answered with {type(outcome).__name__}")

    def _seal(self, given: Dispatched, made: Made) -> None:
        """Rename a part file to its content key, then record it as a checkpoint.

        A film is recorded as joined instead.
        """
        need, order = given.need, given.order
        if isinstance(order, JoinFilm):
            self.note(outcomes.joined(self.state, order, made))
            return
        sealed = Sealed("", lambda: None)
        if isinstance(order, ExamineCopy):
            with self.tally.recording(self.crew):
                self.journal.add_decoded(
                    order.identity or order.fingerprint, order.stream, made.known
                )
        try:
            with self.tally.recording(self.crew):
                if isinstance(order, RenderSegment | MixSound | EncodeTrack):
                    sealed = self.workspace.seal(
                        Path(order.part), need.key, task_factory.extension(need, self.state)
                    )
        except OSError as error:  # a fault of the scratch disk, not a loss of the journal
            self._fail(need, task_factory.not_sealed(str(getattr(order, "part", "")), error), order)
            return
        self.tally.rendered_frames += made.frames if need.segment else 0
        if degraded := self._memory.learned(self.state, need, cured=True):
            self.note(degraded)
        fact = outcomes.sealed(need, made, file=sealed.file, seconds=given.back_at - given.at)
        self._sealed.append((fact, sealed, given, made))

    def _make_durable(
        self, fact: SegmentSealed, sealed: Sealed, given: Dispatched, made: Made
    ) -> None:
        try:
            with self.tally.recording(self.crew):
                if fact.file and self.index is not None:
                    self.index.add(fact, made.marks, self._memory)
                sealed.durable()
        except (
            OSError
        ) as error:  # the name may not survive a power cut, so this task is performed again
            self.note(
                SealBroken(
                    key=fact.key,
                    reason=f"its name could not be made durable: {error.strerror or error}",
                )
            )
            self._fail(
                given.need,
                task_factory.not_sealed(str(self.workspace.stored(sealed.file)), error),
                given.order,
            )

    def _fail(self, need: PendingTask, evidence: Evidence, order: Order | None = None) -> None:
        # On a disk that hangs, removal hangs too. The part has a name of its own, and goes with the
        # job's folder.
        if isinstance(order, RenderSegment | MixSound | EncodeTrack) and evidence.note not in (
            "hung",
            "slow",
        ):
            with contextlib.suppress(
                OSError
            ):  # removal fails where writing failed; the write error is the one to report
                self.workspace.discard(Path(order.part))
        if (
            not evidence.volume and evidence.path
        ):  # evidence from the engine itself, not from a worker; nothing is touched to complete it
            mount = machine.listed_mount(evidence.path)[0]
            evidence = msgspec.structs.replace(
                evidence, volume=mount, free_memory_bytes=machine.free_memory()
            )
        self._memory.learned(self.state, need, cured=False)
        facts = outcomes.failed(
            self.state, need, evidence, now=self.clock.now(), chance=machine.chance()
        )
        self.note(*facts)
        for fact in facts:
            if isinstance(fact, AttemptFailed) and fact.recovery.change == FEWER_WORKERS:
                self._fewer = min(self._fewer + 1, self.crew.size - 1)
            elif isinstance(fact, AttemptFailed) and fact.recovery.change == FREED:
                self.free()

    # The end --------------------------------------------------------------------------------------

    def publish(self) -> None:
        """Rename the joined film to its place, then record it.

        After an interruption between the two, the next run recognizes the film by its hash.
        """
        joined, need = self.state.joined, PendingTask("publish", self.state.cut)
        assert joined is not None
        published, failed = None, self._keeper.shortage(need, self.state)
        if failed is None:
            complete = not self.state.incomplete
            with self.tally.recording(self.crew):
                published, failed = publishing.attempt(
                    self.job, joined, self.output, self.journal, self.workspace, complete=complete
                )
        if failed is not None:
            self._fail(need, failed)
        if published is not None and (failed is None or self.state.fatal is not None):
            with publishing.in_place(published):
                self.note(published)
            with self.tally.recording(self.crew):
                removed = publishing.tidy(
                    published, self.output, self.journal, keep=self.state.policy.kept_films
                )
            self.note(*removed)

    def _finish(self) -> None:
        if (fatal := self.state.fatal) is not None:
            self._end("failed", fatal.code, fatal.evidence.path or fatal.evidence.detail)
        else:
            assert self.state.published is not None
            self._end("complete" if self.state.published.complete else "incomplete")

    def _end(self, outcome: Outcomes, code: str = "", detail: str = "") -> None:
        with self.tally.recording(self.crew):
            with contextlib.suppress(OSError):  # `clean` removes later what a failing disk keeps
                self.workspace.close_job(self.job, self.output)
            if self.index is not None and outcome != "failed":
                seals = {**self.state.claimed, **self.state.believed}.values()
                self.index.complete(seals, self.state.plan.contents(), self._memory)
        self.note(
            self.tally.finished(
                outcome, self.crew, code=code, detail=detail, taken=self.state.taken
            )
        )
