"""A request to its end: refuse what cannot be, examine, plan, take up or accept the job, run it.

Nothing here touches media: workers do. Nothing is recorded of a request that is refused.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import msgspec

from core import preparation
from core.catching_up import catch_up
from core.decide import commands, flatten, identity, planning, space
from core.decide.assembly import Assembly, reusable
from core.decide.fitting import FormatRefused, format_of
from core.engine import Engine, Tally
from core.model.facts import (
    Fact,
    FilmPlanned,
    FilmPublished,
    JobAccepted,
    JobFinished,
    ProblemFound,
    Rewound,
    RunInterrupted,
    RunStarted,
    SegmentSealed,
)
from core.model.failure import Failure
from core.model.film import Timeline
from core.model.orders import Assignment, CheckFilm, Made, Proved, ProveEncoder
from core.model.policy import Policy
from core.model.preset import Preset
from core.model.refusal import Refused
from core.model.segment import Copy, Plan
from core.model.source import Source
from core.model.timing import timecode
from core.perform import machine
from core.perform.build import Build
from core.perform.crew import Crew
from core.record.journal import Journal
from core.record.workspace import LONGEST_ENDING, Workspace


@dataclass(frozen=True)
class Request:
    """What is asked for: a timeline (with the bytes it was read from), where the film shall stand, and how coded."""

    timeline: Timeline
    raw: bytes
    timeline_path: str
    output: Path
    preset: Preset


@dataclass(frozen=True)
class House:
    """What a job needs around it."""

    journal: Journal
    workspace: Workspace
    build: Build
    policy: Policy
    workers: int
    version: str
    title_of: Callable[[str], str]


@dataclass
class Listener:
    """Who hears what happens: steps before the job, facts, progress."""

    on_step: Callable[[str, int, int], None] = lambda step, done, total: None
    on_fact: Callable[[str, int, Fact], None] = lambda job, seq, fact: None
    on_tick: Callable[[Engine], None] = lambda engine: None


@dataclass(frozen=True)
class Ended:
    """How a run ended. `state` is None when it was stopped before there was a plan."""

    job: str
    end: JobFinished | RunInterrupted
    state: Assembly | None
    tally: Tally
    film: FilmPublished | None = None


def check_output(output: Path) -> None:
    """Refused when a film cannot stand there, before any work."""
    try:
        is_folder = output.is_dir()
    except OSError as error:  # ENAMETOOLONG
        raise Refused("output-name-too-long", path=str(output)) from error
    if is_folder:
        raise Refused("output-is-folder", path=str(output))
    if not output.parent.is_dir():
        raise Refused("output-folder-missing", path=str(output.parent))
    if len(os.fsencode(output.name)) + LONGEST_ENDING > machine.longest_name(output.parent):
        raise Refused("output-name-too-long", path=str(output))
    if not os.access(output.parent, os.W_OK | os.X_OK) or (output.exists() and not os.access(output, os.W_OK)):
        raise Refused("output-no-permission", path=str(output.parent))


def assemble(
    request: Request,
    house: House,
    *,
    listener: Listener,
    stopped: Callable[[], str],
    wake: Callable[[int], None] = lambda fd: None,
    from_checkpoint: int | None = None,
    job: str | None = None,
) -> Ended:
    """Assemble the film. Refused before anything is recorded; `engine.RECORD_LOST` when the journal's disk is gone."""
    tally = Tally(started=machine.monotonic())
    check_output(request.output)
    with house.workspace.lock(str(request.output)):
        crew = Crew(house.workers, stall_s=house.policy.stall_s)
        wake(crew.wake_fd)
        try:
            return _assemble(request, house, crew, listener, stopped, from_checkpoint, job, tally)
        except preparation.Stopped:
            return Ended("", RunInterrupted(reason=stopped()), None, tally)
        finally:
            wake(-1)
            crew.dismiss()


