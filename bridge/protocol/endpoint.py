"""Where the companion can be reached: a small file in the user's runtime folder, there while a companion runs.

It may be left over from one that was killed; whoever finds nobody there starts another. JSON, so that a script with nothing
but a standard library can read it.
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
    """`address` for ZeroMQ; `public_key` of the companion (Z85); its process, program and protocol. The process of one on another
    machine is 0."""

    address: str
    public_key: str
    pid: int
    version: str
    protocol: str


def folder(home: Path) -> Path:
    """Where the file is: beside the data where that is not in its usual place, so that each place has its own companion."""
    if home != Path(platformdirs.user_data_path("Hotsplice", appauthor=False)):
        return home / "run"
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # without a session there is no XDG_RUNTIME_DIR: a temporary folder does as well
        return Path(platformdirs.user_runtime_path("Hotsplice", appauthor=False))


def write(home: Path, endpoint: Endpoint) -> None:
    """Say where we are. Refused(keys-unusable) when that folder belongs to somebody else."""
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
    """Where a companion said it is; None when none did. It may be gone since: see `alive`. Refused(keys-unusable)."""
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
    """Whether its process is still there. True may be said of another that has its number by now, and of one elsewhere."""
    if endpoint.pid == ELSEWHERE:
        return True
    try:
        return bool(psutil.Process(endpoint.pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.AccessDenied:
        return True
    except psutil.Error:
        return False


def remove(home: Path, pid: int) -> None:
    """We are gone; the file of another companion stays."""
    found = read(home)
    if found is not None and found.pid == pid:
        (folder(home) / FILE).unlink(missing_ok=True)


def _others(home: Path) -> Path:
    return home / "keys" / "others"


def remember(home: Path, name: str, address: str, key: str) -> None:
    """A companion on another machine, at HOST:PORT. Refused(pairing-refused, keys-unusable)."""
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
    """A companion that was remembered. Refused(pairing-refused)."""
    name = pairing_name(name)
    try:
        return msgspec.json.decode((_others(home) / f"{name}.json").read_bytes(), type=Endpoint)
    except (OSError, ValueError, RecursionError) as error:
        raise Refused("pairing-refused", name=name, why="no-such-companion") from error


def remembered(home: Path) -> dict[str, Endpoint]:
    """All of them, by name."""
    found = {}
    for path in sorted(_others(home).glob("[!.]*.json")):
        with contextlib.suppress(Refused):
            found[path.stem] = elsewhere(home, path.stem)
    return found


def forget(home: Path, name: str) -> bool:
    """Remember it no longer; whether it was. Refused(pairing-refused)."""
    path = _others(home) / f"{pairing_name(name)}.json"
    known = path.exists()
    path.unlink(missing_ok=True)
    return known


def _check_owner(place: Path) -> None:
    """Somebody else who made the folder could lead our clients to himself."""
    if hasattr(os, "getuid") and place.stat().st_uid != os.getuid():
        raise Refused("keys-unusable", path=str(place), why="another-user")
