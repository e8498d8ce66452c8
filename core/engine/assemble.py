"""Take a request to its end: refuse it, or examine, plan, resume or accept the job, and run it.

Nothing here touches media; workers do. A refused request leaves nothing on record.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from core.engine import gc, publish, run_tasks
from core.engine.folder_checks import await_scratch, check_request, refuse_scratch_elsewhere
from core.engine.loop import Engine
from core.engine.prepare import planned, refuse_sources_as_output, refuse_without_space
from core.engine.reconcile import unmark
from core.engine.relink import Relinker
from core.engine.request import Listener, Request, Services
from core.engine.resume import opening_facts, take_up
from core.engine.run_metrics import RunMetrics
from core.engine.scratch_collector import ScratchCollector
from core.engine.user_decisions import UserDecisions
from core.errors.refusal import Refused
from core.executors.worker_pool import WorkerPool
from core.graph import content_key
from core.graph.nodes import Plan
from core.job.events import REPLAN, FilmPublished, JobFinished, Outcomes, RunInterrupted
from core.job.state import JobState
from core.media.content import Use
from core.plan import media_usage, planning
from core.plan.framing import FormatRefused
from core.storage import jobs, locks
from core.storage.history import History
from core.storage.journal import Film
from core.storage.segment_index import SegmentIndex
from core.storage.workspace import BESIDE
from core.system import machine
from core.system.folder import FolderIdentity
from core.tasks.spec import Assignment, CheckFilm, Made
from core.timeline import flatten
from core.timeline.source import Source
from core.timeline.timeline import Remark

_MOST_TOUCHED = 100
"""Number of replans that only changed media dates may cause before they count against the limit.

Beyond that, the file counts as one that never settles.
"""
_ENCODER_GONE = {"encoder-missing", "encoder-device-gone"}


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    `state` is None if the run was stopped before it had a plan. `again`: during the run, the user
    chose another file for a source, or a source was replaced, so the film needs a new plan.
    """

    job: str
    end: JobFinished | RunInterrupted
    state: JobState | None
    tally: RunMetrics
    film: FilmPublished | None = None
    again: bool = False


def assemble(
    request: Request,
    house: Services,
    *,
    listener: Listener,
    stopped: Callable[[], str],
    wake: Callable[[int], None] = lambda fd: None,
    from_checkpoint: int | None = None,
    job: str | None = None,
) -> Ended:
    """Assemble the film and return how the run ended.

    `stopped` returns the reason to stop, or "". `wake` receives the worker pool's `wake_fd`, and -1
    at the end. `from_checkpoint` is the sequence number of the checkpoint to return to; whatever
    was recorded after it is rendered again. `job` is the job to resume, if it is already known.

    Raises Refused before anything is recorded, and `journal_faults.RECORD_LOST` if the journal's
    disk is gone.
    """
    tally = RunMetrics()
    with tally.recording():
        seen = check_request(request, house, job)
        house.journal.still_ours()
    with locks.film(
        house.workspace.home, str(request.output), beside=BESIDE if seen is not None else ""
    ):
        crew = WorkerPool(
            house.workers,
            stall_s=house.policy.stall_s,
            memory_bytes=house.policy.worker_memory_bytes,
            share=house.share,
            ahead=house.ahead,
            ffmpeg=house.build.path,
        )
        wake(crew.wake_fd)
        collector = ScratchCollector(
            house.journal,
            house.workspace,
            house.scratch_budget,
            crew=crew,
            policy=house.policy,
            stopped=lambda: bool(stopped()),
            on_collected=listener.on_collected,
        )
        try:
            ended = _with_an_encoder_that_works(
                request,
                lambda asked: _until_it_ends(
                    asked,
                    house,
                    crew,
                    listener,
                    stopped,
                    from_checkpoint,
                    job,
                    tally,
                    seen,
                    collector,
                ),
            )
            if isinstance(ended.end, JobFinished) and ended.end.outcome != "failed":
                collector.collect(house.policy.collect_after_s)
            return ended
        except run_tasks.Stopped:
            return Ended("", RunInterrupted(reason=stopped()), None, tally)
        finally:
            wake(-1)
            crew.dismiss()


