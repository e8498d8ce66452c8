"""Sources that are not what they were when they were last used, by the marks on record (`core.perform.marking`)."""

from __future__ import annotations

from core.decide import integrity
from core.model.failure import Evidence
from core.model.orders import ExamineCopy, Made, MixSound, Order, RenderSegment
from core.record.memory import Memory


def of(order: Order, made: Made, memory: Memory) -> Evidence | None:
    """Evidence when a source of what was made has decayed; else what it was like now is remembered."""
    if not isinstance(order, RenderSegment | ExamineCopy | MixSound):
        return None
    wrong = integrity.unlike_record(order, made, memory.unlike)
    if wrong is None:
        memory.keep_marks(*made.marks)
    return wrong
