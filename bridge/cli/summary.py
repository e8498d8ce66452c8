"""Report at the end of a run: for people, and as the last line of `--json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge.services import logs
from bridge.settings import settings
from core.engine.request import Request
from core.engine.user_decisions import STOPPED_AT
from core.errors.failure import Failure
from core.errors.refusal import Refused
from core.graph.nodes import Plan
from core.job.decisions import Accepted
from core.job.events import JobFinished, RunInterrupted
from core.job.relink_choice import LOOKED_FOR
from core.job.state import JobState
from core.messages import catalogue, refusal_text, relink_text
from core.messages.phrases import phrase, what_is_safe
from core.messages.template import Language, decimal
from core.report import repair_text
from core.report.labels import remark_words, taken_sentence
from core.storage.journal_faults import fault
from core.system import machine
from core.timeline.timing import timecode

if TYPE_CHECKING:
    from core.engine.assemble import Ended

COMPLETE, INCOMPLETE, REFUSED, FAILED, INTERRUPTED = 0, 1, 2, 3, 130


def refusal(error: Refused, language: Language | None = None) -> dict[str, Any]:
    """Report a refusal with exit code 2: nothing was begun.

    `language` None means that of the settings.
    """
    language = language or settings.language()
    said = refusal_text.refusal(error, language)
    logs.refused(error.code, said.message)
    head = {"exit_code": REFUSED, "outcome": "refused", "code": error.code}
    if error.code == "job-running":
        head["holder"] = str(error.fields.get("detail") or "")
    return head | _said(said) | {"title": f"{said.title}."}


def lost_record(
    journal: Path, scratch: Path, error: Exception, language: Language = "en"
) -> dict[str, Any]:
    """Report that the disk of the journal or the scratch folder takes no more data: exit code 3.

    Raises `error` itself when it is an error of the program.
    """
    if (
        isinstance(error, OSError)
        and error.filename
        and Path(str(error.filename)).is_relative_to(scratch)
    ):
        found: Refused | None = Refused(
            "scratch-unusable", path=str(scratch), detail=error.strerror or str(error)
        )
    else:
        found = fault(error, journal)
    if found is None:
        raise error
    film = getattr(error, "film", "")
    said = refusal_text.refusal(found, language)
    logs.refused(said.code, said.message)
    return {
        "exit_code": FAILED,
        "outcome": "failed",
        "code": said.code,
        **_said(said),
        "title": f"{said.title}.",
        "safe": phrase("film-unrecorded", language, path=film)
        if film
        else phrase("all-untouched", language),
    }


def _said(said: catalogue.Words) -> dict[str, Any]:
    actions = [{"do": action.text, "safe": action.safe} for action in said.actions]
    return {
        "title": said.title,
        "message": said.message,
        "did": said.did,
        "action": said.action,
        "actions": actions,
        "more": said.more,
    }


def _problems(state: JobState, job: str, language: Language) -> list[dict[str, Any]]:
    found = []
    for problem in state.plan.problems:
        name = problem.detail or problem.path
        said = catalogue.words(
            problem.code, language, path=problem.path, detail=problem.detail, name=name
        )
        head = {
            "code": problem.code,
            "path": problem.path,
            "shots": list(problem.shots),
            "clips": list(problem.clips),
        }
        told = _said(said)
        if problem.code in LOOKED_FOR and problem.detail:  # the detail says where a copy may be
            told["message"] += f" {problem.detail}"
        if problem.lookalikes:
            told["message"] += f" {relink_text.resembling(problem.lookalikes, language)}"
        if to := relink_text.proposed(problem.lookalikes):
            about = str(problem.shots[0]) if problem.shots else problem.code
            told["message"] += f" {relink_text.taking(to, job, about, language)}"
        found.append(
            head
            | {"timecodes": [record_timecode(state.plan, shot) for shot in problem.shots]}
            | told
        )
    runtime: dict[tuple[str, str], dict[str, Any]] = {}

    def met(failure: Failure) -> dict[str, Any]:
        path = failure.evidence.path
        head: dict[str, Any] = {
            "code": failure.code,
            "path": path,
            "shots": [],
            "clips": [],
            "timecodes": [],
        }
        return runtime.setdefault(
            (failure.code, path), head | _said(catalogue.explain(failure, language))
        )

    for shot, failure in sorted(state.slated.items()):
        entry = met(failure)
        entry["shots"].append(shot)
        entry["timecodes"].append(record_timecode(state.plan, shot))
    for clip, failure in sorted(state.silenced.items()):
        met(failure)["clips"].append(clip)
    rows = [
        *found,
        *runtime.values(),
        *(_mend(mend, language) for mend in repair_text.repairs(state, language)),
    ]
    return _one_for_each_cause(rows)


def _one_for_each_cause(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Merge rows with the same cause, that is code and file.

    The words of the first row are kept, with the shots, clips and `places` of all.
    """
    alike: dict[tuple[Any, ...], dict[str, Any]] = {}
    for number, row in enumerate(rows):
        cause = (
            (row["code"], row.get("cause"), row["path"], bool(row["shots"]))
            if row["path"]
            else (number,)
        )
        first = alike.setdefault(cause, row)
        if first is row:
            continue
        for shot, at in zip(row["shots"], row["timecodes"], strict=True):
            if shot not in first["shots"]:
                first["shots"].append(shot)
                first["timecodes"].append(at)
        first["clips"] += [clip for clip in row["clips"] if clip not in first["clips"]]
        first["places"] = first.get("places", []) + row.get("places", [])
    return list(alike.values())


