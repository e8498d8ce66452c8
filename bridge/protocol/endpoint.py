"""The endpoint file, which says where the daemon can be reached.

It is a small file in the user's runtime folder and exists while a daemon runs. A killed daemon
leaves it behind; a client that reaches nobody there starts another daemon. The format is JSON, so
that a script can read it with a standard library alone.
"""

from __future__ import annotations

import contextlib
import os
import re
import warnings
from pathlib import Path

import msgspec
import platformdirs
import psutil

from bridge.protocol.keys import pairing_key, pairing_name, write_private
from core.errors.refusal import Refused
from core.system import private_files

FILE = "companion.json"
ELSEWHERE = 0
_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}:[0-9]{1,5}")


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The address of a daemon and what identifies it.

    `address` is a ZeroMQ address and `public_key` the daemon's key (Z85). `pid`, `version` and
    `protocol` describe its process, program and protocol; `pid` is 0 for a daemon on another
    machine.
    """

    address: str
    public_key: str
    pid: int
    version: str
    protocol: str


def folder(home: Path) -> Path:
    """Return the folder of the endpoint file.

    It is inside the data folder when that is not in its usual location, so that each data folder
    has its own daemon.
    """
    if home != Path(platformdirs.user_data_path("Hotsplice", appauthor=False)):
        return home / "run"
    with warnings.catch_warnings():
        # Without a session there is no XDG_RUNTIME_DIR; a temporary folder will do.
        warnings.simplefilter("ignore")
        return Path(platformdirs.user_runtime_path("Hotsplice", appauthor=False))


def write(home: Path, endpoint: Endpoint) -> None:
    """Write the endpoint file.

    Raises Refused(keys-unusable) when its folder belongs to another user.
    """
    place = folder(home)
    try:
        if place.parent == home:
            private_files.make_folder(place)
        else:
            private_files.make_folders(place)
        _check_owner(place)
        write_private(place / FILE, msgspec.json.encode(endpoint))
    except OSError as error:
        raise Refused(
            "keys-unusable", path=str(place), detail=error.strerror or str(error)
        ) from error


def read(home: Path) -> Endpoint | None:
    """Return the endpoint that a daemon wrote, or None if there is none.

    The daemon may have ended since; see `alive`. Raises Refused(keys-unusable).
    """
    path = folder(home) / FILE
    try:
        data = path.read_bytes()
    except OSError:
        return None
    _check_owner(path.parent)
    try:
        return msgspec.json.decode(data, type=Endpoint)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def alive(endpoint: Endpoint) -> bool:
    """Return whether the daemon's process still exists.

    Also returns True when another process has got the same process id, and always for a daemon on
    another machine.
    """
    if endpoint.pid == ELSEWHERE:
        return True
    try:
        return bool(psutil.Process(endpoint.pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.AccessDenied:
        return True
    except psutil.Error:
        return False


def remove(home: Path, pid: int) -> None:
    """Remove the endpoint file of process `pid`; leave the file of another daemon alone."""
    found = read(home)
    if found is not None and found.pid == pid:
        (folder(home) / FILE).unlink(missing_ok=True)


def _others(home: Path) -> Path:
    return home / "keys" / "others"


def remember(home: Path, name: str, address: str, key: str) -> None:
    """Remember a daemon on another machine under `name`.

    `address` has the form HOST:PORT. Raises Refused(pairing-refused, keys-unusable).
    """
    name = pairing_name(name)
    if not _ADDRESS.fullmatch(address) or not 0 < int(address.rpartition(":")[2]) < 65536:
        raise Refused("pairing-refused", name=name, why="no-address", address=address)
    there = Endpoint(
        address=f"tcp://{address}",
        public_key=pairing_key(name, key),
        pid=ELSEWHERE,
        version="",
        protocol="",
    )
    path = _others(home) / f"{name}.json"
    try:
        write_private(path, msgspec.json.encode(there))
    except OSError as error:
        raise Refused(
            "keys-unusable", path=str(path), detail=error.strerror or str(error)
        ) from error


def elsewhere(home: Path, name: str) -> Endpoint:
    """Return the remembered daemon called `name`. Raises Refused(pairing-refused)."""
    name = pairing_name(name)
    try:
        return msgspec.json.decode((_others(home) / f"{name}.json").read_bytes(), type=Endpoint)
    except (OSError, ValueError, RecursionError) as error:
        raise Refused("pairing-refused", name=name, why="no-such-companion") from error


def remembered(home: Path) -> dict[str, Endpoint]:
    """Return all remembered daemons by name."""
    found = {}
    for path in sorted(_others(home).glob("[!.]*.json")):
        with contextlib.suppress(Refused):
            found[path.stem] = elsewhere(home, path.stem)
    return found


def forget(home: Path, name: str) -> bool:
    """Forget a remembered daemon; return whether it was known. Raises Refused(pairing-refused)."""
    path = _others(home) / f"{pairing_name(name)}.json"
    known = path.exists()
    path.unlink(missing_ok=True)
    return known


def _check_owner(place: Path) -> None:
    """Refuse another user's folder: its owner could redirect this user's clients."""
    if hasattr(os, "getuid") and place.stat().st_uid != os.getuid():
        raise Refused("keys-unusable", path=str(place), why="another-user")
