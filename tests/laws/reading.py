"""Product modules as syntax trees, for the laws about them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("core", "bridge", "otio_adapters", "resolve_scripts")


class Module(NamedTuple):
    """`name` is the path from the root, with slashes."""

    name: str
    text: str
    tree: ast.Module


@cache
def tree(path: Path) -> ast.Module:
    """A file's syntax tree; parsed once, however many tests look at it."""
    return ast.parse(path.read_text(encoding="utf-8"))


def read(name: str, text: str) -> Module:
    """A module from its text."""
    return Module(name, text, ast.parse(text))


@cache
def modules() -> list[Module]:
    """All of the product, in order."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return [
        Module(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"), tree(path))
        for path in paths
    ]


def imports(module: Module) -> Iterator[str]:
    """Dotted names of everything imported, wherever in the module: `from core import dispatch` is `core.engine.task_factory`."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.name}: imports are written in full"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def texts(module: Module) -> Iterator[ast.Constant]:
    """Strings that are values: no docstrings, no bare strings beneath an assignment."""
    bare = {id(node.value) for node in ast.walk(module.tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            yield node


def called(node: ast.Call) -> str:
    """The last part of what is called: `problem` for `draft.problem(...)`."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
