"""The machine: clock, sleep, randomness, space, volumes. No other module reads them."""

from __future__ import annotations

import ctypes
import os
import re
import secrets
import shutil
import sys
import time
from pathlib import Path
from typing import NamedTuple, TypedDict

_NO_CHANGE_TIME = frozenset(
    {"vfat", "msdos", "exfat", "fuse.exfat", "fuse.sshfs", "fuse.curlftpfs", "fuse.rclone"}
)
_NETWORK_FILE_SYSTEMS = {
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "afpfs",
    "fuse.sshfs",
    "fuse.s3fs",
    "9p",
    "ceph",
    "glusterfs",
    "webdav",
}

_OCTAL = re.compile(r"\\([0-7]{3})")
"""Escapes for blanks, tabs, newlines and backslashes in the kernel's list of mount points.

The kernel escapes no other characters.
"""


def now() -> float:
    """Return Unix seconds."""
    return time.time()


def monotonic() -> float:
    """Return seconds for measuring, unaffected by changes of the clock.

    On Linux, this clock stops while the machine sleeps.
    """
    return time.monotonic()


def thread_cpu() -> float:
    """Return the CPU seconds of this thread."""
    return time.thread_time()


def process_cpu() -> float:
    """Return the CPU seconds of this process."""
    return time.process_time()


class Begun(NamedTuple):
    """The beginning of a run.

    `at` is on the `monotonic` clock; the others are the CPU seconds that this process and this
    thread had used.
    """

    at: float
    cpu_s: float
    thread_cpu_s: float


_begun: Begun | None = None


def begin() -> None:
    """Note that a command begins: the next run counts its time from here."""
    global _begun
    _begun = Begun(monotonic(), process_cpu(), thread_cpu())


def begun() -> Begun:
    """Return the beginning of a run: the last `begin` that no other run has taken, or now."""
    global _begun
    taken, _begun = _begun, None
    return taken or Begun(monotonic(), process_cpu(), thread_cpu())


class Steady:
    """A clock that starts at the current Unix time and then advances with `monotonic`.

    Setting the system's clock does not affect what a run waits for. For decisions; times shown to
    people come from `now`.
    """

    def __init__(self) -> None:
        self._wall, self._begun = now(), monotonic()

    def now(self) -> float:
        """Return Unix seconds, without any change of the clock since the start."""
        return self._wall + monotonic() - self._begun


def since_boot() -> float:
    """Return seconds like `monotonic`, but including the machine's sleep.

    Where the system does not distinguish the two, this equals `monotonic`.
    """
    return (
        time.clock_gettime(time.CLOCK_BOOTTIME)
        if hasattr(time, "CLOCK_BOOTTIME")
        else time.monotonic()
    )


_LITTLE_MEMORY = 512 << 20


def sleep(seconds: float) -> None:
    """Sleep for a number of seconds."""
    time.sleep(seconds)


def chance() -> float:
    """Return a random number in [0, 1), for jitter."""
    return secrets.randbelow(1 << 30) / (1 << 30)


def token(length: int = 6) -> str:
    """Return a random name of lower-case letters and digits that are hard to confuse."""
    return "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(length))


def cores() -> int:
    """Return the number of CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


def _nearest(path: str | Path) -> Path:
    """Return the path, or its nearest parent that can be accessed.

    A name may be too long, a folder not accessible, a share gone.
    """
    place = Path(path)
    while place != place.parent:
        try:
            if place.exists():
                break
        except OSError:
            pass
        place = place.parent
    return place


def free_bytes(path: str | Path) -> int | None:
    """Return the space available to us on the volume of a path or of its nearest existing parent.

    None if it cannot be determined.
    """
    place = _nearest(path)
    try:
        return shutil.disk_usage(place).free
    except OSError:
        return None


def disk_bytes(path: str | Path) -> int | None:
    """Return the size of the volume of a path or of its nearest existing parent.

    None if it cannot be determined.
    """
    place = _nearest(path)
    try:
        return shutil.disk_usage(place).total
    except OSError:
        return None


def free_memory() -> int | None:
    """Return the bytes of memory available without swapping, or None if unknown."""
    import psutil  # imported late: worker processes start without it

    try:
        return int(psutil.virtual_memory().available)
    except (OSError, RuntimeError, ValueError):
        return None


def short_of_memory() -> bool:
    """Return whether a MemoryError may be the machine's fault.

    This is so if little memory is free, or if the system limits this process's memory.
    """
    free = free_memory()
    if free is None or free < _LITTLE_MEMORY:
        return True
    try:
        import resource
    except ImportError:  # Windows
        return False
    return any(
        resource.getrlimit(kind)[0] != resource.RLIM_INFINITY
        for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)
    )


def resident_bytes(pid: int) -> int | None:
    """Return a process's resident memory in bytes, or None if the process is gone."""
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None


