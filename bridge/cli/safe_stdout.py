"""Standard output that may vanish: a closed pipe, a full disk, a closed terminal.

The film is finished all the same.
"""

from __future__ import annotations

import os
from typing import TextIO


class SafeStdout:
    """A stream that discards all output once a write has failed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write the text, or discard it."""
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            self._hush()
            return len(text)

    def flush(self) -> None:
        """Flush the stream, or discard what it holds."""
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self._hush()

    def _hush(self) -> None:
        """Redirect the stream to the null device, so that flushing buffers at exit cannot fail."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
