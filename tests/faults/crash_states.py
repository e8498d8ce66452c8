"""What a disk may hold after a power cut, from the record of what was done to it (`recorder.Change`). Pure.

What was flushed is there: the bytes of a file that was fsynced, the names of a folder that was fsynced. Everything else may be
there, in part or not at all. A `Model` says how much a file system promises beyond that:

    lost        nothing that was not flushed; a name is flushed only with its folder
    kept        everything that was done; what a killed program leaves
    scattered   each name and each 4 KiB page that was not flushed is there or is not, by chance
    ordered     as on ext4 and XFS: names survive in the order in which they were made, and any flush makes all earlier names
                durable; bytes that were not flushed may be missing, cut short or zero
"""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from tests.faults.recorder import ROOT, Change

Model = Literal["lost", "kept", "scattered", "ordered"]
MODELS: tuple[Model, ...] = get_args(Model)
PAGE = 4096


@dataclass
class Node:
    """A file, folder or link: what is durable of it, and writes that are not: (offset, bytes), or (length, None) for a cut."""

    mode: int
    data: bytearray = field(default_factory=bytearray)
    names: dict[str, int] = field(default_factory=dict)
    target: str = ""
    modified_ns: int = 0
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)


Naming = list[tuple[int, str, int | None]]
"""(folder, name, what has it from now on): one atomic change of names."""


@dataclass
class Disk:
    """The state of a volume while its record is replayed."""

    nodes: dict[int, Node]
    pending: list[Naming] = field(default_factory=list)

    def after(self, changes: Sequence[Change], model: Model) -> Disk:
        """This disk with the changes done to it; itself."""
        for change in changes:
            self._do(change, ordered=model == "ordered")
        return self

    def _do(self, change: Change, *, ordered: bool) -> None:
        match change.op, change.words:
            case "create", (number, parent, name, mode):
                self.nodes[number] = Node(stat.S_IFREG | stat.S_IMODE(mode))
                self.pending.append([(parent, name, number)])
            case "mkdir", (number, parent, name, mode):
                self.nodes[number] = Node(stat.S_IFDIR | stat.S_IMODE(mode))
                self.pending.append([(parent, name, number)])
            case "symlink", (number, parent, name, target):
                self.nodes[number] = Node(stat.S_IFLNK, target=target)
                self.pending.append([(parent, name, number)])
            case "link", (number, parent, name):
                self.pending.append([(parent, name, number)])
            case (("unlink" | "rmdir"), (parent, name)):
                self.pending.append([(parent, name, None)])
            case "rename", (number, old, before, new, name):
                self.pending.append([(old, before, None), (new, name, number)])
            case "write", (number, offset, data):
                self.nodes[number].pending.append((offset, data))
            case "truncate", (number, length):
                self.nodes[number].pending.append((length, None))
            case "chmod", (number, mode):
                self.nodes[number].mode = stat.S_IFMT(self.nodes[number].mode) | stat.S_IMODE(mode)
            case "utimens", (number, moment):
                self.nodes[number].modified_ns = moment
            case "fsync", (number,):
                node = self.nodes[number]
                for piece in node.pending:
                    _write(node.data, *piece)
                node.pending.clear()
                if ordered:
                    self._flush_names(self.pending)
            case "fsyncdir", (number,):
                mine = [
                    one
                    for one in self.pending
                    if ordered or any(folder == number for folder, _, _ in one)
                ]
                self._flush_names(mine)
            case _:
                raise AssertionError(change)

    def _flush_names(self, flushed: list[Naming]) -> None:
        """Make these durable, in order. What an earlier change that is not flushed said of the same names is over."""
        done = {id(one) for one in flushed}
        keys = {(folder, name) for one in flushed for folder, name, _ in one}
        for one in flushed:
            self._apply(one)
        last = max((place for place, one in enumerate(self.pending) if id(one) in done), default=-1)
        rest = []
        for place, one in enumerate(self.pending):
            if id(one) not in done:
                left = [part for part in one if place > last or part[:2] not in keys]
                rest += [left] if left else []
        self.pending = rest

    def _apply(self, naming: Naming) -> None:
        for folder, name, number in naming:
            if number is None:
                self.nodes[folder].names.pop(name, None)
            else:
                self.nodes[folder].names[name] = number

    def cut(self, model: Model, chance: random.Random) -> None:
        """The power fails: what is not durable is decided by the model."""
        pending = self.pending
        if model == "lost":
            pending = []
        elif model == "scattered":
            pending = [one for one in pending if chance.random() < 0.5]
        elif model == "ordered":
            pending = pending[: chance.randint(0, len(pending))]
        for one in pending:
            self._apply(one)
        self.pending = []
        for node in self.nodes.values():
            _survive(node, model, chance)