def _with_an_encoder_that_works(request: Request, attempt: Callable[[Request], Ended]) -> Ended:
    """Run `attempt`, and run it again with the preset's fallback if the encoder does not work.

    A graphics device that fails costs time, not the film. A remark says that the fallback was used.
    """
    if request.fallback is None:
        return attempt(request)
    text = f"{request.preset.name} needs a graphics encoder that does not work here; {request.fallback.name} was used."
    remark = Remark(code="encoder-degraded", severity="note", text=text)
    timeline = msgspec.structs.replace(
        request.timeline, remarks=(*request.timeline.remarks, remark)
    )
    instead = replace(request, timeline=timeline, preset=request.fallback, fallback=None)
    try:
        ended = attempt(request)
    except Refused as error:
        if error.code not in _ENCODER_GONE:
            raise
        return attempt(instead)
    failed = (
        isinstance(ended.end, JobFinished)
        and ended.end.outcome == "failed"
        and ended.end.code in _ENCODER_GONE
    )
    return attempt(instead) if failed else ended


def _until_it_ends(
    request: Request,
    house: Services,
    crew: WorkerPool,
    listener: Listener,
    stopped: Callable[[], str],
    from_checkpoint: int | None,
    job: str | None,
    tally: RunMetrics,
    seen: FolderIdentity | None,
    collector: ScratchCollector,
) -> Ended:
    """Run the job, and replan it as often as its media has to be examined again.

    Every request of the user leads to a new plan. Files that are replaced on disk lead to at most
    `policy.looks` new plans, because a file may never settle.
    """
    looks, touched, replaced = house.policy.looks, _MOST_TOUCHED, dict[str, str]()
    ended = _assemble(
        request,
        house,
        crew,
        listener,
        stopped,
        from_checkpoint,
        job,
        tally,
        seen,
        looks,
        replaced,
        collector,
    )
    while ended.again and ended.state is not None:
        before = ended.state
        looks -= bool(before.replaced)
        replaced = {
            path: before.plan.identities().get(path, "") for path in before.replaced
        } | replaced
        again = replace(request, accept_folder=False)  # accepting the folder once is enough
        ended = _assemble(
            again,
            house,
            crew,
            listener,
            stopped,
            None,
            None,
            tally,
            seen,
            looks,
            replaced,
            collector,
        )
        if (
            touched
            and ended.state is not None
            and _touched(before.plan, ended.state.plan, before.replaced)
        ):
            looks, touched = looks + 1, touched - 1
    return ended


def _touched(before: Plan, now: Plan, paths: Collection[str]) -> bool:
    """Whether only the dates of these files changed, so that nothing is rendered again for them."""
    then, since = before.made_of(), now.made_of()
    were, are = before.identities(), now.identities()
    return bool(paths) and all(
        then.get(path) != since.get(path) and were.get(path) == are.get(path) for path in paths
    )


