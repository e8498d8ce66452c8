"""Where missing media may be, in the order in which it is looked for."""

from __future__ import annotations

import os

from core.tasks.spec import FindSources


def of(order: FindSources) -> list[tuple[str, bool]]:
    """(folder, whether a person named it), in order: see FindSources. Of our own accord we do not walk a whole system:
    neither its root nor a folder in its root that was not a media folder already."""
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
    """The folder of a file, or what is left of the way to it."""
    folder = os.path.dirname(path)
    if os.path.isdir(folder):
        return folder
    while folder != os.path.dirname(folder) and not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder if _deep(folder) else ""


def _deep(folder: str) -> bool:
    return os.path.dirname(folder) != os.path.dirname(os.path.dirname(folder))


def _volume(folder: str) -> str:
    """The root of the volume that a folder is on."""
    while folder and not os.path.ismount(folder):
        folder = os.path.dirname(folder)
    return folder
