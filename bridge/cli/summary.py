"""The end of a run as a report: for people, and the last line of `--json`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from bridge import logs
from core.assemble import Ended
from core.explain import catalogue
from core.model.facts import JobFinished, RunInterrupted
from core.model.refusal import Refused
from core.perform import machine
from core.request import Request
from otio_adapters.refused import TimelineRefused

COMPLETE, INCOMPLETE, REFUSED, FAILED, INTERRUPTED = 0, 1, 2, 3, 130


def refusal(error: Refused | TimelineRefused) -> dict[str, Any]:
    """Exit code 2: nothing was begun."""
    if isinstance(error, TimelineRefused):
        title, message, action = "Timeline not understood", error.message, error.action
    else:
        said = catalogue.words(error.code, **error.fields)
        title, message, action = said.title, said.message, said.action
    logs.refused(error.code, message)
    return {
        "exit_code": REFUSED,
        "outcome": "refused",
        "code": error.code,
        "title": f"{title}.",
        "message": message,
        "action": action,
    }


def lost_record(path: str, error: Exception) -> dict[str, Any]:
    """Exit code 3: the journal's or the store's disk does not take any more."""
    said = catalogue.words("journal-failing", path=path, detail=str(error))
    logs.refused(said.code, said.message)
    return {
        "exit_code": FAILED,
        "outcome": "failed",
        "code": said.code,
        "title": f"{said.title}.",
        "message": said.message,
        "safe": "Nothing was published; your media and the old film were not touched.",
        "action": said.action,
    }


def _problems(ended: Ended) -> list[dict[str, Any]]:
    state = ended.state
    if state is None:
        return []
    found = []
    for problem in state.plan.problems:
        name = problem.detail or problem.path
        said = catalogue.words(problem.code, path=problem.path, detail=problem.detail, name=name)
        found.append(
            {
                "code": problem.code,
                "path": problem.path,
                "shots": list(problem.shots),
                "clips": list(problem.clips),
                "title": said.title,
                "message": said.message,
                "action": said.action,
            }
        )
    runtime: dict[tuple[str, str], dict[str, Any]] = {}
    for shot, failure in sorted(state.slated.items()):
        said = catalogue.explain(failure)
        entry = runtime.setdefault(
            (failure.code, failure.evidence.path),
            {
                "code": failure.code,
                "path": failure.evidence.path,
                "shots": [],
                "clips": [],
                "title": said.title,
                "message": said.message,
                "action": said.action,
            },
        )
        entry["shots"].append(shot)
    for clip, failure in sorted(state.silenced.items()):
        said = catalogue.explain(failure)
        entry = runtime.setdefault(
            (failure.code, failure.evidence.path),
            {
                "code": failure.code,
                "path": failure.evidence.path,
                "shots": [],
                "clips": [],
                "title": said.title,
                "message": said.message,
                "action": said.action,
            },
        )
        entry["clips"].append(clip)
    return found + list(runtime.values())


def _remarks(ended: Ended) -> list[dict[str, Any]]:
    """One line per kind of remark: a timeline with 300 conformed clips says so once."""
    state = ended.state
    if state is None:
        return []
    counted = Counter((remark.code, remark.severity) for remark in state.plan.remarks)
    first = {}
    for remark in reversed(state.plan.remarks):
        first[remark.code, remark.severity] = remark
    rows = []
    for (code, severity), count in counted.items():
        said = catalogue.words(code, name=first[code, severity].text)
        rows.append(
            {
                "code": code,
                "severity": severity,
                "count": count,
                "title": said.title,
                "message": said.message,
                "action": said.action,
                "all": [remark.text for remark in state.plan.remarks if remark.code == code][:200],
            }
        )
    clipped = sum(state.believed[c.key].clipped for c in state.current.chunks if c.key in state.believed)
    if clipped:
        said = catalogue.words("sound-clipped", name=f"{clipped} samples exceed full scale and were cut off")
        rows.append(
            {
                "code": said.code,
                "severity": "note",
                "count": 1,
                "title": said.title,
                "message": said.message,
                "action": said.action,
                "all": [],
            }
        )
    return rows


def report(ended: Ended, request: Request) -> dict[str, Any]:
    """Outcome, exit code, words, and the figures of the run."""
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
            "title": "Stopped.",
            "message": "Nothing had been begun.",
            "action": "Run the same command to start.",
        }
    missing = sorted(state.shots_missing())
    shots = len(state.plan.shots)
    sealed = {s.shot for s in state.current.segments} - {s.shot for s in state.current.segments if s.key not in state.believed}
    good = len(sealed - set(missing))
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
            s.frames for s in state.current.segments if s.key in state.believed and state.believed[s.key].reused
        ),
        "rendered_frames": tally.rendered_frames,
        "problems": _problems(ended),
        "remarks": _remarks(ended),
        "recording_s": round(tally.recording_s, 4),
        "checking_s": round(tally.checking_s, 4),
        "working_s": round(tally.working_s, 3),
    }
    safe = f"{good} of {shots} shots are verified; your media was not touched."
    match end:
        case RunInterrupted():
            return {
                **base,
                "exit_code": INTERRUPTED,
                "outcome": "interrupted",
                "title": "Stopped.",
                "message": f"Job {ended.job} can go on from its checkpoints.",
                "safe": safe,
                "action": f"Run hotsplice resume {ended.job}.",
            }
        case JobFinished(outcome="failed"):
            said = _fatal_words(end, (state.fatal is not None and catalogue.explain(state.fatal)) or None)
            old = f" {Path(request.output).name} is as it was." if request.output.exists() else ""
            return {
                **base,
                "exit_code": FAILED,
                "outcome": "failed",
                "code": end.code,
                "title": f"{said.title}.",
                "message": said.message,
                "safe": f"Nothing was published.{old} {safe}",
                "action": said.action,
            }
        case JobFinished():
            film = ended.film
            base |= {"film_hash": film.film_hash if film else "", "kept": film.kept if film else ""}
            kept = (
                f" The film before it is kept; hotsplice rollback {request.output} brings it back." if film and film.kept else ""
            )
            if end.outcome == "unchanged":
                title, message = "Nothing to do.", f"{request.output} is this very cut already; its bytes were verified."
            else:
                title = "Complete and verified." if end.outcome == "complete" else "Published, but incomplete."
                message = f"{request.output}: {state.plan.frames} frames in {base['seconds']:.1f} s.{kept}"
            incomplete = state.incomplete
            return {
                **base,
                "exit_code": INCOMPLETE if incomplete else COMPLETE,
                "outcome": end.outcome,
                "title": title,
                "message": message,
                "safe": safe if incomplete else "",
                "action": "Mend what is named above and run the same command again; only what changed is made anew."
                if incomplete
                else "",
            }


def _fatal_words(end: JobFinished, said: catalogue.Words | None) -> catalogue.Words:
    return said or catalogue.words(end.code, path=end.detail, detail=end.detail, name=end.detail)
