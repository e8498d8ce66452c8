"""The options: each key of `settings.yaml`, its valid values, and when a change takes effect.

The template and docs/settings.md are generated from this module:

    python -m bridge.settings.options > docs/settings.md
"""

from __future__ import annotations

import ipaddress
import os
import sys
import textwrap
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from core.job import scratch_budget
from core.messages.phrases import phrase

MOST_JOBS = 256
MOST_AT_ONCE = 16
MOST_WAIT_S = 86400
MOST_KEPT = 100
DEVICES = ("cuda", "vaapi", "qsv", "videotoolbox", "d3d11va")


class Option(NamedTuple):
    """One key of the settings.

    `example` is YAML, and `short` its comment in the template, line by line. `about` is for the
    manual. `default` describes what applies without the key. `counts` says when a running daemon
    applies a change. `fits` checks a value of the right type; valid values are described in
    `core/messages/phrases.yaml` as `right-…`.
    """

    example: str
    short: tuple[str, ...]
    about: str
    default: str
    counts: Literal["at once", "with the next job", "at the next start"]
    fits: Callable[[Any], bool] = lambda value: True


def _whole(path: str) -> bool:
    return os.path.isabs(os.path.expanduser(path)) and "\0" not in path


def _listenable(text: str) -> bool:
    address, _, port = text.rpartition(":")
    try:
        ipaddress.IPv4Address(address)
    except ValueError:
        return False
    return port.isascii() and port.isdecimal() and 1024 <= int(port) <= 65535


def _budget(value: str | bool) -> bool:
    try:
        scratch_budget.budget(value)
    except ValueError:
        return False
    return True


OPTIONS: Mapping[str, Option] = {
    "ffmpeg": Option(
        "/usr/bin/ffmpeg",
        ("your own ffmpeg instead of the bundled one",),
        "Your own ffmpeg instead of the bundled one, as a whole path, as a path from the data folder (`bin/ffmpeg`), or as the "
        "name of a command on `PATH`; relative entries of `PATH` and the current folder are never searched. Without this "
        "setting the bundled one is used, and where that does not run, one on `PATH`. `hotsplice doctor` says which one is used "
        "and whether it can do what is needed. Segments made with another ffmpeg are made again.",
        "the bundled one", "with the next job", lambda value: value.strip() != "" and "\0" not in value,
    ),
    "scratch": Option(
        "/Volumes/Fast/hotsplice",
        ("where segments are kept; a fast disk with room for the film",),
        "Where segments are kept: a fast disk with room for the film. What stands in the folder before is not moved: an "
        "interrupted job makes it again.",
        "`scratch` in the data folder", "with the next job", _whole,
    ),
    "scratch_budget": Option(
        "200 GB",
        ("room that segments may take: a size, a share of the disk (20%), or off; default: 50%",),
        "Room that segments may take: a size (`500 MB`, `200 GB`, `1.5 TiB`), a share of the scratch folder's disk (`20%`), or "
        "`off`. When they take more, segments that were unused for longest are removed, before a job and after one, until they "
        "are within the budget again. Only what stands verified elsewhere goes: a segment whose packets are in a complete film "
        "that stands at its place and whose bytes were read again and are those on record. Never removed are segments of a job "
        "that can go on, of incomplete films, of cuts that were replaced, and those that another data folder keeps here; where "
        "the budget cannot be met without them, that is said once and nothing else happens. `hotsplice clean --dry-run` shows "
        "what would go; `hotsplice clean` removes all of it, and more. Films are read again for 5 seconds at most before a job "
        "and for 60 seconds after one.",
        "`50%`", "with the next job", _budget,
    ),
    "jobs": Option(
        "2",
        ("shots rendered at once; default: one for each processor",),
        "Shots rendered at once, in all jobs of the companion together. `-j` on a command line goes before it.",
        "one for each processor", "at once", lambda value: 1 <= value <= MOST_JOBS,
    ),
    "jobs_at_once": Option(
        "2",
        ("films that the companion makes side by side; they share the shots rendered at once",),
        "Films that the companion makes side by side. They share the shots rendered at once: each has one, the rest go evenly to "
        "the jobs of the highest priority. Never more films than shots at once, and never two jobs for the same film. When it is "
        "lowered, the last jobs in order are interrupted, and go on later from their checkpoints.",
        "1", "at once", lambda value: 1 <= value <= MOST_AT_ONCE,
    ),
    "low_priority": Option(
        "true",
        ("let the editor and all other programs go first",),
        "Let the editor and all other programs go first: jobs run at nice 10 and, on Linux, in the idle class of the disk; on "
        "Windows below normal (which was not tried). A film takes longer then while the machine is in use.",
        "false", "with the next job",
    ),
    "decode_with": Option(
        "cuda",
        (f"decode sources with a graphics device ({', '.join(DEVICES)});",
         "where it fails, software takes over and the shot says so"),
        "Decode sources with a graphics device. Where it fails, software takes over and the shot says so.",
        "software", "with the next job", lambda value: value in DEVICES,
    ),
    "wait": Option(
        "60",
        ("seconds a drive that went away is waited for when everything else is done",),
        "Seconds that a drive which went away is waited for when everything else is done. `--wait` on a command line goes before "
        "it.",
        "60", "with the next job", lambda value: 0 <= value <= MOST_WAIT_S,
    ),
    "kept_films": Option(
        "2",
        ("replaced films kept beside each film; each takes as much room as it did",),
        "How many replaced films are kept beside each film, in the folder `.hotsplice` there, for `hotsplice rollback`. "
        "Each takes as much room on the film's drive as it did in its place: with 2, a film of 50 GB made three times "
        "takes 150 GB. What is more than that is removed when a film is published; the last complete film is always kept until a "
        "newer complete one is verified, and a file that Hotsplice did not make is never removed.",
        "2", "with the next job", lambda value: 1 <= value <= MOST_KEPT,
    ),
    "language": Option(
        "de",
        ("en or de; default: the language of your system (LC_ALL, LC_MESSAGES, LANG), else English",),
        "The language of all words for people.",
        "the language of your system (`LC_ALL`, `LC_MESSAGES`, `LANG`), else English", "at once",
    ),
    "media_folders": Option(
        "[/Volumes/Archive, ~/Rushes]",
        ("where media that is missing is looked for, with all folders in them",),
        "Where media that is missing is looked for, with all folders in them; beside those of `--search`.",
        "none", "with the next job", lambda value: all(map(_whole, value)),
    ),
    "films": Option(
        "~/Movies/Hotsplice",
        ("where films go whose place nobody names; default: Hotsplice beside your videos",),
        "Where films go whose place nobody names: those of timelines that were dropped into the door.",
        "a folder `Hotsplice` beside your videos", "at once", _whole,
    ),
    "films_preset": Option(
        "prores-hq",
        ("how they are coded; default: prores-hq",),
        "How films are coded whose place nobody names (`hotsplice presets` lists the names).",
        "prores-hq", "at once", lambda value: value.strip() != "",
    ),
    "door": Option(
        "/Volumes/Jobs/inbox",
        ("timelines that are dropped there are assembled (docs/folder-door.md); false: nowhere;",
         "default: door/inbox in the data folder"),
        "The folder door ([folder-door.md](folder-door.md)): timelines that are dropped there are assembled. `false`: nowhere.",
        "`door/inbox` in the data folder", "at once", lambda value: isinstance(value, bool) or _whole(value),
    ),
    "listen": Option(
        "192.168.1.5:5310",
        ("let paired machines reach your companion at this address of yours (hotsplice pair);",
         "default: it is reached from this machine alone"),
        "An address of this machine at which paired machines reach the companion (`hotsplice pair`).",
        "it is reached from this machine alone", "at the next start", _listenable,
    ),
}  # fmt: skip


