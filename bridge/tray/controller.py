"""Carries out user actions on a job, a finding, a new film or the settings.

Requests go to the daemon; everything else is done in this process.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog

from bridge.protocol.requests import Cancel, Message, Prioritise, Resume
from bridge.settings import settings
from bridge.settings.options import OPTIONS
from bridge.tray import desktop
from bridge.tray.confirm import confirm
from bridge.tray.page import Act, answers, diagnosis
from bridge.tray.submitdialog import SubmitDialog
from bridge.tray.submitting import Wanted, submission, too_large
from bridge.tray.window import Window
from bridge.tray.words import say
from core.errors.refusal import Refused
from core.messages import refusal_text
from core.messages.template import Language
from core.system import machine


class Controller(QObject):
    """Controller of the window.

    `post` sends a request to the daemon. `presets` maps preset names to the file extensions of
    their films. `language_chosen` is emitted when the user changes the language.
    """

    language_chosen = Signal()
    _aside = Signal(object)

    def __init__(
        self,
        window: Window,
        post: Callable[[Message, bytes | None], None],
        home: Path,
        program: str,
        presets: dict[str, str],
        language: Language,
    ) -> None:
        super().__init__()
        self.window, self.home, self._language = window, home, language
        self._post_it, self._program, self._presets = post, program, presets
        self._aside.connect(lambda do: do(), Qt.ConnectionType.QueuedConnection)
        window.act.connect(self.act)
        window.new.connect(self.new_film)
        window.settings.open_file.connect(self._open_settings)
        window.settings.saved.connect(self._save_settings)

    def _post(self, message: Message, timeline: bytes | None = None) -> None:
        self._post_it(message, timeline)

    def act(self, act: Act) -> None:
        """Carry out an action about the displayed job."""
        job = self.window.job
        line = self.window.model.job(job)
        if line is None:
            return
        match act.do:
            case "cancel":
                self._post(Cancel(request="cancel", job=job))
            case "resume":
                self._post(Resume(request="resume", job=job))
            case "first" | "back":
                most = max(
                    (
                        other.priority
                        for other in self.window.model.jobs
                        if other.state == "waiting"
                    ),
                    default=0,
                )
                self._post(
                    Prioritise(
                        request="prioritise",
                        job=job,
                        priority=min(100, most + 1) if act.do == "first" else 0,
                    )
                )
            case "folder":
                if not desktop.open_folder(act.path or line.film or line.output):
                    self.window.say(
                        say("not-done", self._language, why=act.path or line.film or line.output),
                        "bad",
                    )
            case "report":
                self._run(["report", job, "--open"], say("did-report", self._language))
            case "bundle":
                self._bundle(job)
            case "rollback-before" | "rollback-this":
                self._roll_back(act.do, line.film or line.output)
            case "rollback-kept":
                self._roll_back(act.do, line.film or line.output, act)
            case "copy":
                told = self.window.model.described.get(job)
                if told is not None:
                    QGuiApplication.clipboard().setText(diagnosis(told, self._program))
                    self.window.say(say("did-copy", self._language))
            case _:
                self._answer(act, job)

    def _answer(self, act: Act, job: str) -> None:
        file = ""
        if act.do == "relink":
            title = say("choose-file", self._language, name=Path(act.path).name)
            start = str(Path(act.path).parent) if os.path.isdir(Path(act.path).parent) else ""
            file, _ = QFileDialog.getOpenFileName(self.window, title, start)
            if not file:
                return
        for message in answers(act, job, f"answer-{machine.token()}", file=file):
            self._post(message)

    def _bundle(self, job: str) -> None:
        title = say("choose-bundle", self._language)
        path, _ = QFileDialog.getSaveFileName(
            self.window, title, str(Path.home() / f"hotsplice-{job}.zip"), "*.zip"
        )
        if path:
            self._run(["diagnose", job, "-o", path], say("did-bundle", self._language, path=path))

    def _roll_back(self, do: str, output: str, kept: Act | None = None) -> None:
        """Restore the film that was replaced last, or the one that `kept` names by its number.

        This runs as a command, not as a request to the daemon: it reads the whole kept film first,
        and holds the film's lock meanwhile.
        """
        language, name = self._language, Path(output).name

        def go() -> None:
            self.window.say(say("rollback-begins", language, name=name))
            which = ["--to", kept.path] if kept else []
            self._run(
                ["rollback", output, *which],
                say(f"did-{do}", language, path=output),
                most_s=desktop.ROLL_BACK_S,
            )

        confirm(
            self.window, say(f"{do}-asks", language, name=name), say("rollback-words", language),
            yes=say(f"{do}-yes", language), no=say("rollback-no", language), then=go,
        )  # fmt: skip

    def _run(self, words: list[str], well: str, *, most_s: float = desktop.COMMAND_S) -> None:
        def done(said: str, why: str) -> None:
            # The second line is advice for command-line users.
            what = why.partition("\n")[0]
            text, role = (
                (say("not-done", self._language, why=what), "bad") if why else (well, "good")
            )
            self._aside.emit(lambda: self.window.say(text, role))  # type: ignore[arg-type]

        desktop.command(words, done, most_s=most_s)

    def new_film(self, timeline: str) -> None:
        """Ask for the details of a new film, and submit it to the daemon."""
        dialog = SubmitDialog(self.window, self._language, self._presets, timeline)
        dialog.accepted.connect(lambda: self.submit(dialog.wanted))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setModal(True)
        dialog.open()

    def submit(self, wanted: Wanted) -> None:
        """Submit a timeline to the daemon."""
        path = Path(wanted.timeline)
        language = self._language
        try:
            if too_large(path.stat().st_size):
                self.window.say(say("submit-too-large", language, name=path.name), "bad")
                return
            data = path.read_bytes()
        except OSError as error:
            self.window.say(
                say("submit-unreadable", language, name=path.name, why=error.strerror or error),
                "bad",
            )
            return
        self._post(submission(wanted, data, machine.token(16)), data)

    def show_settings(self) -> None:
        """Show the settings from the file, unless the user is editing them."""
        try:
            read = settings.load(self.home)
        except Refused as error:
            said = refusal_text.refusal(error, self._language)
            self.window.settings.show_wrong(
                f"{say('settings-wrong', self._language)}: {said.message}"
            )
        else:
            if not self.window.settings.changes():
                self.window.settings.show_settings(read)

    def _open_settings(self) -> None:
        settings.write_template(self.home)
        desktop.open_file(self.home / "settings.yaml")

    def _save_settings(self, changes: dict[str, Any]) -> None:
        try:
            read = settings.change(self.home, **changes)
        except Refused as error:
            said = refusal_text.refusal(error, self._language)
            self.window.settings.show_wrong(f"{said.message} {said.action}")
            return
        self.window.settings.show_settings(read)
        later = any(OPTIONS[key].counts == "at the next start" for key in changes)
        self.window.say(say("did-settings-restart" if later else "did-settings", self._language))
        if read.language != self._language:
            self.language_chosen.emit()
