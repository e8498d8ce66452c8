"""Notices for a person that are not events of a film.

They are printed, logged, and sent to all watchers while they hold.
"""

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
    """Sends notices in the server's language.

    `hear` prints them for readers of the daemon's output.
    """

    def __init__(self, server: ListenerProxy, hear: Callable[[str], None]) -> None:
        self._server, self._hear = server, hear

    def taken_over(self, changed: Mapping[str, Any]) -> None:
        """Report that new settings apply. `changed` is empty if only a mistake was corrected."""
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
        """Report a mistake in the settings file; the previous settings stay in force."""
        said = refusal(error, self._server.language)
        holds = phrase("settings-before-hold", self._server.language)
        self._tell(SETTINGS, said._replace(message=f"{said.message} {holds}"))

    def taken_up(
        self, left: Left, gone: tuple[str, ...] = (), changed: tuple[str, ...] = ()
    ) -> None:
        """Report that a job of an earlier daemon is resumed, with what is known about its files."""
        detail = left.told(self._server.language, gone, changed)
        said = catalogue.words(
            "job-taken-up", self._server.language, name=left.timeline, detail=detail
        )
        self._tell(left.job, said, left.job)

    def awaited(self, job: str, output: str, folder: str) -> None:
        """Report that a job waits until another data folder is done with its film."""
        said = catalogue.words(
            "film-held-elsewhere", self._server.language, path=output, detail=folder
        )
        self._tell(job, said, job)

    def over(self, job: str) -> None:
        """Withdraw the notice about how a job was found, because the job has ended."""
        self._server.unnotice(job)

    def cut_off(self, name: str, held: int) -> None:
        """Report that a client was disconnected because it held too much memory.

        `name` is the name under which the client was paired. `held` is in bytes.
        """
        speak = self._server.language
        who = (
            phrase("client-own" if name == OWN else "client-unknown", speak)
            if name in ("", OWN)
            else name
        )
        self._tell("", catalogue.words("client-cut-off", speak, name=who, memory=held))

    def overfull(self, full: Overfull) -> None:
        """Report that the listener ended at its memory limit; another one starts at once."""
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
