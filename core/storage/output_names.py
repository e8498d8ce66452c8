"""What may be the name of a film's file. Pure: strings and limits in, the name of a reason out.

Every way to ask for a film (command line, companion, watch folder, window, Resolve) goes through `core.engine.output_path`, which
asks here.
"""

from __future__ import annotations

import unicodedata
from typing import Literal

HIDDEN_FOLDER = ".hotsplice"
"""The folder beside a film in which it is joined and its predecessors are kept (`core.storage.workspace.BESIDE`)."""

OUR_ENDINGS = (".previous", ".other", ".swap", ".new", ".part", ".try", ".tried")
"""Last suffixes of files that Hotsplice writes beside a film and removes or replaces without asking."""

OUR_STEMS = (".incomplete",)
"""Ends of the stem, before the suffix, of files that Hotsplice publishes beside a film by itself: NAME.incomplete.mov."""

WINDOWS_FILE_SYSTEMS = frozenset(
    {"vfat", "msdos", "exfat", "ntfs", "ntfs3", "fuseblk", "cifs", "smb3", "smbfs"}
)
"""Kinds of volumes, as the kernel lists them, whose names must be names for Windows too."""

_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")
"""Characters that turn the direction of reading or break the line. Scripts that run from right to left need none of them."""
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
    """Whether a component of a path names our hidden folder on any common file system: those that ignore case, invisible
    characters, or dots and spaces at the end included."""
    seen = "".join(
        character
        for character in unicodedata.normalize("NFKC", component)
        if character not in _INVISIBLE
    )
    return seen.rstrip(". ").casefold() == HIDDEN_FOLDER


def fault_of(name: str, *, for_windows: bool = False) -> NameFault | None:
    """Why no film may have this file name; None where it may. `for_windows`: the volume keeps names by the rules of Windows."""
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
    """Which limit a film's place exceeds together with the files beside it. Lengths in bytes; `endings` is the longest that
    is added to a film's name, `longest_path` includes the terminating NUL as PATH_MAX does."""
    if name_bytes + endings > longest_name:
        return "name"
    beside = len(path.encode("utf-8", "surrogateescape")) + len(HIDDEN_FOLDER) + 1 + endings
    return "path" if beside + 1 > longest_path else None