def family_cpu(pid: int) -> float:
    """Return the CPU seconds of a process and of its ended children; 0 if the process is gone."""
    import psutil

    try:
        used = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return float(used.user + used.system + used.children_user + used.children_system)


def give_memory_back() -> None:
    """Return freed memory to the system, after a large allocation.

    glibc keeps it otherwise. Does nothing on other systems.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def mount_point(path: str | Path) -> str:
    """Return the mount point of a path; `/` if there is no other.

    The kernel's list decides, where there is one: a folder that is mounted in a second place looks
    like any other folder.
    """
    place = Path(os.path.realpath(path))
    listed, _ = listed_mount(place)
    if listed:
        return listed
    while place != place.parent and not os.path.ismount(place):
        place = place.parent
    return str(place)


def longest_name(folder: str | Path) -> int:
    """Return the maximum length in bytes of a file name in this folder."""
    try:
        return os.pathconf(folder, "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):
        # Windows has no pathconf; its limit is 255, as on other systems.
        return 255


def longest_path(folder: str | Path) -> int:
    """Return the maximum length in bytes of a path on this volume, with its terminating NUL."""
    try:
        return os.pathconf(folder, "PC_PATH_MAX")
    except (AttributeError, OSError, ValueError):
        return 4096 if os.name != "nt" else 32767


def volume(path: str | Path) -> int | None:
    """Return the device number of the volume of a path or of its nearest existing parent.

    None if it cannot be determined.
    """
    place = _nearest(path)
    try:
        return place.stat().st_dev
    except OSError:
        return None


def names_a_path(error: OSError) -> bool:
    """Return whether a system call on a path raised this error: then the system names the path.

    An error of our own code or of a library names no path, and says nothing about a drive or
    folder.
    """
    return error.filename is not None


def file_system(path: str | Path) -> int:
    """Return the file system number (f_fsid) of a path or of its nearest existing parent.

    It stays the same each time the drive is connected. 0 where the system does not provide it.
    """
    place = _nearest(path)
    try:
        return int(os.statvfs(place).f_fsid)
    except (AttributeError, OSError):
        return 0


def listed_mount(path: str | Path) -> tuple[str, str]:
    """Return a path's mount point and file system type (`ext4`, `nfs4`) from the kernel's list.

    This accesses neither of them: the list still contains a dead share. Both are "" where the
    system has no list; only Linux has one.
    """
    try:
        # File names in the list are bytes, not always valid UTF-8.
        mounts = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape")
    except OSError:
        return "", ""
    best, kind = "", ""
    text = os.path.abspath(path)
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        point = _OCTAL.sub(lambda escaped: chr(int(escaped[1], 8)), left.split(" ")[4])
        inside = text == point or text.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, right.split()[0]
    return best, kind


def keeps_change_time(path: str | Path) -> bool:
    """Return whether the file system of a path itself records when a file was last changed.

    Where it does not, a program can restore every date. Known only on Linux; True elsewhere.
    """
    return listed_mount(path)[1] not in _NO_CHANGE_TIME


def on_network(path: str | Path) -> bool:
    """Return whether a path is on a network file system. Known only on Linux; False elsewhere."""
    return listed_mount(path)[1] in _NETWORK_FILE_SYSTEMS


def _oom_kill_count() -> int:
    try:
        words = Path("/proc/vmstat").read_text().split()
        return int(words[words.index("oom_kill") + 1])
    except (OSError, ValueError):
        return 0


_oom_seen = _oom_kill_count()


def new_oom_kills() -> int:
    """Return how many processes the kernel has killed for lack of memory since the last call.

    The first call counts from the start of this process. The count covers the whole machine. Known
    only on Linux; 0 elsewhere.
    """
    global _oom_seen
    before, _oom_seen = _oom_seen, _oom_kill_count()
    return max(0, _oom_seen - before)


class Around(TypedDict):
    """State of the machine at the moment of a failure, for evidence."""

    free_bytes: int | None
    free_memory_bytes: int | None
    volume: str
    network: bool
    oom_kills: int


def around(path: str | Path) -> Around:
    """Return the state of the machine around a path.

    This accesses the volume, which may hang, so the engine never calls it.
    """
    return Around(
        free_bytes=free_bytes(path), free_memory_bytes=free_memory(), volume=mount_point(path) if path else "",
        network=bool(path) and on_network(path), oom_kills=new_oom_kills(),
    )  # fmt: skip


def same_file(path: str | Path, inode: tuple[int, int]) -> bool:
    """Return whether a path leads to the file with this (device, inode).

    The path may use any spelling, link or mount.
    """
    try:
        facts = os.stat(path)
    except OSError:
        return False
    return (facts.st_dev, facts.st_ino) == inode
