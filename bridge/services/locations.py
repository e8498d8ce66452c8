"""The locations of the data folder and the settings, and what is opened in them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import platformdirs
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, wait_fixed

from bridge.settings import settings
from core.engine import data_folder
from core.errors.refusal import Refused
from core.graph.preset import Preset
from core.plan.policy import Policy
from core.storage import preset_files as presets
from core.storage.journal import Journal
from core.storage.journal_view import open_for_reading
from core.storage.workspace import Workspace
from core.system import machine, private_files

JOURNAL = data_folder.JOURNAL
"""The journal's name in the data folder."""
_LOOK_S = 1.0
"""Seconds between checks for a data folder whose drive is disconnected."""


def program_version() -> str:
    """Return Hotsplice's version, or `source` if it runs without having been installed."""
    try:
        return version("hotsplice")
    except PackageNotFoundError:
        return "source"


@dataclass(frozen=True)
class Locations:
    """Where everything is, without opening it."""

    home: Path
    settings: settings.Settings

    @property
    def scratch(self) -> Path:
        """The folder of the segments."""
        chosen = self.settings.scratch
        return Path(os.path.expanduser(chosen)).absolute() if chosen else self.home / "scratch"

    def films(self) -> tuple[Path, bool]:
        """Return the folder for films without a given path, and whether that folder may be created.

        A folder chosen in the settings may be on a drive that is disconnected, and must not be
        created.
        """
        if self.settings.films:
            return Path(os.path.expanduser(self.settings.films)), False
        return platformdirs.user_videos_path() / "Hotsplice", True

    def workspace(self) -> Workspace:
        """Return the workspace of these folders: its names and its moves of files."""
        return Workspace(self.home, self.scratch)

    @property
    def has_journal(self) -> bool:
        """Whether anything was ever recorded here."""
        return (self.home / JOURNAL).exists()

    def journal(self) -> Journal:
        """Open the journal, or create it. Raises Refused with the fault that prevents its use."""
        data_folder.check(self.home, settings.records())
        private_files.repair_ours(self.home, self.scratch)
        first = not self.has_journal
        journal = Journal(self.home / JOURNAL)
        if first:
            data_folder.put_on_record(self.home, settings.records())
        self._write_template()
        return journal

    def journal_to_read(self) -> Journal:
        """Open the journal for a command that records nothing.

        Works in a full or read-only data folder, too.
        """
        journal = open_for_reading(self.home / JOURNAL)
        self._write_template()
        return journal

    def _write_template(self) -> None:
        if self.has_journal:  # the drive may be gone since, and its empty mount point is not ours
            settings.write_template(self.home)

    def presets(self) -> dict[str, Preset]:
        """Return all presets by name."""
        return presets.load_all(self.home / "presets")


def prepare_data_folder(
    wait_s: float | None, *, accept: bool, hear: Callable[[Refused], None]
) -> None:
    """Create the data folder at its first use.

    If it was used before and its drive is disconnected, wait up to `wait_s` seconds, and call
    `hear` once when the wait begins. Raises Refused(data-folder-gone, data-folder-unusable).
    """
    home, usual = settings.home(), not os.environ.get("HOTSPLICE_HOME")

    def once(tried: RetryCallState) -> None:
        error = tried.outcome.exception() if tried.outcome else None
        if tried.attempt_number == 1 and isinstance(error, Refused):
            hear(error)

    retrying = Retrying(
        retry=retry_if_exception(
            lambda error: isinstance(error, Refused) and error.code == "data-folder-gone"
        ),
        stop=stop_after_delay(Policy().gate_patience_s if wait_s is None else wait_s),
        wait=wait_fixed(_LOOK_S),
        sleep=machine.sleep,
        before_sleep=once,
        reraise=True,
    )
    retrying(data_folder.prepare, home, settings.records(), usual=usual, accept=accept)


def place() -> Locations:
    """Return the user's locations. Raises Refused(settings-invalid)."""
    home = settings.home()
    return Locations(home, settings.load(home))


def place_anyway() -> tuple[Locations, Refused | None]:
    """Return the user's locations even if the settings have a mistake, and that mistake.

    The valid part of the settings is used, for callers that need no more.
    """
    home = settings.home()
    chosen, mistake = settings.as_far_as_right(home)
    return Locations(home, chosen), mistake
