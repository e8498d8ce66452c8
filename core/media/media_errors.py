"""Exceptions for faults that a worker finds, carrying what it saw.

`core.tasks.evidence.evidence_of` turns them into Evidence.
"""

from __future__ import annotations


class NotMedia(Exception):
    """The file is not usable media. `note` is the kebab-case name of the problem."""

    def __init__(self, note: str, detail: str = "") -> None:
        super().__init__(note)
        self.note, self.detail = note, detail


class TooShort(Exception):
    """A stream ended before the excerpt did: it held `seen` of `wanted` samples."""

    def __init__(self, wanted: int, seen: int) -> None:
        super().__init__(f"{seen} of {wanted} samples")
        self.wanted, self.seen = wanted, seen


class NotContiguous(Exception):
    """The requested frames are not consecutive in the file: `seen` of `wanted` were."""

    def __init__(self, wanted: int, seen: int) -> None:
        super().__init__(f"{seen} of {wanted} frames")
        self.wanted, self.seen = wanted, seen


class Changed(Exception):
    """The bytes read differ from those examined before. `key` is the key of the segment."""

    def __init__(self, key: str, path: str) -> None:
        super().__init__(path)
        self.key, self.path = key, path


class Damaged(Exception):
    """A file does not match its checkpoint. `key` is its content key."""

    def __init__(self, key: str, path: str) -> None:
        super().__init__(path)
        self.key, self.path = key, path
