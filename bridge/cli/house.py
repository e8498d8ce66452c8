"""The composition root of the command line: settings, journal, workspace, ffmpeg put together."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec
import platformdirs

from bridge import settings
from core.decide import scratch_budget
from core.explain.slates import slate_words
from core.model.policy import Policy
from core.model.preset import Preset
from core.model.refusal import Refused
from core.perform import build, machine, process
from core.perform.hiring import Hand
from core.record import presets, private
from core.record.journal import Journal
from core.record.journal_view import open_for_reading
from core.record.workspace import Workspace
from core.request import House

JOURNAL = "journal.db"
"""The journal's name in the data folder."""


def program_version() -> str:
    """Hotsplice's version, or `source` when it runs without having been installed."""
    try:
        return version("hotsplice")
    except PackageNotFoundError:
        return "source"


@dataclass(frozen=True)
class Place:
    """Where everything is, without opening it."""

    home: Path
    settings: settings.Settings

    @property
    def scratch(self) -> Path:
        """Where segments are kept."""
        chosen = self.settings.scratch
        return Path(os.path.expanduser(chosen)).absolute() if chosen else self.home / "scratch"

    def films(self) -> tuple[Path, bool]:
        """Where films go whose place nobody named, and whether that folder may be made: a chosen one may be on a drive that
        is out."""
        if self.settings.films:
            return Path(os.path.expanduser(self.settings.films)), False
        return platformdirs.user_videos_path() / "Hotsplice", True

    def workspace(self) -> Workspace:
        """Names and moves in these folders."""
        return Workspace(self.home, self.scratch)

    @property
    def has_journal(self) -> bool:
        """Whether anything was ever recorded here."""
        return (self.home / "journal.db").exists()

    def journal(self) -> Journal:
        """Open the journal, or create it. Refused with the fault that keeps it from being used."""
        private.repair_ours(self.home, self.scratch)
        journal = Journal(self.home / JOURNAL)
        settings.write_template(self.home)
        return journal

    def journal_to_read(self) -> Journal:
        """Open the journal for a command that records nothing: works in a full or read-only data folder too."""
        journal = open_for_reading(self.home / JOURNAL)
        settings.write_template(self.home)
        return journal

    def presets(self) -> dict[str, Preset]:
        """All presets by name."""
        return presets.load_all(self.home / "presets")


def place() -> Place:
    """The user's place. Refused(settings-invalid)."""
    home = settings.home()
    return Place(home, settings.load(home))


def place_anyway() -> tuple[Place, Refused | None]:
    """The same where the settings have a mistake, with what is right in them, for those that need no more; and the mistake."""
    home = settings.home()
    chosen, mistake = settings.as_far_as_right(home)
    return Place(home, chosen), mistake


def house(
    where: Place,
    *,
    jobs: int | None,
    policy: Policy | None = None,
    wait_s: float | None = None,
    search: Sequence[str] = (),
    share: Callable[[], int] | None = None,
    ahead: list[Hand] | None = None,
) -> House:
    """Everything a job needs; `search` are folders for missing media beside those of the settings. With `low_priority` in the
    settings this process steps back behind others. Refused(ffmpeg-missing) and what the journal refuses."""
    if where.settings.low_priority:
        process.step_back()
    found = build.find(where.settings.ffmpeg, where.home)
    return House(
        journal=where.journal(),
        workspace=where.workspace(),
        build=found,
        policy=policy or _policy(where.settings, wait_s),
        workers=jobs or where.settings.jobs or machine.cores(),
        version=program_version(),
        slate_words=slate_words(where.settings.language),
        hwaccel=where.settings.decode_with or "",
        media_folders=tuple(os.path.abspath(os.path.expanduser(folder)) for folder in (*search, *where.settings.media_folders)),
        share=share,
        ahead=[] if ahead is None else ahead,
        scratch_budget=scratch_budget.budget(where.settings.scratch_budget),
    )


def _policy(chosen: settings.Settings, wait_s: float | None) -> Policy:
    """Who says how long to wait now, waits for answers as well; the setting is for drives alone."""
    usual = Policy(kept_films=chosen.kept_films)
    if wait_s is not None:
        return msgspec.structs.replace(usual, gate_patience_s=wait_s, answer_patience_s=wait_s)
    return usual if chosen.wait is None else msgspec.structs.replace(usual, gate_patience_s=chosen.wait)
