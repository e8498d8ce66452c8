"""A request that cannot be understood or must not be carried out. Ends in a message and exit code 2, never in a traceback."""

from __future__ import annotations


class Refused(Exception):
    """`code` is a catalogue code (kebab-case); the fields fill its message."""

    def __init__(self, code: str, **fields: object) -> None:
        super().__init__(code, fields)
        self.code = code
        self.fields = fields
