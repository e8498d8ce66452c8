"""Texts for reports about damaged shots and sounds: what was kept, to the frame."""

from __future__ import annotations

from fractions import Fraction

from core.errors.failure import Failure
from core.graph.nodes import Copy, Piece, Slate
from core.job import damage_repair
from core.job.state import JobState
from core.messages import catalogue
from core.messages.phrases import phrase
from core.messages.template import Language
from core.system.codec import Value
from core.timeline.timing import timecode


class Repair(Value, frozen=True):
    """A run of frames that a slate replaces, or a stretch of a clip's sound that silence replaces.

    `first` (from 0) and `frames` count within the shot; for sound, `shot` is 0 and they are record
    frames. Timecodes are record timecodes except `source_timecode`. `last_good` is a picture file,
    or empty. `text` says which frames, or when.
    """

    shot: int
    clip: str
    failure: Failure
    first: int
    frames: int
    begin: str
    end: str
    source_frame: int
    source_timecode: str
    last_good: str
    text: str


def repairs(state: JobState, language: Language = "en") -> list[Repair]:
    """Return all runs, pictures before sounds; shots given up as a whole are left out.

    Pictures and sounds are each in record order.
    """
    return [*_pictures(state, language), *_sounds(state)]


def _pictures(state: JobState, language: Language) -> list[Repair]:
    plan, rate = state.plan, state.plan.format.rate
    found = []
    for shot in plan.shots:
        if shot.number not in state.damage.shots or shot.number in state.slated:
            continue
        for first, frames in _slates(state, shot.number):
            at = first - shot.record_in
            # The planned segments know their file; the current one here is a slate.
            planned = next(
                s for s in plan.segments if s.record_in <= first < s.record_in + s.frames
            )
            if not isinstance(planned.picture, Piece | Copy):
                continue
            frame = damage_repair.source_frame(planned.picture, first - planned.record_in, rate)
            begin, end = _timecode(state, first), _timecode(state, first + frames)
            source_timecode = damage_repair.source_timecode(shot, planned.picture, frame, rate)
            text = phrase(
                "frames-bad",
                language,
                count=frames,
                shot=shot.number,
                first=at + 1,
                last=at + frames,
                frames=shot.frames,
                source_frame=frame,
            )
            pictures = [
                m.last_good
                for m in state.damage.mends.values()
                if m.shot == shot.number and m.source_frame == frame
            ]
            found.append(
                Repair(
                    shot=shot.number,
                    clip=shot.clip,
                    failure=state.damage.shots[shot.number],
                    first=at,
                    frames=frames,
                    begin=begin,
                    end=end,
                    source_frame=frame,
                    source_timecode=source_timecode,
                    last_good=next(filter(None, pictures), ""),
                    text=text,
                )
            )
    return found


def _slates(state: JobState, shot: int) -> list[tuple[int, int]]:
    """Return the runs (record frame, length) of slates in a shot."""
    runs: list[tuple[int, int]] = []
    for segment in state.current.segments:
        if segment.shot == shot and isinstance(segment.picture, Slate):
            if runs and sum(runs[-1]) == segment.record_in:
                runs[-1] = (runs[-1][0], runs[-1][1] + segment.frames)
            else:
                runs.append((segment.record_in, segment.frames))
    return runs


def _sounds(state: JobState) -> list[Repair]:
    form, found = state.plan.format, []
    for silence in sorted(state.damage.silences, key=lambda s: (s.first_sample, s.clip)):
        first = int(Fraction(silence.first_sample, form.sample_rate) * form.rate)
        last = int(
            Fraction(silence.first_sample + silence.samples - 1, form.sample_rate) * form.rate
        )
        begin, end = _timecode(state, first), _timecode(state, last + 1)
        found.append(
            Repair(
                shot=0,
                clip=silence.clip,
                failure=silence.failure,
                first=first,
                frames=last + 1 - first,
                begin=begin,
                end=end,
                source_frame=0,
                source_timecode="",
                last_good="",
                text=f"{begin} – {end}",
            )
        )
    return found


def _timecode(state: JobState, frame: int) -> str:
    return timecode(
        state.plan.start_frame + frame, state.plan.format.rate, drop_frame=state.plan.drop_frame
    )


def words(mend: Repair, language: Language = "en") -> catalogue.Words:
    """Return the line of the report for a run."""
    path, code = (
        mend.failure.evidence.path,
        catalogue.partly(mend.failure.code, sound=not mend.shot),
    )
    if not mend.shot:
        return catalogue.words(code, language, path=path, detail=mend.text)
    where = {"source_timecode": mend.source_timecode, "record_timecode": mend.begin}
    return catalogue.words(code, language, path=path, detail=mend.text, **where)
