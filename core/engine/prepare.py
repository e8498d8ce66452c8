"""Turn opened sources into a plan with its cached checkpoints.

The encoder is proven, and an impossible request is refused before anything is recorded.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from core.engine import run_tasks
from core.engine.relink import Opened
from core.engine.request import Request, Services
from core.errors.failure import ErrorType, Failure
from core.errors.refusal import Refused
from core.executors.worker_pool import WorkerPool
from core.graph import ffmpeg_args
from core.graph.nodes import Plan
from core.graph.preset import Preset
from core.job import disk_space
from core.job.decisions import Decisions
from core.job.pending_tasks import reusable
from core.job.state import JobState
from core.plan import planning
from core.plan.framing import FormatRefused, format_of
from core.storage.history import History
from core.storage.workspace import Workspace
from core.system import machine, private_files
from core.tasks.spec import Assignment, Proved, ProveEncoder
from core.timeline.source import Source

_TOO_SHORT = ("source-too-short", "sound-too-short", "speed-runs-out")
_OF_THE_RECIPE = {"preset-unfit", "program-mismatch", "encoder-device-gone"}
"""Failure codes of an encoder trial that are reported as they are.

Every other failure is reported as an encoder that does not work.
"""


def refuse_sources_as_output(output: Path, opened: Opened) -> None:
    """Raise Refused(output-is-source) if the film would overwrite one of its sources.

    Files are compared by inode, not by name: through a hard link, a symlink or another spelling,
    ffmpeg would destroy its own source. A source that is missing now is known by its name alone,
    and the next run would take the film for it. The same holds for files that may be the missing
    one.
    """
    for path, alike in opened.alike.items():
        if os.path.realpath(output) in map(os.path.realpath, alike):
            raise Refused("output-is-source", path=str(output), source=path)
    for path, source in opened.sources.items():
        same = isinstance(source, Source) and machine.same_file(output, source.inode)
        if not isinstance(source, Source) or source.path != path:
            same = same or os.path.realpath(path) == os.path.realpath(output)
        if same:
            raise Refused("output-is-source", path=str(output), source=path)


def planned(
    request: Request, house: Services, crew: WorkerPool, opened: Opened, stopped: Callable[[], str]
) -> JobState:
    """Return the state that a run begins with.

    Raises Refused(format-unfit, scratch-unusable, scratch-no-permission, encoder-missing,
    preset-unfit), or Refused with another code of a failed encoder trial.
    """
    sources = opened.sources
    try:
        form = format_of(request.timeline, sources, request.preset)
    except FormatRefused as error:
        raise Refused("format-unfit", preset=request.preset.name, detail=str(error)) from error
    scratch = house.workspace.scratch
    part = str(house.workspace.trial(request.output, request.preset.extension))
    try:
        private_files.make_folder(scratch)
        Path(part).unlink(
            missing_ok=True
        )  # left by an interrupted run; a read-only disk may also raise its error here
    except OSError as error:
        raise Refused(
            "scratch-unusable", path=str(scratch), detail=error.strerror or str(error)
        ) from error
    if not os.access(scratch, os.W_OK | os.X_OK):
        raise Refused("scratch-no-permission", path=str(scratch))
    argv = ffmpeg_args.prove(
        form=form, preset=request.preset, part=part, ffmpeg_path=house.build.path
    )
    results = run_tasks.run_all(
        crew,
        {"prove": Assignment(order=ProveEncoder(argv=argv, part=part))},
        policy=house.policy,
        stopped=lambda: bool(stopped()),
    )
    proved = results["prove"]
    if isinstance(proved, Failure):
        Path(part).unlink(missing_ok=True)
        # A disk fault, or a lack of system resources, is not the encoder's fault.
        if proved.code.startswith("scratch-") or proved.type is ErrorType.SYSTEM_RESOURCE_EXCEEDED:
            raise Refused(proved.code, path=str(scratch))
        raise Refused(
            proved.code if proved.code in _OF_THE_RECIPE else "encoder-missing",
            preset=request.preset.name,
            name=request.preset.video.encoder,
            path=house.build.path,
            detail="; ".join(proved.evidence.stderr[-2:])
            or proved.evidence.detail
            or house.slate_words.title_of(proved.code),
        )
    assert isinstance(proved, Proved)
    signature = proved.signature

    def plan_of(sources: dict[str, Source | Failure]) -> Plan:
        return planning.plan(
            request.timeline,
            sources,
            preset=request.preset,
            policy=house.policy,
            signature=signature,
            build=house.build.identity,
            slate_words=house.slate_words,
        )

    plan = plan_of(sources)
    doubted = _doubted(plan, sources)
    if (
        doubted
    ):  # a header with no length, or too small a length, does not prove that media is too short
        places = {
            path: source.path for path in doubted if isinstance(source := sources[path], Source)
        }
        counted = run_tasks.examine(
            crew,
            sorted(set(places.values())),
            policy=house.policy,
            stopped=lambda: bool(stopped()),
            count=True,
        )
        sources = {
            **sources,
            **{
                path: counted[place]
                for path, place in places.items()
                if isinstance(counted[place], Source)
            },
        }
        plan = plan_of(sources)
    plan = msgspec.structs.replace(plan, remarks=plan.remarks + opened.remarks)
    return _claimed(
        plan,
        request.preset,
        house,
        {s.path: s.volume for s in sources.values() if isinstance(s, Source)},
    )


def _doubted(made: Plan, sources: dict[str, Source | Failure]) -> list[str]:
    """Return paths whose media is too short by its header; its packets were not counted yet."""
    short = {problem.path for problem in made.problems if problem.code in _TOO_SHORT}
    return [
        path
        for path, source in sources.items()
        if isinstance(source, Source)
        and source.path in short
        and not all(
            facts.counted
            for facts in (
                (source.video,) if source.video and not source.video.still else source.audio
            )
        )
    ]


def _claimed(plan: Plan, preset: Preset, house: Services, volumes: dict[str, str]) -> JobState:
    """Return the state at the start of a run, with the checkpoints on record as cached ones."""
    memory = History(house.journal)
    state = JobState(
        plan=plan,
        preset=preset,
        policy=house.policy,
        build=house.build.identity,
        slate_words=house.slate_words,
        claimed={},
        volumes=volumes,
        cures={(cure.code, cure.change): cure.cured - cure.failed for cure in memory.cures()},
        decisions=Decisions(preferences=memory.preferences()),
        hwaccel=house.hwaccel,
    )
    keys = (
        [s.key for s in state.work]
        + [c.key for c in plan.chunks]
        + ([state.track] if state.track else [])
    )
    state.claimed = reusable(plan, state.track, house.journal.seals(dict.fromkeys(keys)))
    return state


def refuse_without_space(
    state: JobState, output: Path, workspace: Workspace, *, away: bool = False
) -> None:
    """Raise Refused(scratch-space, output-space) if the film is not expected to fit.

    `away`: the free space of the film's volume cannot be determined.
    """
    margin = state.policy.free_margin_bytes
    on_scratch, on_output = disk_space.scratch_bytes(state), disk_space.film_bytes(state)
    needs = [(workspace.scratch, on_scratch, "scratch"), (output.parent, on_output, "output")]
    if away:
        needs = needs[:1]
    elif machine.volume(workspace.scratch) == machine.volume(output.parent):
        needs = [(output.parent, on_scratch + on_output, "output")]
    for place, wanted, name in needs:
        free = machine.free_bytes(place)
        if free is not None and free < wanted + margin:
            raise Refused(f"{name}-space", path=str(place), wanted=wanted + margin, free=free)
