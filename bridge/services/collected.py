"""Reports of garbage collection in the scratch folder, for the log and for people."""

from __future__ import annotations

import logging
from typing import Any

from bridge.services import logs
from core.job.scratch_budget import Collected
from core.messages import catalogue
from core.messages.template import Language, human_bytes
from core.storage.journal_faults import RECORD_LOST

CODE = "scratch-over-budget"

_log = logging.getLogger("hotsplice")


def log(collected: Collected) -> None:
    """Log one line for each film whose segments were removed.

    Adds a line if the budget is not met, and one if a fault ended the collection.
    """
    size, limit = human_bytes(collected.used, "en"), human_bytes(collected.limit, "en")
    for one in collected.removals:
        words = (
            f"Removed {one.segments} segments ({human_bytes(one.bytes, 'en')}) from scratch, because segments took {size} and "
            f"the budget is {limit}. They are in the film {one.film}, which was verified against its recorded hash."
        )
        fields = {"path": one.film, "segments": one.segments, "bytes": one.bytes}
        fields |= {"used": collected.used, "limit": collected.limit}
        _log.info("scratch collected", extra={"said": {"message": words, **fields}})
    if collected.told:
        words = (
            f"Segments take {human_bytes(collected.left, 'en')} in scratch and the budget is {limit}. Nothing else was removed: "
            "the rest is wanted by a job, is in no complete film that was verified, or is shared with another data folder."
        )
        _log.warning(
            "scratch over budget",
            extra={"said": {"message": words, "left": collected.left, "limit": collected.limit}},
        )
    if collected.trouble is not None:
        words = (
            f"Nothing was removed from scratch for its budget; the job goes on. {collected.trouble}"
        )
        _log.error("scratch not collected", extra={"said": {"message": words}})
        if not isinstance(collected.trouble, RECORD_LOST):
            logs.unforeseen(collected.trouble)


def remark(collected: Collected, language: Language) -> dict[str, Any]:
    """Return the row of a summary that says that the budget is not met."""
    left, limit = human_bytes(collected.left, language), human_bytes(collected.limit, language)
    said = catalogue.words(CODE, language, name=left, detail=limit)
    row = {"title": said.title, "message": said.message, "action": said.action}
    return {"code": said.code, "severity": "note", "count": 1, "decided": False, **row, "all": []}
