"""The pipe to the menu script: calls go out, Resolve's answers come back.

Each message is one line of JSON; the script describes the format. Resolve's objects remain in the
script under names: `resolve` at first, then the names that calls keep.
"""

from __future__ import annotations

import json
import queue
import threading
from typing import Any, BinaryIO


class Gone(Exception):
    """The script has ended: the editor was closed, or somebody ended it."""


class Failed(Exception):
    """A call raised an exception in the editor; holds its message."""


class Missing(Exception):
    """The editor has no such method or constant."""


class Editor:
    """Resolve, as far as the script can reach it."""

    def __init__(self, heard: BinaryIO, said: BinaryIO) -> None:
        self._said = said
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.gone = threading.Event()
        """Set as soon as the script has ended."""
        threading.Thread(target=self._listen, args=(heard,), name="script", daemon=True).start()

    def call(self, owner: str, method: str, *words: object) -> Any:
        """Call a method and return its result as plain data; None also when the method is missing.

        Raises Gone or Failed.
        """
        return self._ask({"call": [owner, method], "with": words}).get("got")

    def must(self, owner: str, method: str, *words: object) -> Any:
        """Call a method when the editor may lack it or a constant among its arguments.

        Raises Missing, Gone or Failed.
        """
        answer = self._ask({"call": [owner, method], "with": words})
        if answer.get("missing"):
            raise Missing
        return answer.get("got")

    def keep(self, name: str, owner: str, method: str, *words: object) -> bool:
        """Call a method, hold its result under `name`, and return whether there was one.

        Raises Gone or Failed.
        """
        return self._ask({"call": [owner, method], "with": words, "keep": name}).get("got") is True

    def say(self, text: str) -> None:
        """Write a line to the editor's Console. Raises Gone."""
        self._tell({"say": text})

    def end(self) -> None:
        """Tell the script that the work is finished. Raises Gone."""
        self._tell({"end": True})

    def _tell(self, order: dict[str, Any]) -> None:
        try:
            self._said.write(json.dumps(order).encode() + b"\n")
            self._said.flush()
        except (OSError, ValueError) as error:
            raise Gone from error

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        self._tell(order)
        line = self._lines.get()
        if not line:
            raise Gone
        answer: dict[str, Any] = json.loads(line)
        if "failed" in answer:
            raise Failed(f"{'.'.join(order['call'])}: {answer['failed']}")
        return answer

    def _listen(self, heard: BinaryIO) -> None:
        for line in heard:
            self._lines.put(line)
        self.gone.set()
        self._lines.put(b"")


def constant(owner: str, name: str) -> dict[str, list[str]]:
    """Return an argument that stands for the value of `name` in the object `owner`.

    Resolve does not accept the name as text.
    """
    return {"constant": [owner, name]}
