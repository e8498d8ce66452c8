"""One fact as a sentence: the story of a job, told in order."""

from __future__ import annotations

from core.explain import catalogue
from core.model.facts import (
    Answered,
    AttemptFailed,
    ClockJumped,
    Fact,
    FilmJoined,
    FilmPlanned,
    FilmPublished,
    FilmRolledBack,
    GateClosed,
    GateOpened,
    JobAccepted,
    JobFinished,
    PreviousUsed,
    ProblemFound,
    Rewound,
    RunInterrupted,
    RunStarted,
    SealBroken,
    SegmentSealed,
    ShotDegraded,
    ShotMended,
    ShotSlated,
    SoundSilenced,
    SourceMoved,
)
from core.model.failure import Failure, Recovery

_STRATEGIES = {
    "retry_with_backoff": "tried again, each time a little later",
    "wait_and_retry": "waited for",
    "skip_and_report": "left out and reported",
    "provide_user_feedback": "left to a person",
    "cleanup_and_retry": "tried again with less",
    "graceful_degradation": "done in a plainer way",
}
_ANSWERS = {
    "retry": "try again",
    "relink": "use another file",
    "skip": "leave it as a slate",
    "previous": "use the earlier render",
    "stop": "stop the job",
}
_HOW = {"content": "known by its content", "mhl": "by a hash in an MHL history", "person": "on a person's word"}


def sentence(fact: Fact) -> str:
    """What happened. A checkpoint is a sentence too, though displays count them instead."""
    match fact:
        case JobAccepted():
            return f"Asked for {fact.output} ({fact.preset}) from {fact.timeline_name}, {fact.timeline_path}."
        case RunStarted():
            return f"Work began (Hotsplice {fact.version}, ffmpeg {fact.ffmpeg}, {fact.workers} at once)."
        case ProblemFound():
            said = catalogue.words(fact.code, path=fact.path, detail=fact.detail, name=fact.detail or fact.path)
            return f"{_shots(fact.shots)}: {said.title.lower()}. {said.message} {said.action}"
        case FilmPlanned():
            return (
                f"Planned {fact.shots} shots, {fact.frames} frames from {fact.start_timecode} in {fact.segments} segments and "
                f"{fact.chunks} stretches of sound; {fact.reused} of them ({fact.reused_frames} frames) were checkpoints "
                f"already, {fact.copied} are copied without encoding."
            )
        case SegmentSealed():
            what = f"shot {fact.shot}, {fact.frames} frames" if fact.shot else f"sound, {fact.frames} samples"
            return f"Checkpoint {'verified again' if fact.reused else 'sealed'}: {what}."
        case SealBroken():
            return f"A checkpoint is not believed ({fact.reason}); it is made again."
        case AttemptFailed():
            where = f"Shot {fact.shot}: " if fact.shot else ""
            said = catalogue.explain(fact.failure)
            return (
                f"{where}attempt {fact.attempt} failed, {said.title.lower()} ({fact.failure.type.value}, {fact.failure.code}): "
                f"{said.message} {fact.recovery.strategy.value}: {done(fact.recovery)}."
            )
        case ShotSlated():
            return f"Shot {fact.shot} is a slate: {_title(fact.failure)}."
        case ShotMended():
            bad = sum(length for _, length in fact.bad)
            return (
                f"Shot {fact.shot} is mended: {bad} frames are slates, from frame {fact.source_frame} of its source; the rest is "
                f"kept ({_title(fact.failure)})."
            )
        case ShotDegraded():
            return f"Shot {fact.shot} was made in another way ({fact.change}): {_title(fact.failure)}."
        case PreviousUsed():
            frames = sum(seal.frames for seal in fact.seals)
            return f"Shot {fact.shot} shows its earlier good render, {frames} frames of job {fact.job}."
        case SoundSilenced():
            return f"Silence for {fact.clip}: {_title(fact.failure)}."
        case GateClosed() | GateOpened():
            return _gate(fact)
        case Answered():
            about = f"shot {fact.shot}" if fact.shot else fact.code or fact.path or "everything"
            by = " (as always)" if fact.remembered else ""
            return f"Answered for {about}: {_ANSWERS[fact.answer]}{f', {fact.to}' if fact.to else ''}{by}."
        case SourceMoved():
            return f"{fact.path} was found at {fact.to}, {_HOW[fact.how]}."
        case ClockJumped():
            return f"The machine {'slept for' if fact.slept else 'had its clock set by'} {fact.by_s:.0f} s."
        case _:
            return _end(fact)


def _end(fact: Fact) -> str:
    match fact:
        case FilmJoined():
            return f"Joined and checked whole: {fact.frames} frames, {fact.samples} samples, {fact.film_hash}."
        case FilmPublished():
            return f"Published as {fact.output}." + (f" The film before it is kept as {fact.kept}." if fact.kept else "")
        case FilmRolledBack():
            return f"Rolled back {fact.output} to the film before."
        case JobFinished():
            why = f": {catalogue.words(fact.code, path=fact.detail, detail=fact.detail).title.lower()}" if fact.code else ""
            return f"Ended {fact.outcome} after {fact.seconds:.1f} s{why}."
        case RunInterrupted():
            return f"Stopped on request ({fact.reason})."
        case Rewound():
            return f"Taken back to checkpoint {fact.checkpoint}: {len(fact.keys)} later ones are made again."
        case _:
            return f"{type(fact).__name__}."  # a fact of a newer kind is named rather than kept back


def _gate(fact: GateClosed | GateOpened) -> str:
    if isinstance(fact, GateClosed):
        return f"Waiting for {gate_name(fact.gate)}: {_title(fact.failure)}. Nothing that needs it is begun, no attempt is lost."
    if fact.given_up:
        return f"Waited {fact.closed_s:.1f} s for {gate_name(fact.gate)}, long enough; it is not waited for any more."
    return f"{opening(gate_name(fact.gate))} is well again after {fact.closed_s:.1f} s; work goes on."


def gate_name(gate: str) -> str:
    """What is waited for, in words."""
    kind, _, place = gate.partition(":")
    named = {"source": "the drive", "scratch": "the scratch disk", "output": "the film's volume", "machine": "the machine"}
    return f"{named.get(kind, kind)}{f' {place}' if place else ''}"


def opening(words: str) -> str:
    """As they begin a sentence; names in them stay as they are."""
    return words[:1].upper() + words[1:]


def done(recovery: Recovery) -> str:
    """What was decided about a failure."""
    changed = f", changed: {recovery.change}" if recovery.change else ""
    if recovery.gate:
        return f"{gate_name(recovery.gate)} is waited for{changed}"
    if recovery.retry_at is not None:
        return f"tried again{changed}"
    return ("the job stops" if recovery.fatal else "given up") + changed


def strategy(recovery: Recovery) -> str:
    """The strategy, in words."""
    return _STRATEGIES.get(recovery.strategy.value, recovery.strategy.value)


def _title(failure: Failure) -> str:
    return catalogue.explain(failure).title.lower()


def _shots(numbers: tuple[int, ...]) -> str:
    if not numbers:
        return "Sound"
    return f"Shot{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
