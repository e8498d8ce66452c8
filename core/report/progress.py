"""Build the snapshot of a job's progress, the only thing that a display sees."""

from __future__ import annotations

from core.job.state import JobState
from core.messages.phrases import phrase
from core.messages.template import Language
from core.system.codec import Value


class Snapshot(Value, frozen=True):
    """The progress of a job at one moment.

    Frames are record frames. `left_s` is None while it cannot be estimated. `working_on` names the
    work in progress, `shots_now` has the numbers of the shots among it. Attempt `retry_attempt` of
    what failed starts in `waiting_s` seconds (0: at once, or other work is in progress).
    """

    phase: str
    frames: int
    frames_done: int
    shots: int
    shots_done: int
    shots_missing: int
    reused_frames: int
    left_s: float | None
    frames_per_s: float
    working_on: tuple[str, ...]
    waiting_s: float
    shots_now: tuple[int, ...] = ()
    retry_attempt: int = 0


def snapshot(
    state: JobState,
    in_flight: dict[str, int],
    elapsed_s: float,
    now: float,
    language: Language = "en",
) -> Snapshot:
    """Build the snapshot.

    `in_flight` maps the names of running tasks to the frames done so far; `language` is that of
    `working_on`.
    """
    plan = state.current
    names = {shot.number: shot.name or phrase("gap", language) for shot in plan.shots}
    by_key = {segment.key: segment for segment in reversed(plan.segments)}
    done = sum(segment.frames for segment in plan.segments if segment.key in state.believed)
    reused = sum(
        s.frames for s in plan.segments if s.key in state.believed and state.believed[s.key].reused
    )
    partly, working, joining = 0, [], False
    numbers: set[int] = set()
    for name, frames in in_flight.items():
        kind, _, key = name.partition(":")
        if kind in ("render", "copy") and key in by_key:
            partly += min(frames, by_key[key].frames)
            shot = by_key[key].shot
            numbers.add(shot)
            working.append(phrase("at-shot", language, shot=shot, name=names[shot]))
        elif kind in ("mix", "track"):
            working.append(phrase("at-sound", language))
        elif kind == "validate":
            working.append(phrase("at-checkpoints", language))
        elif kind == "join":
            joining, partly = True, frames
            working.append(phrase("at-joining", language))
    made = done - reused + (0 if joining else partly)
    speed = made / elapsed_s if elapsed_s > 0 else 0.0
    left = plan.frames - done - (0 if joining else partly)
    unsettled = {s.shot for s in plan.segments if s.key not in state.believed}
    phase = "publish" if state.joined else "join" if joining else "assemble"
    if state.finished:
        phase = "done"
    alarm = state.next_alarm(now)
    return Snapshot(
        phase=phase,
        frames=plan.frames,
        frames_done=plan.frames - left,
        shots=len(plan.shots),
        shots_done=len(plan.shots) - len(unsettled),
        shots_missing=len(state.shots_missing().keys() - set(state.taken.shots)),
        reused_frames=reused,
        left_s=left / speed if speed > 0 and elapsed_s > 1 else None,
        frames_per_s=speed,
        working_on=tuple(dict.fromkeys(working)),
        waiting_s=alarm - now if alarm and not in_flight else 0.0,
        shots_now=tuple(sorted(numbers)),
        retry_attempt=_attempt(state, now, alarm) if alarm and not in_flight else 0,
    )


def _attempt(state: JobState, now: float, alarm: float) -> int:
    """Return the number of the attempt that is due at `alarm`."""
    return max(
        (
            len(tries) + 1
            for key, tries in state.failed.items()
            if state.ready_at(key, now) == alarm
        ),
        default=0,
    )