def _write(data: bytearray, offset: int, piece: bytes | None) -> None:
    if len(data) < offset:
        data.extend(bytes(offset - len(data)))
    if piece is None:
        del data[offset:]
    else:
        data[offset : offset + len(piece)] = piece


def _survive(node: Node, model: Model, chance: random.Random) -> None:
    """Which bytes that were never flushed are there after the cut."""
    if not node.pending or model == "lost":
        node.pending.clear()
        return
    how = "all" if model == "kept" else chance.choice(("none", "first", "pages", "zeros"))
    pieces = (
        node.pending[: chance.randint(0, len(node.pending))] if how == "first" else node.pending
    )
    for offset, piece in pieces:
        if piece is None or how in ("all", "first"):
            _write(node.data, offset, piece)
            continue
        for start in range(0, len(piece), PAGE):
            part = piece[start : start + PAGE]
            if how == "pages" and chance.random() < 0.5:
                _write(node.data, offset + start, part)
            elif how == "zeros" and len(node.data) < offset + start + len(
                part
            ):  # the size is there, the bytes are not
                node.data.extend(bytes(offset + start + len(part) - len(node.data)))
    node.pending.clear()


def disk_of(folder: Path, numbers: dict[str, int]) -> Disk:
    """The content of a folder as a disk on which all of it is durable, with the numbers that a `Recorder` gave to its paths."""
    inodes: dict[int, int] = {os.lstat(folder).st_ino: ROOT}
    paths: dict[int, Path] = {ROOT: folder}
    nodes: dict[int, Node] = {}
    for name, number in numbers.items():
        paths[number] = folder / name
        inodes[paths[number].lstat().st_ino] = number
    for number, path in paths.items():
        facts = path.lstat()
        node = nodes[number] = Node(facts.st_mode, modified_ns=facts.st_mtime_ns)
        if stat.S_ISREG(facts.st_mode):
            node.data = bytearray(path.read_bytes())
        elif stat.S_ISLNK(facts.st_mode):
            node.target = os.readlink(path)
        else:
            node.names = {one.name: inodes[one.lstat().st_ino] for one in path.iterdir()}
    return Disk(nodes)


def copy_of(disk: Disk) -> Disk:
    """The same disk, to be changed on its own."""
    nodes = {
        number: Node(
            node.mode, bytearray(node.data), dict(node.names), node.target, node.modified_ns
        )
        for number, node in disk.nodes.items()
    }
    return Disk(nodes)


def lay_out(disk: Disk, folder: Path) -> dict[str, int]:
    """Write what can be reached on a disk into an empty folder; the number of every path there."""
    written: dict[int, Path] = {}
    numbers: dict[str, int] = {}

    def put(number: int, path: Path) -> None:
        node = disk.nodes[number]
        if number != ROOT:
            numbers[str(path.relative_to(folder))] = number
        if stat.S_ISDIR(node.mode):
            path.mkdir(exist_ok=True)
            for name, one in node.names.items():
                put(one, path / name)
        elif number in written:
            os.link(written[number], path)
            return
        elif stat.S_ISLNK(node.mode):
            path.symlink_to(node.target)
            return
        else:
            path.write_bytes(node.data)
        written[number] = path
        os.chmod(path, stat.S_IMODE(node.mode))
        if node.modified_ns:
            os.utime(path, ns=(node.modified_ns, node.modified_ns))

    put(ROOT, folder)
    return numbers
