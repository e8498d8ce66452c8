"""What Resolve does in the process of a menu script, before the script: objects as globals. For any Python from 3.6 on.

python -S -E child.py ADDRESS GIVEN SCRIPT     GIVEN: menu, app, module or nothing
"""

import json
import os
import runpy
import socket
import sys


class _Wire:
    def __init__(self, address):
        host, port = address.split(":")
        self.file = socket.create_connection((host, int(port))).makefile("rwb")

    def ask(self, **said):
        self.file.write(json.dumps(said).encode() + b"\n")
        self.file.flush()
        return json.loads(self.file.readline().decode())

    def unpacked(self, said):
        if "thing" in said:
            return PyRemoteObject(self, said["thing"])
        if "pairs" in said:
            return {self.unpacked(key): self.unpacked(value) for key, value in said["pairs"]}
        if "list" in said:
            return [self.unpacked(one) for one in said["list"]]
        return said["plain"]


class PyRemoteObject:
    """Everything seems to be there; what is not is None."""

    def __init__(self, wire, thing):
        self.__dict__["_wire"], self.__dict__["_thing"] = wire, thing

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        said = self._wire.ask(of=self._thing, get=name)
        if "method" not in said:
            return said["value"]

        def method(*words):
            packed = [
                {"thing": word._thing} if isinstance(word, PyRemoteObject) else word
                for word in words
            ]
            answer = self._wire.ask(of=self._thing, call=name, **{"with": packed})
            if "error" in answer:
                raise RuntimeError(answer["error"])
            return self._wire.unpacked(answer["value"])

        return method

    def __dir__(self):
        return self._wire.ask(of=self._thing, dir=True)


def main():
    address, given, script = sys.argv[1:]
    wire = _Wire(address)
    roots = {name: wire.unpacked(said) for name, said in wire.ask(roots=True).items()}
    if given == "module":
        sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "modules"))
        sys.modules["__fake__"] = roots
    names = {"menu": ("resolve", "app", "fusion", "fu", "bmd"), "app": ("app", "fusion", "fu")}.get(
        given, ()
    )
    sys.argv = [script]
    runpy.run_path(script, init_globals={name: roots[name] for name in names}, run_name="__main__")


if __name__ == "__main__":
    main()
