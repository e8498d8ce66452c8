"""Where the film of a timeline goes, when the editor was not asked: FOLDER/PROJECT/TIMELINE.mov. Pure.

The folder is the user's (`films` in the settings, HOTSPLICE_FILMS before that), else Hotsplice in the folder of his videos.
"""

from __future__ import annotations

import hashlib
import re

_UNFIT = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
LONGEST = 120
"""Bytes; file systems take 255, and the film's name gets endings while it is made."""


def file_name(name: str, otherwise: str) -> str:
    """A name that every file system takes, the same for the same name. Where something had to be changed, a few letters tell
    it from others that would become the same."""
    kept = _UNFIT.sub(
        "_", name.encode("utf-8", "replace")[:LONGEST].decode("utf-8", "ignore")
    ).strip(" .")
    if _RESERVED.fullmatch(kept):
        kept = f"_{kept}"
    if kept == name:
        return kept or otherwise
    mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:4]
    return f"{kept or otherwise}-{mark}" if name.strip() else otherwise
