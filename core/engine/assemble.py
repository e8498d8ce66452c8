"""A request to its end: refuse what cannot be, examine, plan, take up or accept the job, run it.

Nothing here touches media: workers do. Nothing is recorded of a request that is refused.
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
from core.job.events import ANEW, FilmPublished, JobFinished, Outcomes, RunInterrupted
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
"""So often the dates of media may change while a film is made before that counts as a file that never comes to rest."""
_ENCODER_GONE = {"encoder-missing", "encoder-device-gone"}


@dataclass(frozen=True)
class Ended:
    """How a run ended. `state` is None when it was stopped before there was a plan. `again`: another
    file was given for a source meanwhile, or stands in its place, which wants a plan of its own."""

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
    """Assemble the film. Refused before anything is recorded; `journal_faults.RECORD_LOST` when the journal's disk is gone."""
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
    """A graphics device that fails costs time, not the film: the preset's fallback makes it, and that is said."""
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
    """Laid out anew as often as its media is to be looked at again: a person's wish each time, what was replaced by itself only
    so often, since a file may never come to rest."""
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
        again = replace(request, accept_folder=False)  # once is enough
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
    """Whether only the dates of these files changed, so that nothing is made again because of them."""
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
    ]  # their key holds the source's fingerprint, and every byte is compared again while it is joined
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
            )  # what stands there has its slates still
            if before is not None and before.outcome == "incomplete" and not state.incomplete:
                outcome = "complete"  # by decision
            engine.note(tally.finished(outcome, crew, taken=state.taken))
    except run_tasks.Stopped:
        pass  # the job is on record by now: the engine says that it was stopped
    machine.give_memory_back()  # reading and recording a long timeline takes ten times what is kept of it
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
        again=isinstance(end, RunInterrupted) and end.reason == ANEW,
    )


def _wanted(state: JobState) -> set[str]:
    """What the film is made of, whether it is there or not."""
    return (
        {one.key for one in (*state.work, *state.plan.segments)}
        | {one.key for one in state.plan.chunks}
        | {state.track}
    )


def _used(
    request: Request, house: Services, standing: Mapping[str, Source]
) -> dict[str, tuple[Use, ...]]:
    """What the film would use of these files, by the paths in the timeline; empty where no film can be made of them."""
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
    """This very film, where it stands already, by its hash: then nothing is to be made, and the film that it replaced stays
    kept. An incomplete one stands beside its place."""
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
    """Room on a full disk: whatever is ours, not needed now, and stands verified elsewhere."""
    keep = state.believed.keys() | state.claimed.keys()
    return gc.remove(
        gc.removable(house.journal, house.workspace, keep=keep), house.journal, house.workspace
    )