def _parted(
    rows: list[dict[str, Any]], taken: Accepted
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Split problems into open ones and those that a user has decided to leave as they are.

    A problem that is partly decided yields one row in each list.
    """
    open_: list[dict[str, Any]] = []
    decided: list[dict[str, Any]] = []
    for row in rows:
        left = [shot in taken.shots for shot in row["shots"]]
        mute = [clip in taken.clips for clip in row["clips"]]
        for is_taken, to in ((False, open_), (True, decided)):
            if is_taken in left or is_taken in mute or not (left or mute or is_taken):
                some = {
                    "shots": [
                        shot
                        for shot, its in zip(row["shots"], left, strict=True)
                        if its is is_taken
                    ]
                }
                some["timecodes"] = [
                    at for at, its in zip(row["timecodes"], left, strict=False) if its is is_taken
                ]
                some["clips"] = [
                    clip for clip, its in zip(row["clips"], mute, strict=True) if its is is_taken
                ]
                if "places" in row:
                    of_taken = [
                        one["shot"] in taken.shots or one["clip"] in taken.clips
                        for one in row["places"]
                    ]
                    some["places"] = [
                        one
                        for one, its in zip(row["places"], of_taken, strict=True)
                        if its is is_taken
                    ]
                to.append(row | some)
    return open_, decided


def _mend(mend: repair_text.Repair, language: Language) -> dict[str, Any]:
    """Report one run of missing frames or sound, as figures and words.

    `places` later collects all runs with the same cause.
    """
    place = {
        "shot": mend.shot,
        "clip": "" if mend.shot else mend.clip,
        "timecode": mend.begin,
        "first": mend.first,
        "frames": mend.frames,
        "source_frame": mend.source_frame,
        "source_timecode": mend.source_timecode,
    }
    head = {
        "code": catalogue.partly(mend.failure.code, sound=not mend.shot),
        "cause": mend.failure.code,
        "path": mend.failure.evidence.path,
        "shots": [mend.shot] if mend.shot else [],
        "clips": [] if mend.shot else [mend.clip],
        "timecodes": [mend.begin] if mend.shot else [],
        "first": mend.first,
        "frames": mend.frames,
        "source_frame": mend.source_frame,
        "source_timecode": mend.source_timecode,
        "last_good": mend.last_good,
        "places": [place],
    }
    return head | _said(repair_text.words(mend, language))


def record_timecode(plan: Plan, shot: int) -> str:
    """Return the timecode at which a shot begins in the film."""
    return timecode(
        plan.start_frame + plan.shots[shot - 1].record_in,
        plan.format.rate,
        drop_frame=plan.drop_frame,
    )


def _remarks(state: JobState, language: Language) -> list[dict[str, Any]]:
    """Return one row per kind of remark: a timeline with 300 conformed clips mentions them once."""
    counted = Counter((remark.code, remark.severity) for remark in state.plan.remarks)
    first = {}
    for remark in reversed(state.plan.remarks):
        first[remark.code, remark.severity] = remark
    rows = []
    for (code, severity), count in counted.items():
        alike = [remark for remark in state.plan.remarks if remark.code == code][:200]
        texts = [
            remark_words(remark, language).message if remark.fields else remark.text
            for remark in alike
        ]
        said = remark_words(first[code, severity], language)
        decided = severity == "loss" and code in state.taken.remarks
        head = {
            "code": code,
            "severity": "note" if decided else severity,
            "count": count,
            "decided": decided,
        }
        rows.append({**head, **_said(said), "all": texts})
    clipped = sum(
        state.believed[c.key].clipped for c in state.current.chunks if c.key in state.believed
    )
    if clipped:
        said = catalogue.words(
            "sound-clipped", language, name=phrase("samples-clipped", language, count=clipped)
        )
        rows.append({"code": said.code, "severity": "note", "count": 1, **_said(said), "all": []})
    return rows


def report(
    ended: Ended, request: Request, language: Language = "en", *, earlier: Collection[int] = ()
) -> dict[str, Any]:
    """Report the outcome, exit code, words and figures of the run.

    `earlier` holds the shots that an earlier good render could replace.
    """
    state, tally, end = ended.state, ended.tally, ended.end
    base: dict[str, Any] = {
        "job": ended.job,
        "output": str(request.output),
        "preset": request.preset.name,
        "seconds": round(machine.monotonic() - tally.started, 3),
    }
    if state is None:
        return {
            **base,
            "exit_code": INTERRUPTED,
            "outcome": "interrupted",
            "title": phrase("stopped", language),
            "message": phrase("nothing-begun", language),
            "action": phrase("start-again", language),
        }
    taken = state.taken
    missing = sorted(state.shots_missing().keys() - set(taken.shots))
    shots = len(state.plan.shots)
    sealed = {s.shot for s in state.current.segments} - {
        s.shot for s in state.current.segments if s.key not in state.believed
    }
    good = len(sealed - state.shots_missing().keys())
    stands = isinstance(end, JobFinished) and end.outcome != "failed" and ended.film is None
    if stands:  # The film itself was verified, with everything in it.
        good = shots - len(state.shots_missing())
    problems, decided = _parted(_problems(state, ended.job, language), taken)
    reused = [seal for seal in state.believed.values() if seal.reused]
    base |= {
        "shots": shots,
        "shots_missing": missing,
        "shots_verified": good,
        "frames": state.plan.frames,
        "samples": state.plan.samples,
        "segments": len(state.current.segments),
        "reused": len(reused),
        "reused_frames": sum(
            s.frames
            for s in state.current.segments
            if s.key in state.believed and state.believed[s.key].reused
        ),
        "rendered_frames": tally.rendered_frames,
        "problems": problems,
        "decided": decided,
        "taken": {
            "shots": list(taken.shots),
            "clips": list(taken.clips),
            "remarks": list(taken.remarks),
        },
        "remarks": _remarks(state, language),
        "recording_s": round(tally.recording_s, 4),
        "checking_s": round(tally.checking_s, 4),
        "held_s": round(tally.held_s, 4),
        "engine_s": getattr(end, "seconds", 0.0),
        "startup_s": getattr(end, "startup_s", 0.0),
        "startup_held_s": getattr(end, "startup_held_s", 0.0),
        "overhead_cpu_s": getattr(end, "overhead_cpu_s", 0.0),
        "cpu_s": getattr(end, "cpu_s", 0.0),
        "working_s": round(tally.working_s, 3),
    }
    safe = what_is_safe(verified=good, shots=shots, language=language)
    match end:
        case RunInterrupted():
            return {
                **base,
                "exit_code": INTERRUPTED,
                "outcome": "interrupted",
                "title": phrase("stopped", language),
                "message": _why_stopped(end, language)
                + phrase("can-go-on", language, job=ended.job),
                "safe": safe,
                "action": phrase("run-resume", language, job=ended.job),
            }
        case JobFinished(outcome="failed"):
            said = _fatal_words(end, state.fatal, language)
            old = request.output.name if request.output.exists() else ""
            return {
                **base,
                "exit_code": FAILED,
                "outcome": "failed",
                "code": end.code,
                **_said(said),
                "title": f"{said.title}.",
                "safe": what_is_safe(
                    verified=good,
                    shots=shots,
                    language=language,
                    published=end.code == "film-not-durable",
                    old_film=old,
                ),
            }
        case JobFinished():
            film = ended.film
            place = film.output if film else str(request.output)
            base |= {
                "film": place,
                "film_hash": film.film_hash if film else "",
                "kept": film.kept if film else "",
            }
            if stands:
                title, message = (
                    phrase("nothing-to-do", language),
                    phrase("this-very-cut", language, output=place),
                )
            else:
                title = phrase("complete" if end.outcome == "complete" else "incomplete", language)
                seconds = decimal(base["seconds"], language)
                message = phrase(
                    "made-in", language, output=place, count=state.plan.frames, seconds=seconds
                )
                if place != str(request.output):
                    message += " " + phrase("beside-complete", language, output=request.output)
                elif film and film.kept:
                    message += f" {phrase('film-kept', language)} {phrase('bring-back', language, output=request.output)}"
            incomplete, undo = end.outcome == "incomplete", ""
            if taken != Accepted() and not incomplete:
                title = phrase("complete-as-decided", language)
                message += " " + _taken_words(state, taken, language)
                about = (
                    str(taken.shots[0]) if len(taken.shots) == 1 and not taken.remarks else "all"
                )
                undo = phrase("take-back", language, job=ended.job, about=about)
            return {
                **base,
                "exit_code": INCOMPLETE if incomplete else COMPLETE,
                "outcome": end.outcome,
                "title": title,
                "message": message,
                "safe": safe if incomplete else "",
                "action": _what_now(ended, state, language, earlier) if incomplete else undo,
            }


def _taken_words(state: JobState, taken: Accepted, language: Language) -> str:
    """Describe what a user has decided to leave as it is.

    A shot that is partly there, or replaced by an earlier render, is not called a slate.
    """
    parts = [
        shot
        for shot in taken.shots
        if shot in state.previous or (shot in state.damage.shots and shot not in state.slated)
    ]
    slates = [shot for shot in taken.shots if shot not in parts]
    return taken_sentence(slates, parts, len(taken.clips), taken.remarks, language)


def _why_stopped(end: RunInterrupted, language: Language) -> str:
    """Explain a stop that a preference caused: the user prefers to stop at this fault."""
    code = end.reason.removeprefix(STOPPED_AT)
    return phrase("stopped-by-preference", language, code=code) + " " if code != end.reason else ""


def _what_now(ended: Ended, state: JobState, language: Language, earlier: Collection[int]) -> str:
    """Return the advice: fix the problems, or decide when shots wait for a decision."""
    mend = phrase("mend-and-run", language)
    asked = sorted(state.questions())
    previous = "previous" if asked and asked[0] in earlier else ""
    return (
        f"{mend} {phrase('or-decide', language, job=ended.job, shot=asked[0], previous=previous)}"
        if asked
        else mend
    )


def _fatal_words(end: JobFinished, fatal: Failure | None, language: Language) -> catalogue.Words:
    if fatal is not None:
        return catalogue.explain(fatal, language)
    return catalogue.words(end.code, language, path=end.detail, detail=end.detail, name=end.detail)
