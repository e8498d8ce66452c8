"""Standard output that may go away: a closed pipe, a full disk, a terminal that was shut. The film is finished all the same."""

from __future__ import annotations

import os
from typing import TextIO


class SafeStdout:
    """A stream that goes silent, for good, when it cannot be written to any more."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, or not."""
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            self._hush()
            return len(text)

    def flush(self) -> None:
        """Flush, or not."""
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self._hush()

    def _hush(self) -> None:
        """What waits in buffers goes nowhere when the interpreter ends, instead of ending it badly."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
