"""Build tasks from pending tasks.

This is the one place where a content key meets file names and ffmpeg arguments.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from core.errors.failure import PROGRAM, Evidence, Place
from core.graph import ffmpeg_args
from core.graph.nodes import Copy, Piece, Segment, Slate, Still, content_of
from core.job import verification
from core.job.pending_tasks import PendingTask
from core.job.state import JobState
from core.storage.history import History
from core.storage.journal import Journal
from core.storage.workspace import Workspace
from core.system import machine
from core.tasks.spec import (
    EncodeTrack,
    ExamineCopy,
    JoinFilm,
    JoinSound,
    JoinVideo,
    LocateDamage,
    MixSound,
    Order,
    RenderSegment,
    ValidateSeal,
)
from core.timeline.timing import timecode

PCM, TRACK = ".pcm", ".m4a"


@dataclass
class Dispatched:
    """A pending task in flight, with the task (`order`) that a worker performs for it.

    The worker has the task from `at` to `back_at` (seconds of the monotonic clock). `alone`: no
    other worker had a task when this one came back.
    """

    need: PendingTask
    order: Order
    attempt: int
    at: float
    frames: int = 0
    back_at: float = 0.0
    alone: bool = False


def extension(need: PendingTask, state: JobState) -> str:
    """Return the file extension of a pending task's result."""
    return {"mix": PCM, "track": TRACK}.get(need.kind, state.preset.extension)


def order_for(
    need: PendingTask,
    state: JobState,
    *,
    job: str,
    attempt: int,
    output: Path,
    workspace: Workspace,
    journal: Journal,
    ffmpeg: str,
) -> Order:
    """Build the worker's task for a pending task.

    Part files get fresh names that contain the attempt.
    """
    form, preset = state.plan.format, state.preset
    if need.kind == "validate":
        seal = state.claimed[need.key]
        return ValidateSeal(
            key=need.key,
            path=str(workspace.stored(seal.file)),
            bytes=seal.bytes,
            file_hash=seal.file_hash,
        )
    if need.kind == "join":
        return _join(state, str(workspace.fresh(workspace.staged(job, output))), workspace)
    part = str(workspace.part(job, need.key, attempt, extension(need, state)))
    if need.kind == "mix":
        assert need.chunk is not None
        return MixSound(
            key=need.key,
            part=part,
            samples=need.chunk.samples,
            sample_rate=form.sample_rate,
            channels=form.channels,
            bytes_per_sample=2 if preset.audio.codec == "pcm_s16le" else 3,
            sounds=need.chunk.sounds,
        )
    if need.kind == "track":
        return EncodeTrack(
            key=need.key,
            argv=ffmpeg_args.encode_track(form=form, preset=preset, part=part, ffmpeg_path=ffmpeg),
            part=part,
            inputs=_sealed_sound([chunk.key for chunk in state.current.chunks], state, workspace),
            samples=state.plan.samples,
        )
    segment = need.segment
    assert segment is not None
    picture = segment.picture
    if need.kind == "locate":
        return _locate(need.key, segment, state, workspace, journal, job)
    if isinstance(picture, Copy):
        return ExamineCopy(
            key=need.key,
            path=picture.path,
            fingerprint=picture.fingerprint,
            stream=picture.stream,
            first_frame=picture.first_frame,
            frames=segment.frames,
            signature=state.plan.signature,
            known=journal.decoded(
                content_of(picture), picture.stream, picture.first_frame, segment.frames
            ),
            identity=content_of(picture),
        )
    media = picture if isinstance(picture, Piece | Still) else None
    begin_s = picture.shown_s if isinstance(picture, Piece) else Fraction(0)
    run_up_s = picture.run_up_s if isinstance(picture, Piece) else Fraction(0)
    argv = ffmpeg_args.render(
        segment, form=form, preset=preset, part=part, ffmpeg_path=ffmpeg, hwaccel=state.hwaccel,
        leave_out=ffmpeg_args.leaves_out(state.build),
    )  # fmt: skip
    return RenderSegment(
        key=need.key,
        argv=argv,
        part=part,
        frames=segment.frames,
        signature=state.plan.signature,
        source=media.path if media else "",
        fingerprint=media.fingerprint if media else "",
        slate=picture.lines if isinstance(picture, Slate) else (),
        width=form.width,
        height=form.height,
        again=ffmpeg_args.with_run_up(argv, segment),
        stream=picture.stream if isinstance(picture, Piece) else 0,
        begin_s=begin_s,
        end_s=begin_s + Fraction(segment.frames) / form.rate
        if isinstance(picture, Piece)
        else Fraction(0),
        beside_damage=ffmpeg_args.beside_damage(segment),
        source_rate=picture.source_rate
        if isinstance(picture, Piece) and not picture.conform
        else Fraction(0),
        seek_s=picture.seek_s if isinstance(picture, Piece) and run_up_s else begin_s,
        run_up_s=run_up_s,
        identity=content_of(media) if media else "",
    )


