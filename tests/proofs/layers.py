"""The layout of the code, as numbers: sizes, importers, arrows that point upwards, cycles, tests.

    python -m tests.proofs.layers [--quick]

For each folder the proof prints its files, lines, the median length of its files, and how many
other folders import it. It does not hold when

- a folder imports from a folder above it (`RANKS`, from the bottom up),
- the daemon imports the command line or another front end,
- modules import each other in a circle,
- more modules than `WITHOUT_A_TEST` have no test module of their own name.

`--quick` changes nothing: the proof reads the source and takes a second.
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from tests.laws.reading import ROOT, Module, imports, modules
from tests.proofs import report

RANKS = {
    "core": (
        "system", "errors", "timeline", "graph", "media", "tasks", "plan", "job",
        "executors", "storage", "messages", "report", "engine",
    ),
    "bridge": (
        "protocol", "settings", "services", "client", "daemon",
        "watch_folder", "login", "resolve", "tray", "cli",
    ),
}  # fmt: skip
"""Folders from the bottom up. A folder imports from itself and from folders before it."""
PACKAGES = ("core", "otio_adapters", "bridge")
"""Top-level packages from the bottom up."""
FRONT_ENDS = ("bridge.cli", "bridge.tray", "bridge.resolve", "bridge.watch_folder")
WITHOUT_A_TEST = 110
"""Modules without a test module of their own name. The number only goes down."""


def dotted(module: Module) -> str:
    """The importable name of a module."""
    return module.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def graph(about: Iterable[Module]) -> dict[str, set[str]]:
    """Every module of the product with the modules it imports, wherever in the file."""
    known = {dotted(module) for module in about}
    found: dict[str, set[str]] = {}
    for module in about:
        wanted = set[str]()
        for name in imports(module):
            target = name if name in known else name.rpartition(".")[0]
            if target in known and target != dotted(module):
                wanted.add(target)
        found[dotted(module)] = wanted
    return found


def folder(name: str) -> str:
    """`core.job` for `core.job.state`; the package itself for a module that stands in it."""
    parts = name.split(".")
    return ".".join(parts[:2]) if parts[0] in RANKS and len(parts) > 2 else parts[0]


def upward(edges: Mapping[str, set[str]]) -> list[tuple[str, str]]:
    """Imports that point from a folder to one above it."""
    return [
        (one, other)
        for one, others in sorted(edges.items())
        for other in sorted(others)
        if _rank(one) < _rank(other)
    ]


def _rank(name: str) -> tuple[int, int]:
    package, _, rest = folder(name).partition(".")
    if package not in PACKAGES:
        return len(PACKAGES), 0
    ranks = RANKS.get(package, ())
    return PACKAGES.index(package), ranks.index(rest) if rest in ranks else -1


def front_ends_in_the_daemon(edges: Mapping[str, set[str]]) -> list[tuple[str, str]]:
    """Imports of a front end by the daemon."""
    return [
        (one, other)
        for one, others in sorted(edges.items())
        if folder(one) == "bridge.daemon"
        for other in sorted(others)
        if folder(other) in FRONT_ENDS
    ]


def cycle(about: Iterable[Module]) -> list[str]:
    """Modules that import each other when they are loaded; empty when there are none."""
    heads = [
        Module(one.name, one.text, ast.Module([n for n in one.tree.body if _loads(n)], []))
        for one in about
    ]
    try:
        TopologicalSorter(graph(heads)).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def _loads(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def without_a_test(about: Iterable[Module]) -> list[str]:
    """Modules for which no test module is named (`test_NAME.py`, `test_NAME_more.py`)."""
    tests = {
        path.stem.replace("test_otio_", "test_") for path in (ROOT / "tests").rglob("test_*.py")
    }
    found = []
    for module in about:
        stem = module.name.rpartition("/")[2].removesuffix(".py").strip("_")
        if stem != "init" and not any(f"{test}_".startswith(f"test_{stem}_") for test in tests):
            found.append(module.name)
    return found


def prove(say: report.Say) -> tuple[bool, dict[str, object]]:
    """Whether the layout holds, and its figures."""
    about = [one for one in modules() if not one.name.startswith("resolve_scripts")]
    edges = graph(about)
    lines = defaultdict[str, list[int]](list)
    importers = defaultdict[str, set[str]](set)
    for module in about:
        lines[folder(dotted(module))].append(module.text.count("\n"))
    for one, others in edges.items():
        for other in others:
            if folder(one) != folder(other):
                importers[folder(other)].add(folder(one))
    say(f"{'folder':22} files  lines  median  imported by")
    for name in sorted(lines, key=lambda one: (_rank(f"{one}.x"), one)):
        sizes = lines[name]
        middle = statistics.median(sizes)
        say(f"{name:22} {len(sizes):5}  {sum(sizes):5}  {middle:6.0f}  {len(importers[name])}")
    up, fronts = upward(edges), front_ends_in_the_daemon(edges)
    ring, untested = cycle(about), without_a_test(about)
    for one, other in (*up, *(pair for pair in fronts if pair not in up)):
        say(f"WRONG  {one} imports {other}")
    if ring:
        say(f"WRONG  a cycle: {' -> '.join(ring)}")
    if len(untested) > WITHOUT_A_TEST:
        say(f"WRONG  {len(untested)} modules without a test of their name: {', '.join(untested)}")
    return not up and not fronts and not ring and len(untested) <= WITHOUT_A_TEST, {
        "files": len(about), "lines": sum(map(sum, lines.values())), "upward": len(up),
        "front_ends_in_the_daemon": len(fronts), "cycle": ring, "without_a_test": len(untested),
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; its exit code."""
    report.quick(arguments)
    held, figures = prove(report.Say())
    return report.close("layers", held, **figures)


if __name__ == "__main__":
    sys.exit(main())
