"""The arrows between the folders, and what each folder may touch of the world. Every law says why it is one."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Collection
from typing import NamedTuple

import pytest

from tests.laws.reading import PACKAGES, Module, imports, modules, read

ALL = modules()


class Arrow(NamedTuple):
    """Modules whose names begin with `folder` (and none deeper for `flat`) import of ours only what begins with `may`."""

    folder: str
    may: tuple[str, ...]
    why: str
    flat: bool = False

    def holds(self, module: Module) -> bool:
        """Whether the arrow is about this module."""
        return module.name.startswith(self.folder) and not (
            self.flat and "/" in module.name.removeprefix(self.folder)
        )


_VALUES = (
    "core.system.codec",
    "core.system.folder",
    "core.errors",
    "core.timeline",
    "core.graph",
    "core.media.content",
    "core.tasks.spec",
)
"""What pure modules import besides each other: values alone."""
_PURE = (*_VALUES, "core.plan", "core.job")

ARROWS = (
    Arrow(
        "core/system/",
        ("core.system",),
        "the machine is read in one place, which knows nothing of films",
    ),
    Arrow("core/errors/", ("core.system.codec", "core.errors"), "every layer can name an error"),
    Arrow(
        "core/timeline/",
        ("core.system.codec", "core.errors", "core.timeline"),
        "a timeline is known before any media is opened",
    ),
    Arrow(
        "core/graph/",
        _VALUES,
        "what a frame is made of is decided without a file, so that its content key can be told anywhere",
    ),
    Arrow(
        "core/plan/",
        (*_VALUES, "core.plan"),
        "planning is pure: equal inputs give equal plans on every machine",
    ),
    Arrow("core/job/", _PURE, "a replay of the events gives the state back, years later"),
    Arrow(
        "core/media/",
        ("core.system", "core.errors", "core.timeline", "core.media"),
        "media is read without knowing what for",
    ),
    Arrow(
        "core/tasks/",
        ("core.system", "core.errors", "core.timeline", "core.graph", "core.media", "core.tasks"),
        "a worker performs one task and may stand on another machine",
    ),
    Arrow(
        "core/executors/",
        ("core.system", "core.errors", "core.media", "core.tasks", "core.executors"),
        "an executor runs any task",
    ),
    Arrow(
        "core/storage/",
        ("core.system", *_PURE, "core.storage"),
        "storage records what it is told and decides nothing",
    ),
    Arrow(
        "core/messages/", (*_PURE, "core.messages"), "words are made of values, and touch nothing"
    ),
    Arrow(
        "core/report/",
        (*_PURE, "core.messages", "core.report"),
        "what is displayed is made of values, and touches nothing",
    ),
    Arrow(
        "core/engine/",
        ("core",),
        "the engine does not know who calls it, so that another front can",
    ),
    Arrow(
        "otio_adapters/",
        ("core.system.codec", "core.errors", "core.timeline", "otio_adapters"),
        "a reader hands over values; another editor is another reader",
    ),
    Arrow(
        "resolve_scripts/",
        (),
        "an editor runs it in a Python of its own, where nothing of ours can be found",
    ),
    Arrow(
        "bridge/",
        ("core", "otio_adapters", "bridge"),
        "the front puts everything together, and no test hides in it",
    ),
)


def offences(module: Module, arrow: Arrow) -> list[str]:
    """Imports of ours against the arrow."""
    ours = [name for name in imports(module) if name.split(".")[0] in (*PACKAGES, "tests")]
    return [name for name in ours if not any(f"{name}.".startswith(f"{may}.") for may in arrow.may)]


@pytest.mark.parametrize("arrow", ARROWS, ids=lambda arrow: arrow.folder)
def test_imports_point_down(arrow: Arrow) -> None:
    about = [module for module in ALL if arrow.holds(module)]
    assert about, f"nothing is in {arrow.folder} any more"
    for module in about:
        assert not offences(module, arrow), (
            f"{module.name} imports {offences(module, arrow)}: {arrow.why}"
        )


def test_every_module_stands_under_an_arrow() -> None:
    free = [
        m.name
        for m in ALL
        if not any(a.holds(m) for a in ARROWS)
        and not m.name.startswith(("core/presets/", "core/__init__"))
    ]
    assert not free, f"no arrow is about {free}: a new folder needs one"


# What may be touched --------------------------------------------------------------------------------------------------

_MOVES = {
    "os": {"replace", "rename", "renames", "link", "symlink", "removedirs", "rmdir"},
    "shutil": {"move", "rmtree"},
}


def names_module(*banned: str) -> Callable[[Module], list[str]]:
    """Imports of these modules, or of anything in them."""
    return lambda module: [name for name in imports(module) if name.split(".")[0] in banned]


def opens_or_prints(module: Module) -> list[str]:
    """Calls of the built-in functions that reach the world."""
    called = (node.func for node in ast.walk(module.tree) if isinstance(node, ast.Call))
    return [
        func.id
        for func in called
        if isinstance(func, ast.Name) and func.id in ("open", "print", "input", "exec", "eval")
    ]


def moves(module: Module) -> list[str]:
    """Renames, links and removals of folders: `os.replace`, `from os import replace`, `path.rename`."""
    found = [
        name
        for name in imports(module)
        if any(name in {f"{m}.{n}" for n in names} for m, names in _MOVES.items())
    ]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            if node.attr in _MOVES.get(owner, ()) or node.attr in (
                "rename",
                "hardlink_to",
                "symlink_to",
            ):
                found.append(f"{owner or '…'}.{node.attr}")
            elif node.attr == "replace" and _of_a_path(node, module.tree):
                found.append("Path.replace")
    return found


def _of_a_path(attribute: ast.Attribute, tree: ast.Module) -> bool:
    """Strings are replaced in with two arguments, paths are replaced with one."""
    calls = (
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.func is attribute
    )
    return any(len(call.args) == 1 and not call.keywords for call in calls)


_STARTS = ("system", "popen", "fork", "exec", "spawn", "posix_spawn")


def starts_programs(module: Module) -> list[str]:
    """Ways to start a program or a process."""
    found = names_module("subprocess", "multiprocessing", "pty")(module)
    for node in ast.walk(module.tree):
        if (
            isinstance(node, ast.Attribute)
            and getattr(node.value, "id", "") == "os"
            and node.attr.startswith(_STARTS)
        ):
            found.append(f"os.{node.attr}")
    return found


def retries_by_hand(module: Module) -> list[str]:
    """Loops that catch an exception, and then sleep or count their attempts: a retry inside one call."""
    found = []
    for loop in ast.walk(module.tree):
        if not isinstance(loop, ast.For | ast.While):
            continue
        inside = [node for statement in loop.body for node in ast.walk(statement)]
        handlers = [node for node in inside if isinstance(node, ast.ExceptHandler)]
        goes_on = any(
            not isinstance(one.body[-1], ast.Return | ast.Raise | ast.Break) for one in handlers
        )
        calls = [node.func for node in inside if isinstance(node, ast.Call)]
        sleeps = any((isinstance(func, ast.Attribute) and func.attr == "sleep") for func in calls)
        counts = (
            isinstance(loop, ast.For)
            and isinstance(loop.target, ast.Name)
            and loop.target.id == "_"
        )
        if goes_on and (sleeps or counts):
            found.append(f"a loop in line {loop.lineno}")
    return found


class Touch(NamedTuple):
    """`find` finds nothing in modules that begin with `among`, but for those in `besides`, where it must find something."""

    name: str
    find: Callable[[Module], list[str]]
    among: tuple[str, ...]
    besides: Collection[str]
    why: str


_WORLD = (
    "time",
    "datetime",
    "os",
    "io",
    "shutil",
    "tempfile",
    "glob",
    "subprocess",
    "random",
    "secrets",
    "uuid",
    "socket",
    "sqlite3",
    "pathlib",
    "threading",
    "multiprocessing",
    "asyncio",
    "signal",
    "av",
    "urllib",
    "logging",
)
TOUCHES = (
    Touch(
        "pure",
        names_module(*_WORLD),
        (
            "core/errors/",
            "core/timeline/",
            "core/graph/",
            "core/plan/",
            "core/job/",
            "bridge/watch_folder/lua.py",
            "bridge/watch_folder/reply.py",
        ),
        (),
        "what is decided hangs on values alone: no clock, disk, process or chance, or a replay would decide otherwise",
    ),
    Touch(
        "silent",
        opens_or_prints,
        (
            "core/errors/",
            "core/timeline/",
            "core/graph/",
            "core/plan/",
            "core/job/",
            "core/messages/",
            "core/report/",
        ),
        (),
        "values, decisions and words reach nobody by themselves",
    ),
    Touch(
        "clock",
        names_module("time", "secrets", "random", "uuid"),
        PACKAGES,
        ("core/system/machine.py",),
        "clock and chance are read in one place, which a test can take over",
    ),
    Touch(
        "programs",
        starts_programs,
        PACKAGES,
        (
            "core/system/process.py",
            "core/media/ffmpeg.py",
            "core/executors/worker_process.py",
            "bridge/cli/demo.py",
            "resolve_scripts/Hotsplice - Assemble Timeline.py",  # the hand ends when its standard input does
        ),
        "who starts a program must also see that it does not outlive us",
    ),
    Touch(
        "names",
        moves,
        PACKAGES,
        ("core/storage/workspace.py", "bridge/cli/demo.py"),
        "whether a cut leaves a whole film hangs on the order of renames: they are read, and tested, in one file",
    ),
    Touch(
        "database",
        names_module("sqlite3"),
        PACKAGES,
        (
            "core/storage/journal.py",
            "core/storage/journal_faults.py",
            "bridge/cli/doctor.py",
            "bridge/cli/main.py",
        ),
        "what is durable is decided in the journal; others only name its errors or ask whether it works here",
    ),
    Touch(
        "retries",
        retries_by_hand,
        PACKAGES,
        (),
        "tenacity retries inside one call, within limits that can be read; what must survive a crash is retried by the journal",
    ),
    Touch(
        "toolkit",
        names_module("PySide6", "shiboken6"),
        PACKAGES,
        (
            "bridge/tray/app.py",
            "bridge/tray/confirm.py",
            "bridge/tray/desktop.py",
            "bridge/tray/fields.py",
            "bridge/tray/flow.py",
            "bridge/tray/historypage.py",
            "bridge/tray/list_model.py",
            "bridge/tray/joblist.py",
            "bridge/tray/jobpage.py",
            "bridge/tray/widgets.py",
            "bridge/tray/chart_widgets.py",
            "bridge/tray/settingspage.py",
            "bridge/tray/presenter.py",
            "bridge/tray/icons.py",
            "bridge/tray/strip.py",
            "bridge/tray/style.py",
            "bridge/tray/submitdialog.py",
            "bridge/tray/window.py",
            "bridge/tray/controller.py",
        ),
        "everything else works, and what the display decides is tested, where the toolkit is not installed",
    ),
)


@pytest.mark.parametrize("touch", TOUCHES, ids=lambda touch: touch.name)
def test_what_may_be_touched(touch: Touch) -> None:
    about = [module for module in ALL if module.name.startswith(touch.among)]
    assert about
    for module in about:
        found = touch.find(module)
        if module.name in touch.besides:
            assert found, f"{module.name} needs no leave any more: take it from the list"
        else:
            assert not found, f"{module.name} has {found}: {touch.why}"
    assert set(touch.besides) <= {module.name for module in about}, (
        "leave is given to a module that is not there"
    )


def test_workers_modules_start_without_a_cycle() -> None:
    """Imports at the head of modules go round nowhere: a part can be started alone."""
    heads: dict[str, set[str]] = {}
    names = {m.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for m in ALL}
    for module in ALL:
        mine = module.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        head = [node for node in module.tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        wanted = set(imports(Module(module.name, "", ast.Module(head, []))))
        heads[mine] = {
            name
            for name in names
            if any(w == name or w.startswith(f"{name}.") for w in wanted) and name.count(".")
        }
    done: set[str] = set()
    while ready := {
        name for name, wants in heads.items() if name not in done and wants - {name} <= done
    }:
        done |= ready
    assert done == set(heads), f"these import each other: {sorted(set(heads) - done)}"


# The laws see what they are about -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "law"),
    [
        ("core/timeline/x.py", "from core.plan import planning", "core/timeline/"),
        ("core/plan/x.py", "def f():\n    from core.storage.journal import Journal", "core/plan/"),
        ("core/job/x.py", "from core.engine import loop", "core/job/"),
        ("core/job/x.py", "import core.jobbing", "core/job/"),
        ("core/job/x.py", "from core.tasks import render", "core/job/"),
        ("core/report/x.py", "import core.system.machine", "core/report/"),
        ("core/storage/x.py", "import core.engine.resume as r", "core/storage/"),
        ("core/tasks/x.py", "from core.storage import workspace", "core/tasks/"),
        ("core/engine/x.py", "import bridge.settings.settings", "core/engine/"),
        ("otio_adapters/x.py", "from core.engine import loop", "otio_adapters/"),
        ("bridge/cli/x.py", "import tests.core.props", "bridge/"),
        ("bridge/cli/x.py", "import resolve_scripts", "bridge/"),
        ("resolve_scripts/x y.py", "from bridge.protocol import endpoint", "resolve_scripts/"),
        ("core/plan/x.py", "from os import PathLike", "pure"),
        ("core/job/x.py", "import pathlib", "pure"),
        ("core/job/x.py", "x = open('f')", "silent"),
        ("core/engine/loop.py", "def f():\n    from time import monotonic", "clock"),
        ("core/engine/loop.py", "import subprocess", "programs"),
        ("core/engine/loop.py", "import os\nos.execv('x', [])", "programs"),
        ("core/engine/loop.py", "import os\nos.replace('a', 'b')", "names"),
        ("core/engine/loop.py", "from shutil import rmtree", "names"),
        ("core/engine/loop.py", "a.rename(b)", "names"),
        ("core/engine/loop.py", "a.replace(b)", "names"),
        ("core/engine/assemble.py", "import sqlite3", "database"),
        (
            "core/media/probe.py",
            "while True:\n    try:\n        f()\n    except OSError:\n        machine.sleep(1)",
            "retries",
        ),
        (
            "bridge/client/client.py",
            "for _ in range(3):\n    try:\n        f()\n    except OSError:\n        pass",
            "retries",
        ),
        ("bridge/tray/view.py", "from PySide6.QtCore import Qt", "toolkit"),
    ],
)
def test_a_law_sees_an_offence(name: str, text: str, law: str) -> None:
    module = read(name, text)
    arrows = [
        bool(offences(module, arrow))
        for arrow in ARROWS
        if arrow.folder == law and arrow.holds(module)
    ]
    touches = [
        bool(t.find(module))
        for t in TOUCHES
        if t.name == law and name.startswith(t.among) and name not in t.besides
    ]
    assert arrows + touches == [True]


@pytest.mark.parametrize(
    "text",
    ["a.replace('b', 'c')", "structs.replace(a, b=1)", "import os\nos.stat('a')", "x.link(1)"],
)
def test_a_law_sees_no_offence_where_none_is(text: str) -> None:
    assert moves(read("core/engine/loop.py", text)) == []


def test_what_an_editor_runs_needs_nothing_but_a_python() -> None:
    for module in ALL:
        if module.name.startswith("resolve_scripts/"):
            strange = {name.split(".")[0] for name in imports(module)} - set(
                sys.stdlib_module_names
            )
            assert not strange, (
                f"{module.name} imports {strange}, which an editor's Python does not have"
            )


def test_nothing_newer_than_the_oldest_python_is_imported() -> None:
    """Only what the oldest Python has, or what is declared; a new dependency is declared first."""
    declared = {
        "opentimelineio",
        "ffmpeg",
        "imageio_ffmpeg",
        "av",
        "numpy",
        "PIL",
        "xxhash",
        "msgspec",
        "yaml",
        "tenacity",
        "platformdirs",
        "rich",
        "psutil",
        "zmq",
        "PySide6",
    }
    for module in ALL:
        strange = (
            {name.split(".")[0] for name in imports(module)}
            - declared
            - set(PACKAGES)
            - set(sys.stdlib_module_names)
        )
        assert not strange, (
            f"{module.name} imports {strange}, which pyproject.toml does not declare"
        )
