"""The machine: clock, sleep, chance, space, volumes. The only place that reads them."""

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
"""How the kernel writes blanks, tabs, newlines and backslashes in names of mount points; nothing else is escaped."""


def now() -> float:
    """Unix seconds."""
    return time.time()


def monotonic() -> float:
    """Seconds for measuring; unaffected by changes of the clock. On Linux it stands still while the machine sleeps."""
    return time.monotonic()


def thread_cpu() -> float:
    """Processor seconds of this thread."""
    return time.thread_time()


def process_cpu() -> float:
    """Processor seconds of this process."""
    return time.process_time()


class Begun(NamedTuple):
    """The beginning of a run: a moment on `monotonic`, and the processor seconds that this process and this thread had used."""

    at: float
    cpu_s: float
    thread_cpu_s: float


_begun: Begun | None = None


def begin() -> None:
    """A command begins: the next run counts its time from here."""
    global _begun
    _begun = Begun(monotonic(), process_cpu(), thread_cpu())


def begun() -> Begun:
    """Where the time of a run counts from: the `begin` that no other run was told, else now."""
    global _begun
    taken, _begun = _begun, None
    return taken or Begun(monotonic(), process_cpu(), thread_cpu())


class Steady:
    """Unix seconds as they were when this was made, and from there on what went by on `monotonic`: whoever sets the clock
    moves nothing that is waited for in a run. For decisions; what a person reads is told by `now`."""

    def __init__(self) -> None:
        self._wall, self._begun = now(), monotonic()

    def now(self) -> float:
        """Unix seconds, but for what the clock was moved by since."""
        return self._wall + monotonic() - self._begun


def since_boot() -> float:
    """Like `monotonic`, but the machine's sleep is counted, where the system tells the two apart."""
    return (
        time.clock_gettime(time.CLOCK_BOOTTIME)
        if hasattr(time, "CLOCK_BOOTTIME")
        else time.monotonic()
    )


_LITTLE_MEMORY = 512 << 20


def sleep(seconds: float) -> None:
    """Do nothing for a while."""
    time.sleep(seconds)


def chance() -> float:
    """A random number in [0, 1), for jitter."""
    return secrets.randbelow(1 << 30) / (1 << 30)


def token(length: int = 6) -> str:
    """A random name of lower-case letters and digits that are hard to confuse."""
    return "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(length))


def cores() -> int:
    """Processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


def _nearest(path: str | Path) -> Path:
    """The path, or its nearest parent that can be looked at: a name may be too long, a folder closed, a share gone."""
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
    """Space left for us on the volume of a path or of its nearest existing parent; None when it cannot be told."""
    place = _nearest(path)
    try:
        return shutil.disk_usage(place).free
    except OSError:
        return None


def disk_bytes(path: str | Path) -> int | None:
    """The whole size of the volume of a path or of its nearest existing parent; None when it cannot be told."""
    place = _nearest(path)
    try:
        return shutil.disk_usage(place).total
    except OSError:
        return None


def free_memory() -> int | None:
    """Bytes of memory that could be had without swapping; None when it cannot be told."""
    import psutil  # late: workers start without it

    try:
        return int(psutil.virtual_memory().available)
    except (OSError, RuntimeError, ValueError):
        return None


def short_of_memory() -> bool:
    """Whether a MemoryError may be the machine's: little is free, or the system limits what this process may have."""
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
    """How much memory a process holds; None when it is gone."""
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None


def family_cpu(pid: int) -> float:
    """Processor seconds of a process and of those of its children that have ended; 0 when it is gone."""
    import psutil

    try:
        used = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return float(used.user + used.system + used.children_user + used.children_system)


def give_memory_back() -> None:
    """Return what was freed to the system, after something large: glibc keeps it otherwise. Elsewhere nothing."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def mount_point(path: str | Path) -> str:
    """The mount point that a path leads to; `/` at the least. What the kernel lists counts where it lists them: a folder that
    is mounted in a second place looks like any other."""
    place = Path(os.path.realpath(path))
    listed, _ = listed_mount(place)
    if listed:
        return listed
    while place != place.parent and not os.path.ismount(place):
        place = place.parent
    return str(place)


def longest_name(folder: str | Path) -> int:
    """Bytes that a file name in this folder may have."""
    try:
        return os.pathconf(folder, "PC_NAME_MAX")
    except (
        AttributeError,
        OSError,
        ValueError,
    ):  # Windows has no such question; the answer is this everywhere
        return 255


def longest_path(folder: str | Path) -> int:
    """Bytes that a whole path on this volume may have, its terminating NUL included."""
    try:
        return os.pathconf(folder, "PC_PATH_MAX")
    except (AttributeError, OSError, ValueError):
        return 4096 if os.name != "nt" else 32767


def volume(path: str | Path) -> int | None:
    """The device number of the volume a path (or its nearest existing parent) is on."""
    place = _nearest(path)
    try:
        return place.stat().st_dev
    except OSError:
        return None


def names_a_path(error: OSError) -> bool:
    """Whether a system call on a path met this error: the system names the path. An error of our own code, or of a library, names
    none and accuses neither a drive nor a folder."""
    return error.filename is not None


def file_system(path: str | Path) -> int:
    """The number of the file system that a path (or its nearest existing parent) is on, the same whenever its drive is plugged
    in; 0 where the system does not tell."""
    place = _nearest(path)
    try:
        return int(os.statvfs(place).f_fsid)
    except (AttributeError, OSError):
        return 0


def listed_mount(path: str | Path) -> tuple[str, str]:
    """The mount point of a path and its kind (`ext4`, `nfs4`) as the kernel lists them, without touching either: a dead
    share is listed still. Empty where the system keeps no list; only Linux does."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(
            "utf-8", "surrogateescape"
        )  # names there are bytes, as everywhere
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
    """Whether the file system of a path notes for itself when a file was last written to. Where it does not, a program can put
    back every date. Only Linux tells; elsewhere True."""
    return listed_mount(path)[1] not in _NO_CHANGE_TIME


def on_network(path: str | Path) -> bool:
    """Whether a path is on a network file system. Only Linux tells; elsewhere False."""
    return listed_mount(path)[1] in _NETWORK_FILE_SYSTEMS


def _oom_kill_count() -> int:
    try:
        words = Path("/proc/vmstat").read_text().split()
        return int(words[words.index("oom_kill") + 1])
    except (OSError, ValueError):
        return 0


_oom_seen = _oom_kill_count()


def new_oom_kills() -> int:
    """How many processes the kernel has killed for want of memory since this was asked last (or since this process began), on
    the whole machine. Only Linux tells; elsewhere 0."""
    global _oom_seen
    before, _oom_seen = _oom_seen, _oom_kill_count()
    return max(0, _oom_seen - before)


class Around(TypedDict):
    """What evidence says of the machine at that moment."""

    free_bytes: int | None
    free_memory_bytes: int | None
    volume: str
    network: bool
    oom_kills: int


def around(path: str | Path) -> Around:
    """The machine around a path. It touches the volume, so never in the engine."""
    return Around(
        free_bytes=free_bytes(path), free_memory_bytes=free_memory(), volume=mount_point(path) if path else "",
        network=bool(path) and on_network(path), oom_kills=new_oom_kills(),
    )  # fmt: skip


def same_file(path: str | Path, inode: tuple[int, int]) -> bool:
    """Whether a path leads to the file with this (device, inode), whatever its spelling, link or mount."""
    try:
        facts = os.stat(path)
    except OSError:
        return False
    return (facts.st_dev, facts.st_ino) == inode
