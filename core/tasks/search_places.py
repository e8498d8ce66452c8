"""Folders where missing media may be, in search order."""

from __future__ import annotations

import os

from core.tasks.spec import FindSources


def of(order: FindSources) -> list[tuple[str, bool]]:
    """Return (folder, whether a person named it), in the order given in FindSources.

    On its own initiative, Hotsplice never walks a whole system: neither its root nor a folder in
    the root, unless that was a media folder already.
    """
    near = list(dict.fromkeys(os.path.dirname(path) for path in order.near))
    above = [os.path.dirname(folder) for folder in near]
    places = [_nearest(path) for path in order.beside] + near
    guessed = [place for place in above if _deep(place)] + [_volume(place) for place in near]
    row = [(place, False) for place in places] + [(place, True) for place in order.folders]
    row += [(place, False) for place in guessed]
    return [
        (place, named)
        for place, named in dict.fromkeys(row)
        if named or place not in ("", os.path.dirname(place))
    ]


def _nearest(path: str) -> str:
    """Return the folder of a file, or the nearest existing folder above it."""
    folder = os.path.dirname(path)
    if os.path.isdir(folder):
        return folder
    while folder != os.path.dirname(folder) and not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder if _deep(folder) else ""


def _deep(folder: str) -> bool:
    return os.path.dirname(folder) != os.path.dirname(os.path.dirname(folder))


def _volume(folder: str) -> str:
    """Return the root of the volume that a folder is on."""
    while folder and not os.path.ismount(folder):
        folder = os.path.dirname(folder)
    return folder
