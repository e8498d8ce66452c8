"""The stand-in without processes and pipes: what the hand calls an editor, over the model's own objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bridge.resolve.pipe import Missing
from tests.fake_resolve.manners import Manners
from tests.fake_resolve.model import Project, Resolve, Thing


class Near:
    """Answers as `bridge.resolve.pipe.Editor` does. `timeline` is the open one."""

    def __init__(
        self, otio: Path, *, timeline: dict[str, Any] | None = None, **manners: Any
    ) -> None:
        self.manners = Manners(**manners)
        said = {"name": "Reel 1", "otio": str(otio), **(timeline or {})}
        self.project = Project(self.manners, {"name": "Harbour", "timelines": [said]})
        self.timeline = self.project.timelines[0]
        self._things: dict[str, Any] = {"resolve": Resolve(self.manners, self.project)}

    def call(self, owner: str, method: str, *words: Any) -> Any:
        """Its result as plain data; None for what is missing."""
        try:
            return self.must(owner, method, *words)
        except Missing:
            return None

    def must(self, owner: str, method: str, *words: Any) -> Any:
        """The same; Missing."""
        return json.loads(json.dumps(self._do(owner, method, *words)))

    def keep(self, name: str, owner: str, method: str, *words: Any) -> bool:
        """Hold what comes back."""
        self._things[name] = self._do(owner, method, *words)
        return self._things[name] is not None

    def _do(self, owner: str, method: str, *words: Any) -> Any:
        thing: Thing = self._things[owner]
        if not hasattr(thing, method) or (method == "GetSettings" and not self.manners.plural):
            raise Missing
        live = [
            getattr(self._things[word["constant"][0]], word["constant"][1])
            if isinstance(word, dict)
            else word
            for word in words
        ]
        return getattr(thing, method)(*live)
