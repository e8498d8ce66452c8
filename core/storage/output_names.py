"""Rules for the file name of a film. Pure: strings and limits in, the code of a fault out.

Every way to request a film (command line, companion, watch folder, window, Resolve) goes through
`core.engine.output_path`, which calls this module.
"""

from __future__ import annotations

import unicodedata
from typing import Literal

HIDDEN_FOLDER = ".hotsplice"
"""Folder beside a film: the film is joined there, and replaced films are kept there.

The same as `core.storage.workspace.BESIDE`.
"""

OUR_ENDINGS = (".previous", ".other", ".swap", ".new", ".part", ".try", ".tried")
"""Last suffixes of files that Hotsplice writes beside a film, and removes or replaces unasked."""

OUR_STEMS = (".incomplete",)
"""Ends of the stem of files that Hotsplice itself publishes beside a film: NAME.incomplete.mov."""

WINDOWS_FILE_SYSTEMS = frozenset(
    {"vfat", "msdos", "exfat", "ntfs", "ntfs3", "fuseblk", "cifs", "smb3", "smbfs"}
)
"""File system types, as named by the kernel, on which file names must also be valid for Windows."""

_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")
"""Characters that change the reading direction or break the line.

Right-to-left scripts do not need any of them.
"""
_INVISIBLE = frozenset("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad")
"""Characters that some file systems ignore when they compare names."""
_WINDOWS_FORBIDDEN = frozenset('<>:"/\\|?*')
_WINDOWS_DEVICES = frozenset(
    {"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in "123456789¹²³"}
)

NameFault = Literal[
    "name-control",
    "name-direction",
    "name-not-text",
    "name-empty",
    "name-only-ending",
    "name-reserved",
    "name-windows",
]


def is_hidden_folder(component: str) -> bool:
    """Return whether a path component names our hidden folder on any common file system.

    This covers file systems that ignore case, invisible characters, or trailing dots and spaces.
    """
    seen = "".join(
        character
        for character in unicodedata.normalize("NFKC", component)
        if character not in _INVISIBLE
    )
    return seen.rstrip(". ").casefold() == HIDDEN_FOLDER


def fault_of(name: str, *, for_windows: bool = False) -> NameFault | None:
    """Return why a film cannot have this file name, or None if it can.

    `for_windows` means that the volume stores names by the rules of Windows.
    """
    if not name or name in (".", ".."):
        return "name-empty"
    if any(unicodedata.category(character) == "Cc" for character in name):
        return "name-control"
    if any("\ud800" <= character <= "\udfff" for character in name):
        return "name-not-text"
    if any(character in _DIRECTION for character in name):
        return "name-direction"
    stem, dot, ending = name.rpartition(".")
    if dot and not stem.strip(". "):
        return "name-only-ending"
    lowered = name.casefold()
    if lowered.endswith(OUR_ENDINGS) or (dot and ending and stem.casefold().endswith(OUR_STEMS)):
        return "name-reserved"
    if for_windows:
        device = name.split(".")[0].rstrip(" ").casefold() in _WINDOWS_DEVICES
        if device or name[-1] in ". " or any(character in _WINDOWS_FORBIDDEN for character in name):
            return "name-windows"
    return None


def too_long(
    path: str, name_bytes: int, *, longest_name: int, longest_path: int, endings: int
) -> Literal["name", "path"] | None:
    """Return which limit the path of a film, or of the files beside it, exceeds.

    Lengths are in bytes. `endings` is the longest suffix added to a film's name; `longest_path`
    includes the terminating NUL, as PATH_MAX does. Returns None if both limits hold.
    """
    if name_bytes + endings > longest_name:
        return "name"
    beside = len(path.encode("utf-8", "surrogateescape")) + len(HIDDEN_FOLDER) + 1 + endings
    return "path" if beside + 1 > longest_path else None
