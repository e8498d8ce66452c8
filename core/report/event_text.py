"""Describe an event of a job as a sentence, in English or German."""

from __future__ import annotations

from core.errors.failure import Failure, Recovery
from core.job.events import (
    REPLAN,
    Answered,
    AttemptFailed,
    ClockJumped,
    Fact,
    FilmJoined,
    FilmPlanned,
    FilmPublished,
    FilmRemoved,
    FilmRolledBack,
    FolderRecorded,
    GateClosed,
    GateOpened,
    JobAccepted,
    JobFinished,
    PreviousUsed,
    ProblemFound,
    ReplacementAllowed,
    Rewound,
    RunInterrupted,
    RunStarted,
    SealBroken,
    SegmentParted,
    SegmentSealed,
    ShotDegraded,
    ShotMended,
    ShotSlated,
    SoundSilenced,
    SourceMoved,
)
from core.job.relink_choice import LOOKED_FOR
from core.messages import catalogue
from core.messages.phrases import phrase, phrases
from core.messages.relink_text import resembling
from core.messages.template import Language, decimal, within


def reason(said: str, language: Language = "en") -> str:
    """Return why a checkpoint was rejected: the result of its check, or the title of the fault."""
    return (
        within(catalogue.title_of(said, language), language)
        if said in catalogue.entries(language)
        else said
    )


def sentence(fact: Fact, language: Language = "en") -> str:
    """Return a sentence about an event.

    Checkpoints have one too, though displays count them instead.
    """
    speak = language
    match fact:
        case JobAccepted():
            return phrase(
                "told-asked",
                speak,
                output=fact.output,
                preset=fact.preset,
                name=fact.timeline_name,
                path=fact.timeline_path,
            )
        case RunStarted():
            return phrase(
                "told-begun", speak, version=fact.version, ffmpeg=fact.ffmpeg, workers=fact.workers
            )
        case ProblemFound():
            said = catalogue.words(
                fact.code, speak, path=fact.path, detail=fact.detail, name=fact.detail or fact.path
            )
            hints = (
                fact.detail if fact.code in LOOKED_FOR else "",
                resembling(fact.lookalikes, speak),
            )
            hint = "".join(f" {one}" for one in hints if one)
            return f"{_shots(fact.shots, speak)}: {within(said.title, speak)}. {said.message}{hint} {said.action}"
        case FilmPlanned():
            return phrase(
                "told-planned",
                speak,
                count=fact.shots,
                frames=fact.frames,
                timecode=fact.start_timecode,
                segments=fact.segments,
                chunks=fact.chunks,
                reused=fact.reused,
                reused_frames=fact.reused_frames,
                copied=fact.copied,
            )
        case SealBroken():
            return phrase("told-seal-broken", speak, reason=reason(fact.reason, speak))
        case AttemptFailed():
            return _attempt(fact, speak)
        case FilmJoined():
            return phrase(
                "told-joined", speak, frames=fact.frames, samples=fact.samples, hash=fact.film_hash
            )
        case FilmPublished():
            beside = (
                phrase("told-beside", speak)
                if fact.complete is False and ".incomplete" in fact.output
                else ""
            )
            return phrase(
                "told-published", speak, output=fact.output, kept=fact.kept, beside=beside
            )
        case FilmRolledBack():
            return phrase("told-rolled-back", speak, output=fact.output)
        case JobFinished():
            why = within(catalogue.title_of(fact.code, speak), speak) if fact.code else ""
            seconds = decimal(fact.seconds, speak)
            ended = phrase(
                "told-ended",
                speak,
                outcome=word("state", fact.outcome, speak),
                seconds=seconds,
                why=why,
            )
            shots, others = (
                ", ".join(map(str, fact.taken_shots)),
                ", ".join([*fact.taken_clips, *fact.taken_remarks]),
            )
            return (
                f"{ended} {phrase('told-left', speak, shots=shots, clips=others)}"
                if shots or others
                else ended
            )
        case RunInterrupted() if fact.reason == REPLAN:
            return phrase("told-anew", speak)
        case RunInterrupted():
            return phrase("told-stopped", speak, reason=fact.reason)
        case Rewound():
            return phrase("told-rewound", speak, checkpoint=fact.checkpoint, count=len(fact.keys))
        case _:
            return _shot(fact, speak)


def _shot(fact: Fact, speak: Language) -> str:
    """Return a sentence about a shot, a sound or a source."""
    match fact:
        case SegmentSealed():
            what = (
                phrase("sealed-shot", speak, shot=fact.shot, frames=fact.frames)
                if fact.shot
                else phrase("sealed-sound", speak, samples=fact.frames)
            )
            return phrase("told-verified" if fact.reused else "told-sealed", speak, what=what)
        case ShotSlated():
            return phrase("told-slated", speak, shot=fact.shot, title=_title(fact.failure, speak))
        case ShotMended():
            bad = sum(length for _, length in fact.bad)
            return phrase(
                "told-mended",
                speak,
                shot=fact.shot,
                count=bad,
                frame=fact.source_frame,
                title=_title(fact.failure, speak),
            )
        case SegmentParted():
            return phrase("told-parted", speak, frame=fact.at)
        case ShotDegraded():
            change = word("change", fact.change, speak)
            return phrase(
                "told-degraded",
                speak,
                shot=fact.shot,
                change=change,
                title=_title(fact.failure, speak),
            )
        case PreviousUsed():
            frames = sum(seal.frames for seal in fact.seals)
            return phrase("told-previous", speak, shot=fact.shot, count=frames, job=fact.job)
        case SoundSilenced():
            return phrase("told-silenced", speak, clip=fact.clip, title=_title(fact.failure, speak))
        case Answered():
            about = (
                phrase("at-shot", speak, shot=fact.shot, name="")
                if fact.shot
                else fact.code or fact.path
            )
            always = phrase("as-always", speak) if fact.remembered else ""
            answer = word("answer", fact.answer, speak)
            return phrase(
                "told-answered", speak, about=about, answer=answer, to=fact.to, always=always
            )
        case SourceMoved():
            why = _title(fact.failure, speak) if fact.failure is not None else ""
            return phrase(
                "told-moved",
                speak,
                path=fact.path,
                to=fact.to,
                how=word("how", fact.how, speak),
                title=why,
            )
        case _:
            return _around(fact, speak)