def template() -> str:
    """Return the initial settings file: every key is there, and every one is commented out."""
    lines = [
        "# Hotsplice's settings. Remove the # in front of a line to change it; docs/settings.md has more.",
        "",
    ]
    for name, option in OPTIONS.items():
        first, *more = option.short
        lines.append(f"# {f'{name}: {option.example}':<27}  # {first}")
        lines += [f"#{'':28}# {line}" for line in more]
    return "\n".join(lines) + "\n"


_HEAD = """\
# Settings

One YAML file, `settings.yaml` in the data folder: `~/.local/share/Hotsplice` on Linux, `~/Library/Application
Support/Hotsplice` on macOS, `%LOCALAPPDATA%\\Hotsplice` on Windows, or `$HOTSPLICE_HOME` where that is set. A commented one is
put in place when there is none. Everything has a default. A file with mistakes is refused; each is named with its line, its
column and what would be right.

A running companion sees a change within two seconds and says what it took over. A file with a mistake is not taken over: the
settings before it hold, and that is said. Each job reads the file when it is begun; one under work goes on with what it was
begun with. Only what counts "at the next start" needs `hotsplice stop` and another start.

This page is made of the program (`python -m bridge.settings.options > docs/settings.md`).
"""


def page() -> str:
    """Return the text of docs/settings.md."""
    parts = [_HEAD]
    for name, option in OPTIONS.items():
        about = textwrap.fill(option.about, 120, break_on_hyphens=False)
        parts.append(f"## {name}\n\n```yaml\n{name}: {option.example}\n```\n\n{about}\n")
        right = phrase(f"right-{name}")
        parts.append(
            f"- Right is: {right}\n- Default: {option.default}\n- A change counts: {option.counts}\n"
        )
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.write(page())
