"""Detect sources that changed since they were last used, by their recorded packet hashes.

See `core.media.packet_hashes`.
"""

from __future__ import annotations

import msgspec

from core.errors.failure import Evidence
from core.graph.nodes import content_of
from core.job import verification
from core.storage.history import History
from core.tasks.spec import ExamineCopy, Made, MixSound, Order, RenderSegment


def stamped(order: Order, made: Made) -> Made:
    """Return the result with the identity of its file added to each set of packet hashes."""
    if isinstance(order, MixSound):
        contents = {sound.path: content_of(sound) for sound in order.sounds}
    elif isinstance(order, RenderSegment | ExamineCopy):
        contents = dict.fromkeys(
            (marks.path for marks in made.marks), order.identity or order.fingerprint
        )
    else:
        return made
    marks = tuple(msgspec.structs.replace(one, identity=contents[one.path]) for one in made.marks)
    return msgspec.structs.replace(made, marks=marks)


def of(order: Order, made: Made, memory: History) -> Evidence | None:
    """Return evidence if a source of the result has decayed, else None.

    If none has decayed, the packet hashes of the sources are recorded.
    """
    if not isinstance(order, RenderSegment | ExamineCopy | MixSound):
        return None
    wrong = verification.unlike_record(
        order, made, lambda marks: memory.unlike(marks.identity, marks)
    ) or _taken(order, memory)
    if wrong is None:
        memory.keep_marks((marks.identity, marks) for marks in made.marks)
    return wrong


def _taken(order: RenderSegment | ExamineCopy | MixSound, memory: History) -> Evidence | None:
    """Return evidence if another job has meanwhile assigned the content used here to another file.

    A content key never refers to two files.
    """
    used = order.sounds if isinstance(order, MixSound) else (order,)
    for one in used:
        path, identity = (
            (one.source, one.identity)
            if isinstance(one, RenderSegment)
            else (one.path, one.identity)
        )
        if identity and not memory.holds(path, identity):
            why = "another file has its content on record now"
            return Evidence(
                operation="seal", place="source", path=path, note="source-changed", detail=why
            )
    return None
