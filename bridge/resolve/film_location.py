"""Default path of a timeline's film: FOLDER/PROJECT/TIMELINE.mov. Pure.

FOLDER is the user's choice (HOTSPLICE_FILMS, otherwise `films` in the settings), or Hotsplice in
the user's video folder.
"""

from __future__ import annotations

import hashlib
import re

_UNFIT = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
LONGEST = 120
"""Maximum length in bytes.

File systems allow 255, and the film's name gets suffixes during rendering.
"""


def file_name(name: str, otherwise: str) -> str:
    """Return a name that every file system accepts, always the same for the same input.

    If the name had to be changed, a few characters distinguish it from other names that would give
    the same result.
    """
    kept = _UNFIT.sub(
        "_", name.encode("utf-8", "replace")[:LONGEST].decode("utf-8", "ignore")
    ).strip(" .")
    if _RESERVED.fullmatch(kept):
        kept = f"_{kept}"
    if kept == name:
        return kept or otherwise
    mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:4]
    return f"{kept or otherwise}-{mark}" if name.strip() else otherwise
