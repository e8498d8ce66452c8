"""Classify evidence as a failure: one ordered table, most specific first, with a final `unknown`.

A row matches when all its conditions hold. The place takes precedence over the cause: a full
scratch disk and a full output disk are two faults with two remedies. The rows are in
`core.job.classification_table`; they were derived by running ffmpeg 5.1 and 9.0 against each fault.
"""

from __future__ import annotations

import errno

from core.errors.failure import ErrorType, Evidence, Failure
from core.job.classification_table import TABLE, Row

__all__ = ["TABLE", "diagnose", "matches"]


def diagnose(seen: Evidence) -> Failure:
    """Return the failure that the evidence describes.

    Never fails: evidence that matches no row is classified as `unknown` and kept with the failure.
    """
    said = "\n".join(seen.stderr)
    for row in TABLE:
        if matches(row, seen, said):
            return Failure(type=row.type, code=row.code, evidence=seen)
    return Failure(type=ErrorType.TRANSIENT_RESOURCE, code="unknown", evidence=seen)


def matches(row: Row, seen: Evidence, said: str) -> bool:
    """Return whether a row matches the evidence. `said` is ffmpeg's stderr joined into one text."""
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
    """Return the errno of the evidence, read from the exit code where none was recorded.

    ffmpeg 9 exits with 256 - errno (ffmpeg 5 with 1). Two exit codes are ambiguous: 255 is as often
    a signal as EPERM, and 234 (EINVAL) stands for any complaint.
    """
    if seen.errno is None and seen.exit_code is not None and 128 <= seen.exit_code < 255:
        number = 256 - seen.exit_code
        return None if number == errno.EINVAL else number
    return seen.errno