def _assemble(
    request: Request,
    house: Services,
    crew: WorkerPool,
    listener: Listener,
    stopped: Callable[[], str],
    from_checkpoint: int | None,
    job: str | None,
    tally: RunMetrics,
    seen: FolderIdentity | None,
    looks: int,
    replaced: Mapping[str, str],
    collector: ScratchCollector,
) -> Ended:
    index = SegmentIndex(house.workspace.scratch, house.workspace.home)
    with tally.recording():
        index.restore(house.journal)
    memory = History(house.journal)
    healer = Relinker(
        crew=crew,
        memory=memory,
        output=request.output,
        policy=house.policy,
        stopped=lambda: bool(stopped()),
        on_step=listener.on_step,
        folders=house.media_folders,
        skip=(str(house.workspace.home), str(house.workspace.scratch)),
        replaced=replaced,
        uses=lambda standing: _used(request, house, standing),
    )
    scratch_mount = await_scratch(request, house, listener.on_step, stopped)
    opened = healer.open(flatten.wanted_paths(request.timeline))
    refuse_sources_as_output(request.output, opened)
    refuse_scratch_elsewhere(house.workspace.scratch, scratch_mount)
    state = planned(request, house, crew, opened, stopped)
    collector.collect(
        house.policy.collect_before_s, keep=_wanted(state), replaced=[str(request.output)]
    )
    refuse_without_space(state, request.output, house.workspace, away=seen is None)
    state.looks = looks
    with tally.recording():
        known = take_up(
            request,
            house,
            job,
            from_checkpoint,
            state,
            listener.on_fact,
            scratch_mount=scratch_mount,
            seen=seen,
        )
        index.begin(house.journal)
        memory.keep_plan(known, state.cut, state.plan)
        opened.remember(memory)
    digest = content_key.request_digest(request.raw, request.preset, str(request.output))
    answering = UserDecisions(house.journal, output=str(request.output), digest=digest)
    answering.said_before(state)
    engine = Engine(
        job=known,
        output=request.output,
        state=state,
        journal=house.journal,
        workspace=house.workspace,
        crew=crew,
        ffmpeg=house.build.path,
        answering=answering,
        stopped=stopped,
        on_fact=lambda seq, fact: listener.on_fact(known, seq, fact),
        on_tick=listener.on_tick,
        free=lambda: _free(house, state),
        tally=tally,
        index=index,
    )
    before = jobs.ended(house.journal, known)
    with tally.recording():
        refuse_scratch_elsewhere(house.workspace.scratch, scratch_mount)
        house.workspace.prepare(known)
    engine.note(*opening_facts(house, state, opened.moved), *answering.left_as_it_is(state))
    if state.current is not state.plan:
        state.claim(
            house.journal.seals(
                [s.key for s in state.work] + [c.key for c in state.current.chunks] + [state.track]
            )
        )
    believed_copies = [
        seal for key, seal in state.claimed.items() if seal.kind == "copy"
    ]  # the key contains the source's fingerprint, and joining compares every byte again
    engine.note(*[msgspec.structs.replace(seal, reused=True) for seal in believed_copies])
    engine.note(*answering.stand_ins(state))
    try:
        film = (
            None
            if from_checkpoint is not None
            else _already_there(request.output, house, crew, state, stopped)
        )
        joined = publish.again(film, request.output) if film is not None else None
        if joined is not None:
            engine.note(msgspec.structs.replace(joined, complete=not state.incomplete))
            engine.publish()
        elif film is not None:
            house.workspace.close_job(known, request.output)
            index.complete((state.claimed | state.believed).values(), state.plan.contents(), memory)
            collector.verified[film.path] = film.film_hash
            outcome: Outcomes = (
                "incomplete" if state.incomplete else "unchanged"
            )  # the existing film still has its slates
            if before is not None and before.outcome == "incomplete" and not state.incomplete:
                outcome = "complete"  # by user decision
            engine.note(tally.finished(outcome, crew, taken=state.taken))
    except run_tasks.Stopped:
        pass  # the job is on record by now, so the engine records the stop
    # Reading and recording a long timeline takes ten times the memory that is kept of it.
    machine.give_memory_back()
    end = engine.run()
    unmark(request.output, house.journal, house.workspace)
    if state.published is not None:
        collector.verified[state.published.output] = state.published.film_hash
    return Ended(
        known,
        end,
        state,
        tally,
        state.published,
        again=isinstance(end, RunInterrupted) and end.reason == REPLAN,
    )


def _wanted(state: JobState) -> set[str]:
    """Return the content keys of everything in the film, whether it exists yet or not."""
    return (
        {one.key for one in (*state.work, *state.plan.segments)}
        | {one.key for one in state.plan.chunks}
        | {state.track}
    )


def _used(
    request: Request, house: Services, standing: Mapping[str, Source]
) -> dict[str, tuple[Use, ...]]:
    """Return what the film would use of these files, by the paths in the timeline.

    Empty if no film can be made of them.
    """
    named = {path: msgspec.structs.replace(source, path=path) for path, source in standing.items()}
    try:
        plan = planning.plan(
            request.timeline, named, preset=request.preset, policy=house.policy, signature="", build="",
            slate_words=house.slate_words,
        )  # fmt: skip
    except FormatRefused:
        return {}
    return dict.fromkeys(standing, ()) | media_usage.used(plan)


def _already_there(
    output: Path, house: Services, crew: WorkerPool, state: JobState, stopped: Callable[[], str]
) -> Film | None:
    """Return this very film if it already exists and its hash is correct, else None.

    Nothing has to be rendered then, and the film that it replaced stays kept. An incomplete film is
    looked for beside the output path.
    """
    for place in (output, publish.beside(output)):
        film = house.journal.film(str(place))
        if film is None or film.cut != state.cut or not place.exists():
            continue
        order = CheckFilm(
            path=str(place),
            film_hash=film.film_hash,
            frames=film.frames,
            samples=film.samples,
            deep=False,
        )
        asked = {"check": Assignment(order=order)}
        results = run_tasks.run_all(
            crew, asked, policy=state.policy, stopped=lambda: bool(stopped())
        )
        if isinstance(results["check"], Made):
            return film
    return None


def _free(house: Services, state: JobState) -> int:
    """Free space on a full disk; return the bytes freed.

    Removes files of ours that are not needed now and exist verified elsewhere.
    """
    keep = state.believed.keys() | state.claimed.keys()
    return gc.remove(
        gc.removable(house.journal, house.workspace, keep=keep), house.journal, house.workspace
    )
