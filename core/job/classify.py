"""Evidence to Failure: one ordered table, most specific first, an honest `unknown` last.

A row matches when every condition it states holds. Place decides before cause: disk full on the scratch disk and on
the output disk are two faults with two remedies. The rows stand in `diagnosis_table`; they were made from ffmpeg 5.1 and
9.0 run against each fault.
"""

from __future__ import annotations

import errno

from core.errors.failure import ErrorType, Evidence, Failure
from core.job.classification_table import TABLE, Row

__all__ = ["TABLE", "diagnose", "matches"]


def diagnose(seen: Evidence) -> Failure:
    """The failure this evidence is. Never fails: what no row knows is `unknown`, with its evidence kept."""
    said = "\n".join(seen.stderr)
    for row in TABLE:
        if matches(row, seen, said):
            return Failure(type=row.type, code=row.code, evidence=seen)
    return Failure(type=ErrorType.TRANSIENT_RESOURCE, code="unknown", evidence=seen)


def matches(row: Row, seen: Evidence, said: str) -> bool:
    """Whether this row recognises the evidence, whose lines of ffmpeg `said` holds as one text."""
    return (
        (not row.place or seen.place in row.place)
        and (not row.note or seen.note in row.note)
        and (row.network is None or seen.network == row.network)
        and (not row.operation or seen.operation in row.operation)
        and (not row.exits or seen.exit_code in row.exits)
        and (
            not (row.errnos or row.stderr)
            or _errno(seen) in row.errnos
            or any(word.search(said) for word in row.stderr)
        )
    )


def _errno(seen: Evidence) -> int | None:
    """ffmpeg 9 ends with 256 - errno (ffmpeg 5 with 1). Two of them say nothing: 255 is a signal as often as EPERM, and
    EINVAL (234) is any complaint."""
    if seen.errno is None and seen.exit_code is not None and 128 <= seen.exit_code < 255:
        number = 256 - seen.exit_code
        return None if number == errno.EINVAL else number
    return seen.errno
