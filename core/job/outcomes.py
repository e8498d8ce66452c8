"""Turn the outcome of a task into events: a checkpoint, or a failure and its decision. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from core.errors.failure import Evidence, Failure, Recovery, Strategy
from core.graph.nodes import Copy, Piece, Still
from core.job import circuit_breaker, damage_repair
from core.job.classify import diagnose
from core.job.events import (
    AttemptFailed,
    Fact,
    FilmJoined,
    GateClosed,
    GateOpened,
    SealBroken,
    SegmentParted,
    SegmentSealed,
    ShotMended,
    ShotSlated,
    SoundSilenced,
)
from core.job.pending_tasks import PendingTask
from core.job.retry_policy import AGAIN, LOOK_AGAIN, SMALLER, recover
from core.job.state import JobState
from core.tasks.spec import JoinFilm, Located, Made

RENDERED_AGAIN = "rendered again"
"""What is done about a checkpoint that cannot be read."""
_KINDS: dict[str, Literal["video", "copy", "audio", "track"]] = {
    "mix": "audio",
    "track": "track",
    "copy": "copy",
}


def sealed(need: PendingTask, made: Made, *, file: str, seconds: float) -> SegmentSealed:
    """Return the checkpoint for a completed, checked task whose result is `file` in the store."""
    return SegmentSealed(
        key=need.key,
        kind=_KINDS.get(need.kind, "video"),
        shot=need.segment.shot if need.segment else 0,
        file=file,
        bytes=made.bytes,
        file_hash=made.file_hash,
        frames=made.frames,
        digest=made.digest,
        reorder=made.reorder,
        seconds=round(seconds, 3),
        clipped=made.clipped,
    )


def joined(state: JobState, order: JoinFilm, made: Made) -> FilmJoined:
    """Return the event for a film that is joined and checked under its staging name."""
    parts = [part.key for part in order.video if part.file] + [part.key for part in order.sound]
    return FilmJoined(
        cut=state.cut,
        staged=order.part,
        bytes=made.bytes,
        film_hash=made.file_hash,
        frames=made.frames,
        samples=min(int(made.digest), state.plan.samples),
        complete=not state.incomplete,
        keys=tuple(dict.fromkeys(parts)),
    )


def failed(
    state: JobState, need: PendingTask, evidence: Evidence, *, now: float, chance: float
) -> list[Fact]:
    """Return the failed attempt with its decision, and the events that follow from it.

    Such events invalidate a checkpoint, or insert a slate or silence. When a task without a
    stand-in is given up (a slate, the audio track, the film), the job ends.
    """
    failure = diagnose(circuit_breaker.with_its_volume(evidence, state.volumes))
    before = state.failed.get(need.key, [])
    decision = recover(
        failure,
        attempt=len(before) + 1,
        first_failed_at=state.first_failed_at.get(need.key, now),
        now=now,
        chance=chance,
        policy=state.policy,
        gate=circuit_breaker.gate_of(failure, state.volumes),
        gated=state.held.get(need.key, 0),
        tried=state.tried(need.key),
        cures=state.cures,
    )
    follows: list[Fact] = []
    if (
        failure.code == "source-changed"
        and state.looks
        and not (need.kind == "join" and evidence.clip)
    ):
        decision = Recovery(strategy=Strategy.WAIT_AND_RETRY, retry_at=now, change=LOOK_AGAIN)
    elif decision.gate:
        if decision.gate not in state.gates:
            patience_s = state.policy.gate_patience_s
            follows = [
                GateClosed(
                    gate=decision.gate, path=evidence.path, failure=failure, patience_s=patience_s
                )
            ]
    elif (
        need.kind in ("join", "track")
        and evidence.clip
        and failure.code in ("seal-damaged", "source-changed")
    ):
        follows = _disbelieved(state, failure)
        if decision.retry_at is None and not decision.fatal:  # the source changes at every read
            follows += _slates(state, evidence.clip, failure)
    elif need.kind == "join" and evidence.clip and decision.retry_at is None and not decision.fatal:
        # A change in a copied source concerns its shots, not the film. The task that examines the
        # source again classifies the fault.
        follows = _disbelieved(state, failure)
        if len(before) + 1 < state.policy.attempts:
            decision = Recovery(strategy=Strategy.CLEANUP_AND_RETRY, retry_at=now, change=AGAIN)
        else:
            follows += _slates(state, evidence.clip, failure)
    elif need.kind == "validate" and decision.retry_at is None:
        # An unreadable checkpoint costs its work, not the job. If the disk itself is faulty, the
        # next task on it will report that.
        decision = type(decision)(strategy=decision.strategy, change=RENDERED_AGAIN)
        follows = [SealBroken(key=need.key, reason=failure.code)]
    elif need.kind == "locate" and not decision.fatal:
        if (
            decision.retry_at is None or failure.code in damage_repair.IN_PART
        ):  # another search would end the same
            follows = _parted(state, need, _cause(state, need))
            decision = Recovery(strategy=Strategy.SKIP_AND_REPORT, change=SMALLER)
        else:
            decision = msgspec.structs.replace(decision, change=damage_repair.LOCATE)
    elif (
        decision.change == SMALLER
        and need.segment is not None
        and damage_repair.divisible(need.segment)
    ):
        follows = [SegmentParted(key=need.key, at=need.segment.frames // 2)]
    elif (
        decision.retry_at is None
        and not decision.fatal
        and damage_repair.locatable(need.segment, failure)
    ):
        decision = msgspec.structs.replace(decision, change=damage_repair.LOCATE)
    elif decision.retry_at is None and not decision.fatal:
        follows = _stand_in(state, need, failure)
        if not follows and not _outdated(state, need):
            decision = type(decision)(strategy=decision.strategy, fatal=True)
    shot = need.segment.shot if need.segment else 0
    return [
        AttemptFailed(
            key=need.key,
            shot=shot,
            attempt=len(before) + 1,
            at=now,
            failure=failure,
            recovery=decision,
        ),
        *follows,
    ]


def given_up(state: JobState, opened: GateOpened) -> list[Fact]:
    """Return the events for a circuit breaker that was waited for long enough.

    The work behind it gets its stand-ins. Where there are none, the job ends.
    """
    closed = state.gates[opened.gate]
    follows: list[Fact] = []
    for segment in state.current.segments:
        away = isinstance(segment.picture, Copy) or segment.key not in state.believed
        if (
            away
            and isinstance(segment.picture, Piece | Still | Copy)
            and _on(segment.picture.path, opened.gate, state)
        ):
            follows.append(ShotSlated(shot=segment.shot, failure=closed.failure))
    for chunk in state.current.chunks:
        if chunk.key not in state.believed:
            mute = [sound.clip for sound in chunk.sounds if _on(sound.path, opened.gate, state)]
            follows += [SoundSilenced(clip=clip, failure=closed.failure) for clip in mute]
    if not follows and any(opened.gate in state.behind(need) for need in state.owed()):
        lost = Recovery(strategy=Strategy.PROVIDE_USER_FEEDBACK, fatal=True)
        follows = [
            AttemptFailed(
                key=opened.gate, shot=0, attempt=1, at=0.0, failure=closed.failure, recovery=lost
            )
        ]
    return [opened, *[fact for place, fact in enumerate(follows) if fact not in follows[:place]]]


def _on(path: str, gate: str, state: JobState) -> bool:
    return circuit_breaker.source_gate(path, state.volumes) == gate


def located(state: JobState, need: PendingTask, found: Located) -> list[Fact]:
    """Return the events that follow when a failed segment was searched for damage.

    Its good part is kept, or the segment is split in two halves.
    """
    failure = _cause(state, need)
    return (
        _mended(state, need, found.bad, failure, found.picture)
        if found.bad
        else _parted(state, need, failure)
    )


def _cause(state: JobState, need: PendingTask) -> Failure:
    """Return the failure that started the search for damage in a segment."""
    return next(
        tried.failure
        for tried in state.failed[need.key]
        if tried.recovery.change == damage_repair.LOCATE
    )


def _parted(state: JobState, need: PendingTask, failure: Failure) -> list[Fact]:
    assert need.segment is not None
    frames = need.segment.frames
    if frames == 1:
        return _mended(state, need, ((0, 1),), failure, "")
    if _too_many_pieces(state, need.segment.shot):
        return _slates(state, need.key, failure)
    return [SegmentParted(key=need.key, at=frames // 2)]


def _mended(
    state: JobState,
    need: PendingTask,
    bad: tuple[tuple[int, int], ...],
    failure: Failure,
    picture: str,
) -> list[Fact]:
    """Return one event for each shot that shows the segment.

    The shot is repaired, or given up where too little of it is left or the repair needs too many
    pieces.
    """
    segment = need.segment
    assert segment is not None
    frame = damage_repair.source_frame(segment.picture, bad[0][0], state.plan.format.rate)
    facts: list[Fact] = []
    for given_up in _slates(state, need.key, failure):
        assert isinstance(given_up, ShotSlated)
        mend = ShotMended(
            shot=given_up.shot,
            key=need.key,
            bad=bad,
            failure=failure,
            source_frame=frame,
            last_good=picture,
        )
        then = damage_repair.mended(
            state.current,
            {need.key: mend},
            {},
            preset=state.preset,
            build=state.build,
            slate_words=state.slate_words,
        )
        enough = damage_repair.keeps_enough(then, given_up.shot) and not _too_many_pieces(
            state, given_up.shot
        )
        facts.append(mend if enough else given_up)
    return facts


def _too_many_pieces(state: JobState, shot: int) -> bool:
    now, planned = (
        sum(s.shot == shot for s in plan.segments) for plan in (state.current, state.plan)
    )
    return now - planned > damage_repair.MOST_PIECES


def _stand_in(state: JobState, need: PendingTask, failure: Failure) -> list[Fact]:
    if need.segment is not None and isinstance(need.segment.picture, Piece | Still | Copy):
        return _slates(state, need.key, failure)
    if need.chunk is not None and failure.code in damage_repair.SOUND_IN_PART:
        return list(damage_repair.silences(need.chunk, failure))
    if need.chunk is not None:
        # A worker that crashed or hung cannot name the clip at fault.
        clips = (
            [failure.evidence.clip]
            if failure.evidence.clip
            else dict.fromkeys(sound.clip for sound in need.chunk.sounds)
        )
        return [SoundSilenced(clip=clip, failure=failure) for clip in clips]
    return []


def _slates(state: JobState, key: str, failure: Failure) -> list[Fact]:
    shots = sorted({segment.shot for segment in state.current.segments if segment.key == key})
    return [ShotSlated(shot=shot, failure=failure) for shot in shots]


def _disbelieved(state: JobState, failure: Failure) -> list[Fact]:
    """Invalidate the checkpoint on which a join failed, and all verified copies of the same source.

    Without the second part the film would be written once per shot of that source.
    """
    path = failure.evidence.path
    alike = [
        s.key
        for s in state.current.segments
        if isinstance(s.picture, Copy) and s.picture.path == path
    ]
    keys = dict.fromkeys([failure.evidence.clip, *(key for key in alike if key in state.believed)])
    return [SealBroken(key=key, reason=failure.code) for key in keys]


def _outdated(state: JobState, need: PendingTask) -> bool:
    """Return whether other segments, such as a slate, have replaced this one during its work."""
    return need.segment is not None and all(
        segment.key != need.key for segment in state.current.segments
    )
