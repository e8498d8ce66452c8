"""Find out from the kernel what a silent worker and its programs wait for.

The engine calls this module, so nothing here touches the files themselves.

On Linux, `/proc` tells which system call a process is in, and for which file. This identifies the
cause of a hang: the source, the scratch disk, the film's volume, or the program itself (which is
stopped, or computes forever). On other systems nothing is known.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import NamedTuple

_OF_HANDLES = {
    "x86_64": {0, 1, 5, 8, 17, 18, 19, 20, 74, 75, 77, 187, 221, 285},
    "aarch64": {46, 47, 62, 63, 64, 65, 66, 67, 68, 80, 82, 83, 213, 223},
}
"""System calls that take a file descriptor, by machine.

read, write, fstat, lseek, pread, pwrite, readv, writev, fsync, fdatasync, ftruncate, readahead,
fadvise, fallocate.
"""
_OF_NAMES = {
    "x86_64": {
        2: 0,
        4: 0,
        6: 0,
        21: 0,
        76: 0,
        82: 0,
        83: 0,
        87: 0,
        257: 1,
        262: 1,
        263: 1,
        332: 1,
        439: 1,
    },
    "aarch64": {34: 1, 35: 1, 38: 1, 45: 0, 48: 1, 56: 1, 79: 1, 291: 1, 439: 1},
}
"""System calls that take a path, by machine, each with the index of the path argument.

open, stat, lstat, access, truncate, rename, mkdir, unlink, openat, newfstatat, unlinkat, statx,
faccessat2.
"""


class KernelWait(NamedTuple):
    """What a worker and its programs wait for.

    `paths`: the files that they wait for. `blocked`: the kernel waits for a device, whatever the
    file. `stopped`: a program was halted. `read_bytes`: bytes that the programs have read so far.
    `known` is False if the system does not tell.
    """

    known: bool = False
    paths: tuple[str, ...] = ()
    blocked: bool = False
    stopped: bool = False
    read_bytes: int = 0


def kernel_wait_of(session: int) -> KernelWait:
    """Return what the processes of a session wait for.

    `read_bytes` includes the reads of the worker itself (`session`) only while it runs no program.
    """
    members = _members(session)
    paths: list[str] = []
    states = list(members.values())
    read = {pid: _read_bytes(pid) for pid in members}
    for pid in members:
        for task in _listed(f"/proc/{pid}/task"):
            states += _text(f"/proc/{pid}/task/{task}/stat").rpartition(") ")[2].split(" ")[:1]
            path = _waited_for(pid, task)
            if path.startswith("/") and not path.startswith("/dev/"):
                paths.append(path.removesuffix(" (deleted)"))
    programs = [pid for pid in members if pid != session] or members
    return KernelWait(
        known=platform.machine() in _OF_HANDLES and any(_call(pid, str(pid)) for pid in members),
        paths=tuple(dict.fromkeys(paths)),
        blocked="D" in states,
        stopped="T" in states,
        read_bytes=sum(read[pid] for pid in programs),
    )


def _members(session: int) -> dict[int, str]:
    """Return the processes of a session with their state letters, zombies excluded."""
    found = {}
    for name in _listed("/proc"):
        if name.isdigit():
            words = (
                _text(f"/proc/{name}/stat").rpartition(") ")[2].split(" ")
            )  # after the process name, which may contain any character
            if len(words) > 3 and words[3] == str(session) and words[0] != "Z":
                found[int(name)] = words[0]
    return found


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _text(path: str) -> str:
    """Return the text of a file; empty if the process has ended or may not be inspected."""
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""


def _read_bytes(pid: int) -> int:
    words = _text(f"/proc/{pid}/io").split()
    return int(words[1]) if words[:1] == ["rchar:"] else 0


def _call(pid: int, task: str) -> list[str]:
    """Return a thread's current system call and its arguments; `running` if it is in none."""
    return _text(f"/proc/{pid}/task/{task}/syscall").split()


def _waited_for(pid: int, task: str) -> str:
    """Return the file that a thread's system call concerns.

    Empty if the thread is in no system call, or in one that concerns no file.
    """
    words = _call(pid, task)
    if not words or not words[0].isdigit():
        return ""
    call, kind = int(words[0]), platform.machine()
    try:
        if call in _OF_HANDLES.get(kind, ()):
            return os.readlink(f"/proc/{pid}/fd/{int(words[1], 16)}")
        if call in _OF_NAMES.get(kind, {}):
            with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
                memory.seek(int(words[1 + _OF_NAMES[kind][call]], 16))
                return os.fsdecode(memory.read(4096).partition(b"\0")[0])
    except (OSError, ValueError, OverflowError):
        pass
    return ""
