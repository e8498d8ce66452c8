"""The user's settings: one YAML file in the data folder. Everything has a default; a mistake is named with its place."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path

import msgspec
import platformdirs
import yaml

from core.explain.filling import LANGUAGES, Language
from core.model.refusal import Refused

MOST_JOBS = 256
DEVICES = ("cuda", "vaapi", "qsv", "videotoolbox", "d3d11va")

TEMPLATE = """\
# Hotsplice's settings. Remove the # in front of a line to change it.

# ffmpeg: /usr/bin/ffmpeg      # your own ffmpeg instead of the bundled one
# scratch: /Volumes/Fast/hotsplice   # where segments are kept; a fast disk with room for the film
# jobs: 2                      # shots rendered at once; default: one for each processor
# decode_with: cuda            # decode sources with a graphics device (cuda, vaapi, qsv, videotoolbox, d3d11va);
#                              # where it fails, software takes over and the shot says so
# wait: 60                     # seconds a drive that went away is waited for when everything else is done
# language: de                 # en or de; default: the language of your system (LC_ALL, LC_MESSAGES, LANG), else English
# films: ~/Movies/Hotsplice    # where films go whose place nobody names; default: Hotsplice beside your videos
# films_preset: prores-hq      # how they are coded; default: prores-hq
# door: /Volumes/Jobs/inbox    # timelines that are dropped there are assembled (docs/folder-door.md); false: nowhere;
#                              # default: door/inbox in the data folder
# listen: 192.168.1.5:5310     # let paired machines reach your companion at this address of yours (hotsplice pair);
#                              # default: it is reached from this machine alone
# media_folders: [/Volumes/Archive, ~/Rushes]   # where media that is missing is looked for, with all folders in them
"""


def language_of_system() -> Language:
    """What the environment asks for, as POSIX orders it: the first of LC_ALL, LC_MESSAGES and LANG that is set; English where
    it is another language or none."""
    chosen = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), "")
    spoken = chosen[:2].lower()
    return spoken if spoken in LANGUAGES and not chosen[2:3].isalpha() else "en"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`ffmpeg` path or command; `scratch` folder for segments; `jobs` workers at once; `decode_with` ffmpeg's name of
    a device; `wait` seconds for a volume that went away; `language` of all words for people; `media_folders` are searched for
    media that is missing; `films` is the folder, and `films_preset` the recipe, of films whose place nobody names; `door` is a
    folder whose timelines are submissions, or whether there is one; `listen` is ADDRESS:PORT for other machines."""

    ffmpeg: str | None = None
    scratch: str | None = None
    jobs: int | None = None
    decode_with: str | None = None
    wait: float | None = None
    language: Language = msgspec.field(default_factory=language_of_system)
    media_folders: tuple[str, ...] = ()
    jobs_at_once: int = 1
    low_priority: bool = False
    films: str | None = None
    films_preset: str | None = None
    door: str | bool = True
    listen: str | None = None


def home() -> Path:
    """The data folder: HOTSPLICE_HOME, else the platform's own."""
    chosen = os.environ.get("HOTSPLICE_HOME")
    return Path(chosen).expanduser().absolute() if chosen else Path(platformdirs.user_data_path("Hotsplice", appauthor=False))


def load(folder: Path) -> Settings:
    """Read `settings.yaml` of the data folder. Refused(settings-invalid) with what is wrong and where."""
    path = folder / "settings.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        detail = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise Refused("settings-invalid", path=str(path), detail=detail) from error
    try:
        raw = yaml.safe_load(text)
        settings = msgspec.convert(raw or {}, Settings, strict=True)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: an impossible date, among others
        raise Refused("settings-invalid", path=str(path), detail=" ".join(str(error).split())) from error
    except RecursionError as error:
        raise Refused("settings-invalid", path=str(path), detail="it is nested too deeply") from error
    if settings.jobs is not None and not 1 <= settings.jobs <= MOST_JOBS:
        raise Refused("settings-invalid", path=str(path), detail=f"jobs must be a number from 1 to {MOST_JOBS}")
    if settings.scratch is not None and not Path(settings.scratch).expanduser().is_absolute():
        raise Refused("settings-invalid", path=str(path), detail="scratch must be a whole path, from the root on")
    for name, chosen in (("films", settings.films), ("door", settings.door)):
        if isinstance(chosen, str) and not Path(chosen).expanduser().is_absolute():
            raise Refused("settings-invalid", path=str(path), detail=f"{name} must be a whole path, from the root on")
    if settings.decode_with is not None and settings.decode_with not in DEVICES:
        raise Refused("settings-invalid", path=str(path), detail=f"decode_with must be one of {', '.join(DEVICES)}")
    if settings.wait is not None and not 0 <= settings.wait <= 86400:
        raise Refused("settings-invalid", path=str(path), detail="wait must be a number of seconds from 0 to 86400")
    if settings.listen is not None and not _listenable(settings.listen):
        detail = "listen must be a numeric address of this machine and a port from 1024 to 65535, as in 192.168.1.5:5310"
        raise Refused("settings-invalid", path=str(path), detail=detail)
    for place in settings.media_folders:
        if not Path(place).expanduser().is_absolute():
            raise Refused("settings-invalid", path=str(path), detail=f"media_folders must be whole paths, unlike {place!r}")
    return settings


def _listenable(text: str) -> bool:
    address, _, port = text.rpartition(":")
    try:
        ipaddress.IPv4Address(address)
    except ValueError:
        return False
    return port.isascii() and port.isdecimal() and 1024 <= int(port) <= 65535


def language() -> Language:
    """The language to speak where nothing is read yet, or where the settings themselves are the trouble."""
    try:
        return load(home()).language
    except Refused:
        return language_of_system()


def write_template(folder: Path) -> None:
    """Put a commented settings file in place where there is none."""
    path = folder / "settings.yaml"
    if not path.exists():
        try:
            path.write_text(TEMPLATE, encoding="utf-8")
        except OSError:
            return  # a convenience; its absence is no reason to refuse work
