"""The pipe to the menu script: calls go out, what Resolve says comes back. One line of JSON each; see the script itself.

Objects of Resolve stay with the script under names: `resolve` at first, and what a call keeps.
"""

from __future__ import annotations

import json
import queue
import threading
from typing import Any, BinaryIO


class Gone(Exception):
    """The script is not there any more: the editor was closed, or somebody ended it."""


class Failed(Exception):
    """A call ended in an exception on the editor's side; its words."""


class Missing(Exception):
    """This editor has no such method or value."""


class Editor:
    """Resolve, as far as the script reaches."""

    def __init__(self, heard: BinaryIO, said: BinaryIO) -> None:
        self._said = said
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.gone = threading.Event()
        """Set as soon as the script has ended."""
        threading.Thread(target=self._listen, args=(heard,), name="script", daemon=True).start()

    def call(self, owner: str, method: str, *words: object) -> Any:
        """What the method returns: plain data; None also where there is no such method. Gone, Failed."""
        return self._ask({"call": [owner, method], "with": words}).get("got")

    def must(self, owner: str, method: str, *words: object) -> Any:
        """The same, where the editor may lack the method or a constant among the arguments. Missing, Gone, Failed."""
        answer = self._ask({"call": [owner, method], "with": words})
        if answer.get("missing"):
            raise Missing
        return answer.get("got")

    def keep(self, name: str, owner: str, method: str, *words: object) -> bool:
        """Call it and hold what it returns under a name; whether it returned anything. Gone, Failed."""
        return self._ask({"call": [owner, method], "with": words, "keep": name}).get("got") is True

    def say(self, text: str) -> None:
        """A line in the editor's Console. Gone."""
        self._tell({"say": text})

    def end(self) -> None:
        """That was all. Gone."""
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
    """An argument: the value that this object has under that name. Resolve does not understand its name as text."""
    return {"constant": [owner, name]}
