"""Decide which file of a task to blame when its worker went silent or died. Pure."""

from __future__ import annotations

from core.errors.failure import Place
from core.executors.kernel_waits import KernelWait
from core.media.content import CompareSource
from core.tasks.spec import (
    CheckFilm,
    DrawThumbnail,
    EncodeTrack,
    ExamineCopy,
    ExamineSource,
    FindSources,
    JoinFilm,
    LocateDamage,
    MixSound,
    Order,
    ProbePlace,
    ProveEncoder,
    RenderSegment,
    ValidateSeal,
)


def suspect(order: Order, heard: KernelWait) -> tuple[Place, str]:
    """Return the place and the path at fault.

    The fault lies with the file that the worker waits for, or with the program itself if the
    worker waits for neither a file nor a device. If the system does not tell, blame the file that
    such tasks most often fail on.
    """
    known = _files(order)
    for waited in heard.paths:
        for path, place in known.items():
            if waited == path or (place != "source" and waited.startswith(path)):
                return place, path
    path, place = next(iter(known.items()), ("", "program"))
    if heard.known and not heard.paths and not heard.blocked:
        return "program", path
    return place, path


def _files(order: Order) -> dict[str, Place]:
    """Map the paths of a task to their places, the likeliest to fail first.

    A file whose path begins with the path of a part file belongs to that part.
    """
    match order:
        case ExamineSource() | CompareSource() | ExamineCopy() | LocateDamage():
            return {order.path: "source"}
        case ProbePlace():
            return {order.path: "scratch" if order.write else "source"}
        case RenderSegment():
            return {**({order.source: "source"} if order.source else {}), order.part: "scratch"}
        case MixSound():
            return {**{sound.path: "source" for sound in order.sounds}, order.part: "scratch"}
        case EncodeTrack():
            return {order.part: "scratch", **{sound.file: "scratch" for sound in order.inputs}}
        case ProveEncoder():
            return {order.part: "scratch"}
        case ValidateSeal():
            return {order.path: "scratch"}
        case JoinFilm():
            pictures: dict[str, Place] = {one.file: "scratch" for one in order.video if one.file}
            copied: dict[str, Place] = {one.source: "source" for one in order.video if one.source}
            return {
                order.part: "output",
                **pictures,
                **copied,
                **{one.file: "scratch" for one in order.sound},
            }
        case CheckFilm():
            return {order.path: "output"}
        case DrawThumbnail():
            return {order.path: "scratch"}
        case FindSources():
            return dict.fromkeys(order.folders, "source")