def _assemble(
    request: Request,
    house: House,
    crew: Crew,
    listener: Listener,
    stopped: Callable[[], str],
    from_checkpoint: int | None,
    job: str | None,
    tally: Tally,
) -> Ended:
    paths = flatten.wanted_paths(request.timeline)
    done = 0

    def opened(*_: object) -> None:
        nonlocal done
        done += 1
        listener.on_step("examine", done, len(paths))

    listener.on_step("examine", 0, len(paths))
    sources = preparation.examine(crew, paths, policy=house.policy, stopped=lambda: bool(stopped()), on_done=opened)
    _refuse_sources_as_output(request.output, sources)
    state = _planned(request, house, crew, sources, stopped)
    _refuse_without_space(state, request.output, house.workspace)
    known = _take_up(request, house, job, from_checkpoint, state, listener)
    engine = Engine(
        job=known,
        output=request.output,
        state=state,
        journal=house.journal,
        workspace=house.workspace,
        crew=crew,
        ffmpeg=house.build.path,
        stopped=stopped,
        on_fact=lambda seq, fact: listener.on_fact(known, seq, fact),
        on_tick=listener.on_tick,
        tally=tally,
    )
    house.workspace.prepare(known)
    engine.note(*_opening_facts(house, state, request.preset))
    believed_copies = [
        seal for key, seal in state.claimed.items() if seal.kind == "copy"
    ]  # their key holds the source's fingerprint, and every byte is compared again while it is joined
    engine.note(*[msgspec.structs.replace(seal, reused=True) for seal in believed_copies])
    try:
        if from_checkpoint is None and _already_there(request.output, house, crew, state, stopped):
            house.workspace.close_job(known, request.output)
            engine.note(JobFinished(outcome="unchanged", seconds=round(machine.monotonic() - tally.started, 3)))
    except preparation.Stopped:
        pass  # the job is on record by now: the engine says that it was stopped
    end = engine.run()
    return Ended(known, end, state, tally, state.published)


def _refuse_sources_as_output(output: Path, sources: dict[str, Source | Failure]) -> None:
    """By identity, not by name: through a hard link, a symlink or another spelling ffmpeg destroys its own source. One that
    is not there now is known by its name alone; the next run would take the film for it."""
    for path, source in sources.items():
        if isinstance(source, Source):
            same = machine.same_file(output, source.inode)
        else:
            same = os.path.realpath(path) == os.path.realpath(output)
        if same:
            raise Refused("output-is-source", path=str(output), source=path)


def _planned(
    request: Request, house: House, crew: Crew, sources: dict[str, Source | Failure], stopped: Callable[[], str]
) -> Assembly:
    try:
        form = format_of(request.timeline, sources, request.preset)
    except FormatRefused as error:
        raise Refused("format-unfit", preset=request.preset.name, detail=str(error)) from error
    scratch = house.workspace.scratch
    try:
        scratch.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused("scratch-unusable", path=str(scratch), detail=error.strerror or str(error)) from error
    part = str(house.workspace.trial(request.output, request.preset.extension))
    argv = commands.prove(form=form, preset=request.preset, part=part, ffmpeg_path=house.build.path)
    results = preparation.run_all(
        crew,
        {"prove": Assignment(order=ProveEncoder(argv=argv, part=part))},
        policy=house.policy,
        stopped=lambda: bool(stopped()),
    )
    proved = results["prove"]
    if isinstance(proved, Failure):
        Path(part).unlink(missing_ok=True)
        if proved.code.startswith("scratch-"):
            raise Refused(proved.code, path=str(scratch))
        raise Refused(
            "encoder-missing",
            preset=request.preset.name,
            path=house.build.path,
            detail="; ".join(proved.evidence.stderr[-2:]) or proved.evidence.detail,
        )
    assert isinstance(proved, Proved)
    plan = planning.plan(
        request.timeline,
        sources,
        preset=request.preset,
        policy=house.policy,
        signature=proved.signature,
        build=house.build.identity,
        title_of=house.title_of,
    )
    return _claimed(plan, request.preset, house)


def _claimed(plan: Plan, preset: Preset, house: House) -> Assembly:
    """The state at the start of a run: seals on record are claims."""
    state = Assembly(
        plan=plan, preset=preset, policy=house.policy, build=house.build.identity, title_of=house.title_of, claimed={}
    )
    keys = [s.key for s in state.work] + [c.key for c in plan.chunks] + ([state.track] if state.track else [])
    state.claimed = reusable(plan, state.track, house.journal.seals(dict.fromkeys(keys)))
    return state


