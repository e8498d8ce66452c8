"""Which files an order is about, and which of them is suspected when its worker fell silent or died. Pure."""

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
    """The place and the path at fault: the file that is waited for; the program itself, when it waits for none; and where
    the system tells nothing, what such an order mostly fails over."""
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
    """Path to place, the likeliest to fail first. What begins with the path of a part belongs to it."""
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
