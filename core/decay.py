"""Sources that are not what they were when they were last used, by the marks on record (`core.perform.marking`)."""

from __future__ import annotations

from core.decide import integrity
from core.model.failure import Evidence
from core.model.orders import ExamineCopy, Made, MixSound, Order, RenderSegment
from core.model.segment import content_of
from core.record.memory import Memory


def of(order: Order, made: Made, memory: Memory) -> Evidence | None:
    """Evidence when a source of what was made has decayed; else what it was like now is remembered."""
    if not isinstance(order, RenderSegment | ExamineCopy | MixSound):
        return None
    if isinstance(order, MixSound):
        contents = {sound.path: content_of(sound) for sound in order.sounds}
    else:
        contents = dict.fromkeys((marks.path for marks in made.marks), order.identity or order.fingerprint)
    wrong = integrity.unlike_record(order, made, lambda marks: memory.unlike(contents[marks.path], marks))
    if wrong is None:
        memory.keep_marks([(contents[marks.path], marks) for marks in made.marks])
    return wrong
