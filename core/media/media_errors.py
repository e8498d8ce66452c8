"""What a worker finds wrong, as exceptions that carry what was seen; `evidence.evidence_of` makes Evidence of them."""

from __future__ import annotations


class NotMedia(Exception):
    """The file is none that could be used. `note` is the kebab-case name of what is wrong."""

    def __init__(self, note: str, detail: str = "") -> None:
        super().__init__(note)
        self.note, self.detail = note, detail


class TooShort(Exception):
    """A stream ended before the excerpt did. `seen` of `wanted` samples were there."""

    def __init__(self, wanted: int, seen: int) -> None:
        super().__init__(f"{seen} of {wanted} samples")
        self.wanted, self.seen = wanted, seen


class NotContiguous(Exception):
    """The frames asked for do not stand in the file one after the other. `seen` of `wanted` did."""

    def __init__(self, wanted: int, seen: int) -> None:
        super().__init__(f"{seen} of {wanted} frames")
        self.wanted, self.seen = wanted, seen


class Changed(Exception):
    """The bytes read are not those that were examined before. `key` is the segment's."""

    def __init__(self, key: str, path: str) -> None:
        super().__init__(path)
        self.key, self.path = key, path


class Damaged(Exception):
    """A sealed file does not hold what its checkpoint says. `key` is its content key."""

    def __init__(self, key: str, path: str) -> None:
        super().__init__(path)
        self.key, self.path = key, path
