"""A job is taken up again, or accepted: and what is recorded at the beginning of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from core.catching_up import catch_up
from core.decide import identity
from core.decide.assembly import Assembly
from core.model.facts import (
    Fact,
    FilmPlanned,
    FolderRecorded,
    JobAccepted,
    JobFinished,
    ProblemFound,
    ReplacementAllowed,
    Rewound,
    RunStarted,
    SegmentSealed,
    SourceMoved,
)
from core.model.folder import FolderIdentity
from core.model.segment import Copy
from core.model.timing import timecode
from core.perform import machine
from core.placing import film_folder, record_film_folder, refuse_scratch_elsewhere, scratch_folder
from core.record import owners
from core.record.jobs import open_jobs
from core.request import House, Request


def take_up(
    request: Request,
    house: House,
    job: str | None,
    from_checkpoint: int | None,
    state: Assembly,
    hear: Callable[[str, int, Fact], None],
    *,
    scratch_mount: str,
    seen: FolderIdentity | None = None,
) -> str:
    """The job's id: the open one of this very request, or a new one. Older cuts for the same place are superseded. `seen` is
    the film's folder, None when the job waits for it; `scratch_mount` the mount point of the scratch folder when it was looked
    at. Refused(output-gone, scratch-gone) when the folder is gone since it was seen."""
    digest = identity.request_digest(request.raw, request.preset, str(request.output))
    chosen = job
    catch_up(request.output, house.journal, house.workspace)
    for open_id, open_digest in open_jobs(house.journal, str(request.output)):
        if chosen is None and open_digest == digest:
            chosen = open_id
        elif open_id != chosen:
            house.workspace.close_job(open_id, request.output)
            house.journal.append(open_id, [JobFinished(outcome="superseded")], machine.now())
    if chosen is None:
        chosen = machine.token()
        assert seen is not None, "only an accepted job waits for its folder"
        folder = record_film_folder(seen, request.output, house.workspace.home)
        accepted = JobAccepted(
            digest=digest,
            timeline_path=request.timeline_path,
            timeline_name=request.timeline.name,
            output=str(request.output),
            preset=request.preset.name,
        )
        allowed = [ReplacementAllowed()] if request.replace_complete else []  # a kill between the two would lose the wish
        house.journal.accept(chosen, accepted, request.raw, machine.now(), folder, *allowed)
        hear(chosen, 0, accepted)
    elif seen is not None and (request.accept_folder or film_folder(house.journal, chosen) is None):
        folder = record_film_folder(seen, request.output, house.workspace.home, by_person=request.accept_folder)
        house.journal.append(chosen, [folder], machine.now())
    if request.replace_complete and house.journal.last(chosen, "ReplacementAllowed") is None:
        house.journal.append(chosen, [ReplacementAllowed()], machine.now())
    refuse_scratch_elsewhere(house.workspace.scratch, scratch_mount)
    owners.sign(house.workspace.scratch, house.workspace.home)
    film, (scratch, news) = film_folder(house.journal, chosen), scratch_folder(house)
    refuse_scratch_elsewhere(house.workspace.scratch, scratch_mount)
    state.folders = {role: folder for role, folder in (("film", film), ("scratch", scratch)) if folder is not None}
    if scratch is not None and news:
        house.journal.append(chosen, [FolderRecorded(role="scratch", folder=scratch)], machine.now())
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


def opening_facts(house: House, state: Assembly, moved: Iterable[SourceMoved] = ()) -> list[Fact]:
    """What is recorded before the first piece of work: the run, what was found elsewhere, all problems, the plan in figures."""
    plan = state.plan
    frames = {s.key: 0 for s in plan.segments}
    for segment in plan.segments:
        frames[segment.key] += segment.frames
    facts: list[Fact] = [RunStarted(version=house.version, ffmpeg=house.build.version, workers=house.workers)]
    facts += moved
    facts += [
        ProblemFound(code=p.code, path=p.path, shots=p.shots, detail=p.detail, clips=p.clips, lookalikes=p.lookalikes)
        for p in plan.problems
    ]
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