def _locate(
    key: str, segment: Segment, state: JobState, workspace: Workspace, journal: Journal, job: str
) -> LocateDamage:
    picture, rate = segment.picture, state.plan.format.rate
    assert isinstance(picture, Piece | Copy)
    piece = picture if isinstance(picture, Piece) else None
    return LocateDamage(
        key=key,
        path=picture.path,
        fingerprint=picture.fingerprint,
        stream=picture.stream,
        begin_s=piece.shown_s if piece else Fraction(picture.first_frame) / rate,
        frames=segment.frames,
        source_rate=piece.source_rate if piece else rate,
        conform=piece is not None and piece.conform,
        copied=piece is None,
        known=History(journal).marks(picture.path, content_of(picture), picture.stream),
        harmless=verification.HARMLESS if piece is None or piece.complains else "",
        picture=str(workspace.picture(f"{job}-{key}.jpg")),
    )


def _join(state: JobState, part: str, workspace: Workspace) -> JoinFilm:
    plan, form = state.current, state.plan.format
    video = []
    for segment in plan.segments:
        seal = state.believed[segment.key]
        copied = segment.picture if isinstance(segment.picture, Copy) else None
        video.append(
            JoinVideo(
                key=segment.key,
                frames=segment.frames,
                digest=seal.digest,
                file=str(workspace.stored(seal.file)) if seal.file else "",
                file_hash=seal.file_hash if seal.file else "",
                source=copied.path if copied else "",
                fingerprint=copied.fingerprint if copied else "",
                stream=copied.stream if copied else 0,
                first_frame=copied.first_frame if copied else 0,
            )
        )
    keys = [state.track] if state.track else [chunk.key for chunk in plan.chunks]
    return JoinFilm(
        cut=state.cut,
        part=part,
        container=state.preset.container,
        rate=form.rate,
        reorder=max(state.believed[segment.key].reorder for segment in plan.segments),
        signature=plan.signature,
        timecode=timecode(plan.start_frame, form.rate, drop_frame=plan.drop_frame),
        video=tuple(video),
        sound=_sealed_sound(keys, state, workspace),
        pcm=state.preset.audio.codec if state.preset.audio.pcm else "",
        sample_rate=form.sample_rate,
        channels=form.channels,
        samples=plan.samples,
    )


def _sealed_sound(keys: list[str], state: JobState, workspace: Workspace) -> tuple[JoinSound, ...]:
    seals = [state.believed[key] for key in keys]
    return tuple(
        JoinSound(
            key=seal.key,
            file=str(workspace.stored(seal.file)),
            samples=seal.frames,
            digest=seal.digest,
            file_hash=seal.file_hash,
        )
        for seal in seals
    )


def not_begun(need: PendingTask, error: OSError, output: Path, workspace: Workspace) -> Evidence:
    """Return evidence for a task that could not even be built.

    This happens if the scratch folder or the film's folder rejects our file names. An error that
    names no path is blamed on the program.
    """
    if not machine.names_a_path(error):
        return Evidence(
            operation=need.kind,
            place="program",
            note=PROGRAM,
            detail=f"{type(error).__name__}: {error}",
        )
    place: Place = "output" if need.kind == "join" else "scratch"
    path = str(error.filename or (output if need.kind == "join" else workspace.scratch))
    return Evidence(
        operation=need.kind, place=place, path=path, errno=error.errno, detail=str(error)
    )


def not_sealed(path: str, error: OSError) -> Evidence:
    """Return evidence for a finished part file that could not take its name in the store."""
    return Evidence(
        operation="seal", place="scratch", path=path, errno=error.errno, detail=str(error)
    )
