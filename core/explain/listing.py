"""Chronicle to plain text: the shots as a list, and the story in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.explain.episodes import Entry
from core.explain.story import sentence
from core.explain.tales import Chronicle
from core.explain.wording import STATES, span, verdict, words_of


def listing(told: Chronicle, entries: Sequence[Entry], moment: Callable[[float], str]) -> str:
    """The whole job; names stand as they are but without control characters."""
    said = verdict(told)
    took = told.figures
    lines = [
        f"Job {told.job}: {said.word}. {said.sentence}",
        f"{took.frames} frames: {took.frames_made} made, {took.frames_copied} copied, {took.frames_reused} from checkpoints "
        f"({span(took.saved_s)} of rendering spared).",
        f"{span(took.worked_s)} of work in {len(told.runs)} runs, {took.failures} failures, {took.retries} retries.",
        "",
        "Shots",
    ]
    for shot in told.shots:
        name = "gap" if shot.gap else shot.name
        lines.append(
            f"  {shot.number:5}  {STATES[shot.state][1]:14}  {told.timecode(shot.record_in):11}  {shot.frames:7}  {name}"
        )
        for trouble in shot.troubles:
            words = words_of(trouble)
            at = f" at {told.timecode(trouble.frame)}" if trouble.frame is not None else ""
            lines.append(f"         {words.title}{at}: {words.message} {words.action}")
    lines += ["", "Troubles, in seconds of work"]
    for one in told.episodes:
        lines.append(f"  {one.code:24}  {one.what}  {one.failures} failures, {one.ending} after {one.seconds:.1f} s")
    lines += ["", "Story", *(f"{moment(entry.at)}  {entry.seq:6}  {sentence(entry.fact)}" for entry in entries)]
    return "".join("".join(c if c.isprintable() else "?" for c in line) + "\n" for line in lines)
