"""Objects over a socket: every attribute is asked for, every call is made, in the process that holds them. JSON lines."""

from __future__ import annotations

import inspect
import json
import socket
import threading
from typing import Any

from tests.fake_resolve import model
from tests.fake_resolve.manners import Manners
from tests.fake_resolve.model import Thing

KINDS = [kind for _, kind in inspect.getmembers(model, inspect.isclass) if issubclass(kind, Thing)]
METHODS = {name for kind in KINDS for name in dir(kind) if name[0].isupper()} | {"scriptapp"}


class Office:
    """Answers scripts. One call at a time, as Resolve does; `calls` remembers them all."""

    def __init__(self, roots: dict[str, Thing], manners: Manners) -> None:
        self.roots, self.manners = roots, manners
        self.calls: list[str] = []
        self.lock = threading.Lock()
        self._things: dict[str, Thing] = {thing.id: thing for thing in roots.values()}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as file:
            for line in file:
                with self.lock:
                    said = self._answer(json.loads(line))
                file.write(json.dumps(said).encode() + b"\n")
                file.flush()

    def _answer(self, asked: dict[str, Any]) -> Any:
        if "roots" in asked:
            return {name: self.packed(thing) for name, thing in self.roots.items()}
        thing = self._things[asked["of"]]
        if "dir" in asked:
            return sorted(name for name in dir(thing) if name in METHODS and self._has(thing, name))
        if "get" in asked:
            return self._attribute(thing, asked["get"])
        return self._call(thing, asked["call"], [self._unpacked(word) for word in asked["with"]])

    def _has(self, thing: Thing, name: str) -> bool:
        return (
            name in METHODS
            and hasattr(thing, name)
            and (name != "GetSettings" or self.manners.plural)
        )

    def _attribute(self, thing: Thing, name: str) -> Any:
        """{"method": true}, or a value; None for everything that is not there, and never an error."""
        if name == "UIManager":
            self.calls.append("Fusion.UIManager")
            self.manners.dialog = self.manners.dialog or not self.manners.windows
            return {"value": None}
        if self._has(thing, name) or (self.manners.borrowed and name in METHODS):
            return {"method": True}
        if name == "EXPORT_OTIO" and not self.manners.otio:
            return {"value": None}
        return {
            "value": getattr(thing, name)
            if name.startswith("EXPORT_") and hasattr(thing, name)
            else None
        }

    def _call(self, thing: Thing, name: str, words: list[Any]) -> Any:
        said = f"{type(thing).__name__}.{name}"
        self.calls.append(said)
        if said in self.manners.raises:
            return {"error": f"{said} failed inside"}
        if not self._has(thing, name):
            return {"value": self.packed(None)}
        method = getattr(thing, name)
        if self.manners.dialog:
            return {
                "value": self.packed(
                    False if method.__annotations__.get("return") == "bool" else None
                )
            }
        try:
            return {"value": self.packed(method(*words))}
        except TypeError:  # what the wrong number of arguments comes to
            return {"value": self.packed(None)}

    def packed(self, value: Any) -> Any:
        """A value for the wire: things go as their number, keys of dictionaries keep their type."""
        if isinstance(value, Thing):
            self._things[value.id] = value
            return {"thing": value.id}
        if isinstance(value, dict):
            return {"pairs": [[self.packed(key), self.packed(one)] for key, one in value.items()]}
        if isinstance(value, list):
            return {"list": [self.packed(one) for one in value]}
        return {"plain": value}

    def _unpacked(self, said: Any) -> Any:
        return self._things[said["thing"]] if isinstance(said, dict) and "thing" in said else said