def _around(fact: Fact, speak: Language) -> str:
    """Return a sentence about the machine or its volumes."""
    match fact:
        case GateClosed():
            place, most = (
                gate_name(fact.gate, speak),
                decimal(fact.patience_s, speak, 0) if fact.patience_s else "",
            )
            return phrase(
                "told-waiting", speak, place=place, title=_title(fact.failure, speak), seconds=most
            )
        case FilmRemoved():
            return phrase("told-film-removed", speak, path=fact.path)
        case ReplacementAllowed():
            return phrase("told-replacement-allowed", speak)
        case FolderRecorded():
            accepted = phrase("folder-accepted", speak) if fact.by_person else ""
            path, mount = fact.folder.path, fact.folder.mount
            return phrase(
                "told-folder-film" if fact.role == "film" else "told-folder-scratch", speak, path=path, mount=mount,
                accepted=accepted,
            )  # fmt: skip
        case GateOpened():
            place, seconds = gate_name(fact.gate, speak), decimal(fact.closed_s, speak)
            return opening(
                phrase(
                    "told-given-up" if fact.given_up else "told-well-again",
                    speak,
                    place=place,
                    seconds=seconds,
                )
            )
        case ClockJumped():
            return phrase(
                "told-slept" if fact.slept else "told-clock-set",
                speak,
                seconds=decimal(fact.by_s, speak, 0),
            )
        case _:
            return (
                # An event of a newer kind is named rather than left out.
                f"{type(fact).__name__}."
            )


def _attempt(fact: AttemptFailed, speak: Language) -> str:
    said = catalogue.explain(fact.failure, speak)
    work = word("work", fact.failure.evidence.operation, speak)
    return phrase(
        "told-attempt",
        speak,
        shot=fact.shot or "",
        what="" if fact.shot or work == fact.failure.evidence.operation else work,
        attempt=fact.attempt,
        title=within(said.title, speak),
        type=fact.failure.type.value,
        code=fact.failure.code,
        message=said.message,
        strategy=fact.recovery.strategy.value,
        done=done(fact.recovery, speak, at=fact.at),
    )


def gate_name(gate: str, language: Language = "en") -> str:
    """Return the name of what is waited for, in words."""
    kind, _, place = gate.partition(":")
    return f"{word('gate', kind, language)}{f' {place}' if place else ''}"


def wait_s(recovery: Recovery, at: float, language: Language = "en") -> str:
    """Return the seconds until the next attempt, counted from the failure at `at` (Unix seconds).

    Empty where the attempt follows at once.
    """
    seconds = (recovery.retry_at or 0.0) - at if at else 0.0
    return decimal(seconds, language) if seconds >= 0.05 else ""


def done(recovery: Recovery, language: Language = "en", *, at: float = 0.0) -> str:
    """Return what was decided about a failure at `at` (Unix seconds)."""
    changed = word("change", recovery.change, language) if recovery.change else ""
    if recovery.gate:
        return phrase(
            "done-waited", language, place=gate_name(recovery.gate, language), changed=changed
        )
    if recovery.retry_at is not None:
        return phrase(
            "done-again", language, changed=changed, seconds=wait_s(recovery, at, language)
        )
    return phrase("done-stop" if recovery.fatal else "done-given-up", language, changed=changed)


def strategy(recovery: Recovery, language: Language = "en") -> str:
    """Return the strategy in words."""
    return word("strategy", recovery.strategy.value, language)


def opening(words: str) -> str:
    """Capitalise the first letter, for the start of a sentence; names in the text are unchanged."""
    return words[:1].upper() + words[1:]


def word(kind: str, value: str, language: Language = "en") -> str:
    """Translate one of our own words.

    `kind` is the kind of the word: a `state`, a kind of `work`, an `answer`, a `change`, a `gate`,
    a `strategy`, or `how` a source was found. A word of a newer kind is returned as it is.
    """
    name = f"{kind}-{'-'.join(value.replace('_', ' ').split())}"
    return phrase(name, language) if name in phrases() else value


def _title(failure: Failure, language: Language) -> str:
    return within(catalogue.explain(failure, language).title, language)


def _shots(numbers: tuple[int, ...], language: Language) -> str:
    if not numbers:
        return phrase("where-sound", language)
    return phrase("where-shots", language, count=len(numbers), numbers=", ".join(map(str, numbers)))
