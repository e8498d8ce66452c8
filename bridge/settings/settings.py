"""The user's settings: one YAML file in the data folder.

Everything has a default; a mistake is reported with its position.

    options          the keys; generates the template and docs/settings.md
    text             parses the text into values and mistakes; changes the text
    settings (here)  the file, and the daemon's view of the file as it changes
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import platformdirs

from bridge.settings import options
from bridge.settings import text as settings_text
from core.errors.refusal import Refused
from core.messages.phrases import phrase
from core.messages.template import LANGUAGES, Language
from core.plan.policy import Policy
from core.storage import artifacts
from core.system import private_files

FILE = "settings.yaml"
LARGEST = 1 << 20
"""Bytes; a longer file is not a settings file."""


def language_of_system() -> Language:
    """Return the language that the environment asks for, in POSIX order.

    The first of LC_ALL, LC_MESSAGES and LANG that is set counts. Returns English for any other
    language and if none is set.
    """
    chosen = next(
        (value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), ""
    )
    spoken = chosen[:2].lower()
    return spoken if spoken in LANGUAGES and not chosen[2:3].isalpha() else "en"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The user's choices; `bridge.settings.options` describes each one.

    None means the default of the module that uses the setting.
    """

    ffmpeg: str | None = None
    scratch: str | None = None
    scratch_budget: str | bool | None = None
    jobs: int | None = None
    jobs_at_once: int = 1
    low_priority: bool = False
    decode_with: str | None = None
    wait: float | None = None
    kept_films: int = Policy().kept_films
    language: Language = msgspec.field(default_factory=language_of_system)
    media_folders: tuple[str, ...] = ()
    films: str | None = None
    films_preset: str | None = None
    door: str | bool = True
    listen: str | None = None


_TYPES = {field.name: field.type for field in msgspec.structs.fields(Settings)}


def home() -> Path:
    """Return the data folder: HOTSPLICE_HOME, otherwise the platform's own."""
    chosen = os.environ.get("HOTSPLICE_HOME")
    if chosen:
        return Path(os.path.abspath(os.path.expanduser(chosen)))
    return usual_home()


def usual_home() -> Path:
    """Return the platform's own data folder."""
    return Path(platformdirs.user_data_path("Hotsplice", appauthor=False))


def records() -> Path:
    """Return the file that records which volumes the data folders are on.

    It is in the user's own state folder.
    """
    return Path(platformdirs.user_state_path("Hotsplice", appauthor=False)) / "data-folders"


def load(folder: Path) -> Settings:
    """Read `settings.yaml` of the data folder.

    Raises Refused(settings-invalid) with up to five mistakes and their positions.
    """
    text = _text(folder / FILE)
    return Settings() if text is None else _settings(text, folder / FILE)


def as_far_as_right(folder: Path) -> tuple[Settings, Refused | None]:
    """Read the valid part of the settings, and return it with the mistake, if any.

    Everything else has its default. For callers that need no more than that.
    """
    try:
        return load(folder), None
    except Refused as error:
        mistake = error
    try:
        values, _ = settings_text.read(_text(folder / FILE) or "", _TYPES)
    except Refused:
        values = {}
    return Settings(**values), mistake


def change(folder: Path, **values: Any) -> Settings:
    """Set keys in the file and return the resulting settings.

    None as a value comments a key out. Everything else in the file stays unchanged, byte for byte.
    Raises Refused(settings-invalid) if the file has a mistake, or would have one; nothing is
    written then. Also raises Refused(paper-unwritable).
    """
    path = Path(os.path.realpath(folder / FILE))  # the user may keep the file elsewhere
    before = _text(path)
    text = options.template() if before is None else before
    wanted = _plain(_settings(text, path))
    for name, value in values.items():
        listed = list(value) if isinstance(value, tuple) else value
        try:
            text = settings_text.changed(text, name, listed)
        except ValueError as error:
            raise Refused("settings-invalid", path=str(path), detail=str(error)) from error
        wanted[name] = _plain(Settings())[name] if value is None else value
    made = _settings(text, path)
    if _plain(made) != {
        name: tuple(value) if isinstance(value, list) else value for name, value in wanted.items()
    }:
        raise Refused(
            "settings-invalid", path=str(path), detail=phrase("settings-no-place", made.language)
        )
    if text != before:
        artifacts.rewrite(path, text.encode("utf-8"))
    return made


def _plain(settings: Settings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in _TYPES}


def _text(path: Path) -> str | None:
    try:
        with path.open("rb") as handle:
            data = handle.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise Refused(
                "settings-invalid",
                path=str(path),
                detail=phrase("settings-large", language_of_system()),
            )
        return data.decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Refused(
            "settings-invalid", path=str(path), detail=error.strerror or str(error)
        ) from error
    except UnicodeDecodeError as error:
        raise Refused(
            "settings-invalid",
            path=str(path),
            detail=phrase("settings-no-text", language_of_system()),
        ) from error


def _settings(text: str, path: Path) -> Settings:
    values, mistakes = settings_text.read(text, _TYPES)
    if mistakes:
        speak = values.get("language") or language_of_system()
        raise Refused(
            "settings-invalid",
            path=str(path),
            detail="; ".join(mistake.told(speak) for mistake in mistakes[:5]),
        )
    return Settings(**values)


def language() -> Language:
    """Return the language to use before the settings are read, or if the settings are at fault."""
    return as_far_as_right(home())[0].language


def write_template(folder: Path) -> None:
    """Write a commented settings file if there is none."""
    path = folder / FILE
    if not path.exists():
        try:
            artifacts.put(path, options.template().encode(), mode=private_files.FILE, durable=False)
        except OSError:
            return  # a convenience; its absence is no reason to refuse work


def differences(before: Settings, after: Settings) -> Mapping[str, Any]:
    """Return the settings whose value has changed, with their new values."""
    return {
        name: getattr(after, name)
        for name in _TYPES
        if getattr(before, name) != getattr(after, name)
    }


class Watched:
    """The current settings, reloaded when the file changes.

    Only the file's size and times are checked; the file is read once it has been unchanged for one
    check.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._path, self.settings = folder / FILE, settings
        self._read = self._seen = self._stamp()
        self._wrong = False

    def look(self) -> Settings | Refused | None:
        """Check the file; return new settings, a mistake, or None.

        Returns the settings that apply from now on, possibly the same after a mistake was
        corrected. A mistake is returned once, while the old settings stay in force.
        """
        now, before = self._stamp(), self._seen
        self._seen = now
        if now == self._read or now != before:  # somebody may be writing it right now
            return None
        self._read = now
        try:
            found = load(self._path.parent)
        except Refused as error:
            self._wrong = True
            return error
        if found == self.settings and not self._wrong:
            return None
        self.settings, self._wrong = found, False
        return found

    def _stamp(self) -> tuple[int, ...]:
        try:
            facts = self._path.stat()
        except OSError:
            return ()
        return facts.st_mtime_ns, facts.st_size, facts.st_ino
