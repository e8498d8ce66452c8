"""Desktop notices: one sentence and one action each, shown once. Pure.

A notice appears only when a job ends or the user can help. Notices depend on the model, never on
the last event: every notice not yet shown is due, whatever was missed in between.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Literal, NamedTuple

from bridge.protocol.responses import JobLine
from bridge.tray.state import Model, ended, key_of_end, replace
from bridge.tray.view import GOOD
from bridge.tray.words import say
from core.messages import catalogue
from core.messages.template import Language, shown


class Notice(NamedTuple):
    """A sentence and the action of a click: `show` the job, or open its `folder`.

    `key` identifies the subject permanently.
    """

    key: str
    kind: Literal["attention", "done"]
    title: str
    sentence: str
    do: Literal["show", "folder"]
    job: str


def due(model: Model, language: Language) -> tuple[Notice, ...]:
    """Return the notices that have not been shown."""
    if not model.began:
        return ()
    return tuple(
        notice
        for line in model.jobs
        for notice in _of(model, line, language)
        if notice.key not in model.told
    )


def told(model: Model, notices: tuple[Notice, ...]) -> Model:
    """Record that these notices have been shown."""
    return replace(model, told=model.told | {notice.key for notice in notices})


def _of(model: Model, line: JobLine, language: Language) -> Iterator[Notice]:
    name = shown(line.timeline) or PurePath(line.output).name
    if line.state == "working":
        for gate in model.gates.get(line.job, ()):
            title = catalogue.title_of(gate.code, language)
            sentence = say("notice-gate", language, name=name, path=gate.path)
            yield Notice(
                f"{line.job} gate {gate.gate} {gate.seq}",
                "attention",
                title,
                sentence,
                "show",
                line.job,
            )
        slates = model.slated.get(line.job, ())
        if slates:
            title = catalogue.title_of(slates[0].code, language)
            sentence = say("notice-slate", language, name=name, shot=slates[0].shot)
            yield Notice(f"{line.job} slate", "attention", title, sentence, "show", line.job)
    if not ended(line) or line.state == "superseded":
        return
    key = key_of_end(line)
    if line.state in GOOD:
        yield Notice(
            key,
            "done",
            say("notice-done-title", language),
            say("notice-done", language, name=name),
            "folder",
            line.job,
        )
    elif line.state == "incomplete":
        sentence = say("notice-incomplete", language, name=name)
        yield Notice(
            key, "attention", say("notice-incomplete-title", language), sentence, "show", line.job
        )
    else:
        title = (
            catalogue.title_of(line.code, language) if line.code else say("job-failed", language)
        )
        yield Notice(
            key, "attention", title, say("notice-failed", language, name=name), "show", line.job
        )
