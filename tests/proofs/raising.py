"""Raise an exception in one function of the product, in whichever process calls it; or note which functions are called.

`HOTSPLICE_RAISE` holds JSON: {"folder", "seam", "kind", "once"}. Without a seam every function of the modules that is called
leaves a file with its name in `folder`. With one, that function raises: each time, or once in all processes together, which
a file in `folder` tells.
"""

from __future__ import annotations

import ast
import functools
import importlib.abc
import importlib.machinery
import inspect
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TOUCH_MEDIA = ("system", "media", "tasks", "executors")
VALUES = {("system", "codec"), ("system", "folder"), ("media", "content"), ("tasks", "spec")}
ENGINE_READS = (
    "core.engine.run_tasks",
    "core.engine.relink",
    "core.engine.task_factory",
    "core.engine.bitrot_check",
    "core.engine.source_watch",
)
"""What reads media, or of it, on the engine's side."""
KINDS = (
    "OSError",
    "PermissionError",
    "ValueError",
    "AttributeError",
    "av.InvalidDataError",
    "av.PermissionError",
)


def seams() -> list[str]:
    """Every function and method of the code that touches media, as `module:name` or `module:Class.name`, from the syntax."""
    modules = [
        f"core.{folder}.{path.stem}" for folder in TOUCH_MEDIA for path in sorted((ROOT / "core" / folder).glob("*.py"))
        if path.stem != "__init__" and (folder, path.stem) not in VALUES
    ]  # fmt: skip
    found = []
    for module in (*modules, *ENGINE_READS):
        tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
        found += [f"{module}:{name}" for name in _functions(tree)]
    return found


def _functions(tree: ast.AST, within: str = "") -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{within}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith(
            "__"
        ):
            yield f"{within}{node.name}"


def _error(kind: str) -> Exception:
    if kind == "OSError":
        return OSError("raised by the proof")
    if kind == "PermissionError":
        return PermissionError(1, "Operation not permitted")
    if kind.startswith("av."):
        import av

        numbers = {
            "av.InvalidDataError": (1094995529, "Invalid data found"),
            "av.PermissionError": (1, "Operation not permitted"),
        }
        error: Exception = getattr(av, kind[3:])(*numbers[kind])
        return error
    return {"ValueError": ValueError, "AttributeError": AttributeError}[kind]("raised by the proof")


class _Armed(importlib.abc.MetaPathFinder):
    def __init__(self, orders: dict[str, Any]) -> None:
        self.folder, self.seam = Path(orders["folder"]), orders.get("seam", "")
        self.kind, self.once = orders.get("kind", ""), orders.get("once", False)
        self.modules = {seam.split(":")[0] for seam in ([self.seam] if self.seam else seams())}

    def find_spec(
        self, name: str, path: Any, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The usual finder's, with what is run behind the module."""
        if name not in self.modules:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None or spec.loader is None:
            return None
        run = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            run(module)
            self.wrap(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec

    def wrap(self, module: ModuleType) -> None:
        """Put what raises, or notes, in the place of functions."""
        for owner in (
            module,
            *(
                one
                for one in vars(module).values()
                if isinstance(one, type) and one.__module__ == module.__name__
            ),
        ):
            prefix = "" if owner is module else f"{owner.__name__}."
            for name, one in list(vars(owner).items()):
                seam = f"{module.__name__}:{prefix}{name}"
                if (
                    inspect.isfunction(one)
                    and one.__module__ == module.__name__
                    and self.seam in ("", seam)
                ):
                    setattr(owner, name, self.instead(seam, one))

    def instead(self, seam: str, one: Callable[..., Any]) -> Callable[..., Any]:
        """A function that notes or raises before it does what it did."""

        @functools.wraps(one)
        def called(*args: Any, **named: Any) -> Any:
            if self.strikes(seam):
                raise _error(self.kind)
            return one(*args, **named)

        return called

    def strikes(self, seam: str) -> bool:
        """Whether to raise now; the first call leaves its file."""
        try:
            os.close(
                os.open(self.folder / seam.replace(":", "+"), os.O_CREAT | os.O_EXCL | os.O_WRONLY)
            )
        except FileExistsError:
            return bool(self.seam) and not self.once
        return bool(self.seam)


def arm() -> None:
    """Read the orders and lie in wait."""
    sys.meta_path.insert(0, _Armed(json.loads(os.environ["HOTSPLICE_RAISE"])))
