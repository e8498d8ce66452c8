"""What a person may want to know that is no fact of a film: printed, logged, and told to all who watch while it holds."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from bridge.daemon.listener_proxy import ListenerProxy, Overfull
from bridge.daemon.offline_changes import Left
from bridge.protocol.keys import OWN
from bridge.protocol.responses import Noticed
from bridge.settings.options import OPTIONS
from core.errors.refusal import Refused
from core.messages import catalogue
from core.messages.phrases import phrase
from core.messages.refusal_text import refusal
from core.system import machine

SETTINGS = "settings"

_log = logging.getLogger("hotsplice")


class Notices:
    """In the server's language. `hear` prints for whoever sees the companion's own words."""

    def __init__(self, server: ListenerProxy, hear: Callable[[str], None]) -> None:
        self._server, self._hear = server, hear

    def taken_over(self, changed: Mapping[str, Any]) -> None:
        """New settings hold; none is another where only a mistake was mended."""
        self._server.unnotice(SETTINGS)
        speak = self._server.language
        if not changed:
            self._tell(
                "",
                catalogue.words("settings-taken", speak, detail=phrase("settings-mended", speak)),
            )
            return
        names: dict[str, list[str]] = {
            "at once": [],
            "with the next job": [],
            "at the next start": [],
        }
        for name in changed:
            names[OPTIONS[name].counts].append(name)
        parts = []
        if names["at once"]:
            parts.append(
                phrase("settings-taken-now", speak, names=_values(names["at once"], changed))
            )
        if names["with the next job"]:
            parts.append(
                phrase(
                    "settings-taken-later",
                    speak,
                    names=_values(names["with the next job"], changed),
                )
            )
        if names["at the next start"]:
            parts.append(
                phrase(
                    "settings-taken-restart",
                    speak,
                    names=_values(names["at the next start"], changed),
                )
            )
        self._tell("", catalogue.words("settings-taken", speak, detail="; ".join(parts)))

    def refused(self, error: Refused) -> None:
        """The settings file has a mistake; the settings before it hold."""
        said = refusal(error, self._server.language)
        holds = phrase("settings-before-hold", self._server.language)
        self._tell(SETTINGS, said._replace(message=f"{said.message} {holds}"))

    def taken_up(
        self, left: Left, gone: tuple[str, ...] = (), changed: tuple[str, ...] = ()
    ) -> None:
        """A job goes on that an earlier companion has left; with what is known of its files."""
        detail = left.told(self._server.language, gone, changed)
        said = catalogue.words(
            "job-taken-up", self._server.language, name=left.timeline, detail=detail
        )
        self._tell(left.job, said, left.job)

    def awaited(self, job: str, output: str, folder: str) -> None:
        """A job waits until another data folder is done with its film."""
        said = catalogue.words(
            "film-held-elsewhere", self._server.language, path=output, detail=folder
        )
        self._tell(job, said, job)

    def over(self, job: str) -> None:
        """Of a job that has ended it is not said any more how it was found."""
        self._server.unnotice(job)

    def cut_off(self, name: str, held: int) -> None:
        """A client had more in memory than it may, and its connection was closed. `name` is the one it was paired under."""
        speak = self._server.language
        who = (
            phrase("client-own" if name == OWN else "client-unknown", speak)
            if name in ("", OWN)
            else name
        )
        self._tell("", catalogue.words("client-cut-off", speak, name=who, memory=held))

    def overfull(self, full: Overfull) -> None:
        """The listener has ended at its limit; another one is there in a moment."""
        self._tell(
            "", catalogue.words("listener-restarted", self._server.language, memory=full.limit)
        )

    def _tell(self, about: str, said: catalogue.Words, job: str = "") -> None:
        told = {"code": said.code, "message": f"{said.title}: {said.message}"}
        _log.info("notice", extra={"said": told | ({"job": job} if job else {})})
        self._hear(f"{said.title}: {said.message}")
        at = round(machine.now(), 3)
        noticed = Noticed(
            at=at,
            code=said.code,
            title=said.title,
            message=said.message,
            action=said.action,
            job=job,
        )
        self._server.notice(noticed, about=about)


def _values(names: list[str], changed: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {_value(changed[name])}" for name in names)


def _value(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(value) or "-" if isinstance(value, tuple) else str(value)