def _refuse_without_space(state: Assembly, output: Path, workspace: Workspace) -> None:
    margin = state.policy.free_margin_bytes
    on_scratch, on_output = space.scratch_bytes(state), space.film_bytes(state)
    needs = [(workspace.scratch, on_scratch, "scratch"), (output.parent, on_output, "output")]
    if machine.volume(workspace.scratch) == machine.volume(output.parent):
        needs = [(output.parent, on_scratch + on_output, "output")]
    for place, wanted, name in needs:
        free = machine.free_bytes(place)
        if free is not None and free < wanted + margin:
            raise Refused(f"{name}-space", path=str(place), wanted=wanted + margin, free=free)


def _take_up(
    request: Request, house: House, job: str | None, from_checkpoint: int | None, state: Assembly, listener: Listener
) -> str:
    """The job's id: the open one of this very request, or a new one. Older cuts for the same place are superseded."""
    digest = identity.request_digest(request.raw, request.preset, str(request.output))
    chosen = job
    catch_up(request.output, house.journal, house.workspace)
    for open_id, open_digest in house.journal.open_jobs(str(request.output)):
        if chosen is None and open_digest == digest:
            chosen = open_id
        elif open_id != chosen:
            house.workspace.close_job(open_id, request.output)
            house.journal.append(open_id, [JobFinished(outcome="superseded")], machine.now())
    if chosen is None:
        chosen = machine.token()
        accepted = JobAccepted(
            digest=digest,
            timeline_path=request.timeline_path,
            timeline_name=request.timeline.name,
            output=str(request.output),
            preset=request.preset.name,
        )
        house.journal.accept(chosen, accepted, request.raw, machine.now())
        listener.on_fact(chosen, 0, accepted)
    if from_checkpoint is not None:
        seals = [(entry.seq, entry.fact) for entry in house.journal.facts(chosen) if isinstance(entry.fact, SegmentSealed)]
        before = {seal.key for seq, seal in seals if seq <= from_checkpoint}
        # What was there already and was only looked at again is older than it seems.
        later = dict.fromkeys(
            seal.key for seq, seal in seals if seq > from_checkpoint and not (seal.reused and seal.key in before)
        )
        house.journal.append(chosen, [Rewound(checkpoint=from_checkpoint, keys=tuple(later))], machine.now())
        for key in later:
            state.claimed.pop(key, None)
    return chosen


def _opening_facts(house: House, state: Assembly, preset: Preset) -> list[Fact]:
    plan = state.plan
    frames = {s.key: 0 for s in plan.segments}
    for segment in plan.segments:
        frames[segment.key] += segment.frames
    facts: list[Fact] = [RunStarted(version=house.version, ffmpeg=house.build.version, workers=house.workers)]
    facts += [ProblemFound(code=p.code, path=p.path, shots=p.shots, detail=p.detail, clips=p.clips) for p in plan.problems]
    facts.append(
        FilmPlanned(
            cut=state.cut,
            shots=len(plan.shots),
            segments=len(plan.segments),
            chunks=len(plan.chunks),
            frames=plan.frames,
            samples=plan.samples,
            reused=sum(s.key in state.claimed for s in plan.segments) + sum(c.key in state.claimed for c in plan.chunks),
            reused_frames=sum(count for key, count in frames.items() if key in state.claimed),
            rate=str(Fraction(plan.format.rate)),
            start_frame=plan.start_frame,
            drop_frame=plan.drop_frame,
            copied=sum(isinstance(s.picture, Copy) for s in plan.segments),
            start_timecode=timecode(plan.start_frame, plan.format.rate, drop_frame=plan.drop_frame),
        )
    )
    return facts


def _already_there(output: Path, house: House, crew: Crew, state: Assembly, stopped: Callable[[], str]) -> bool:
    """Whether this very film stands there already, by its hash: then there is nothing to do, and the film that it
    replaced stays kept."""
    film = house.journal.film(str(output))
    if film is None or film.cut != state.cut or not output.exists():
        return False
    order = CheckFilm(path=str(output), film_hash=film.film_hash, frames=film.frames, samples=film.samples, deep=False)
    results = preparation.run_all(crew, {"check": Assignment(order=order)}, policy=state.policy, stopped=lambda: bool(stopped()))
    return isinstance(results["check"], Made)
