"""CURVE keys: a pair for the daemon, a pair for this user's clients, the admitted clients.

    <home>/keys/companion.key     created on the first start; readable by the user alone
    <home>/keys/client.key        for all programs that this user runs
    <home>/keys/allowed/NAME      public keys of clients, one line each; `client` is this user's own
    <home>/keys/others/NAME.json  daemons on other machines that this user may use
                                  (bridge/protocol/endpoint.py)

Public keys are not secret. They are written as Z85 text of 40 characters, which is ZeroMQ's own
format.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

import zmq
from zmq.utils import z85

from core.errors.refusal import Refused
from core.storage.workspace import take_place
from core.system import private_files

_KEY = re.compile(r"[0-9A-Za-z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")
_PLAIN = re.compile(r"[0-9A-Fa-f]{64}")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
OWN = "client"
"""The name under which this user's own programs are admitted."""
_DEVICES = frozenset(
    {
        "con",
        "prn",
        "aux",
        "nul",
        *(f"{port}{number}" for port in ("com", "lpt") for number in range(10)),
    }
)


class Pair(NamedTuple):
    """A public and a secret key."""

    public: bytes
    secret: bytes


class Keys:
    """The keys in a data folder."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "keys"

    def companion(self) -> Pair:
        """Return the daemon's key pair; create it if there is none.

        Only the holder of the daemon's lock may call this. Raises Refused(keys-unusable).
        """
        return self._read("companion") or self._make("companion")

    def client(self) -> Pair | None:
        """Return this user's client key pair, or None before the first start of a daemon.

        Raises Refused(keys-unusable).
        """
        return self._read("client")

    def prepare(self) -> Pair:
        """Create every key that a daemon needs and that is missing; return the daemon's pair.

        Raises Refused(keys-unusable).
        """
        own = self.companion()
        client = self._read("client") or self._make("client")
        self._write(self.folder / "allowed" / OWN, f"{client.public.decode()}\n")
        return own

    def admit(self, name: str, public: str) -> None:
        """Admit a client from now on. `public` may have either of the two key formats.

        Raises Refused(pairing-refused, keys-unusable).
        """
        name, key = pairing_name(name), pairing_key(name, public)
        admitted = self.admitted()
        if admitted.get(name, key) != key:
            raise Refused("pairing-refused", name=name, why="another-key")
        if other := next(
            (known for known, that in admitted.items() if that == key and known != name), ""
        ):
            raise Refused("pairing-refused", name=name, why="key-known", other=other)
        self._write(self.folder / "allowed" / name, f"{key}\n")

    def remove(self, name: str) -> bool:
        """Revoke a client's admission; return whether it was admitted.

        Its current session ends, too.

        Raises Refused(pairing-refused, keys-unusable).
        """
        path = self.folder / "allowed" / pairing_name(name)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise Refused(
                "keys-unusable", path=str(path), detail=error.strerror or str(error)
            ) from error
        return True

    def admitted(self) -> dict[str, str]:
        """Read the names and public keys of all admitted clients from disk.

        Returns an empty dict where the list cannot be read.
        """
        found = {}
        try:
            for path in sorted((self.folder / "allowed").iterdir()):
                text = path.read_text("ascii", "replace").strip()
                if _KEY.fullmatch(text) and not path.name.startswith("."):
                    found[path.name] = text
        except OSError:
            return {}  # an unreadable list admits nobody
        return found

    def allowed(self) -> frozenset[bytes]:
        """Return the public keys of all admitted clients.

        Reads them from disk, so that a new admission counts at once.
        """
        return frozenset(key.encode() for key in self.admitted().values())

    def _read(self, name: str) -> Pair | None:
        path = self.folder / f"{name}.key"
        try:
            mode = path.stat().st_mode
            lines = dict(line.split(" ", 1) for line in path.read_text("ascii").splitlines())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise Refused("keys-unusable", path=str(path), detail=str(error)) from error
        if os.name != "nt" and mode & 0o077:
            raise Refused("keys-unusable", path=str(path), why="others-read")
        public, secret = lines.get("public", ""), lines.get("secret", "")
        if (
            not (_KEY.fullmatch(public) and _KEY.fullmatch(secret))
            or zmq.curve_public(secret.encode()) != public.encode()
        ):
            raise Refused("keys-unusable", path=str(path), why="no-keys")
        return Pair(public.encode(), secret.encode())

    def _make(self, name: str) -> Pair:
        public, secret = zmq.curve_keypair()
        self._write(
            self.folder / f"{name}.key", f"public {public.decode()}\nsecret {secret.decode()}\n"
        )
        return Pair(public, secret)

    def _write(self, path: Path, text: str) -> None:
        try:
            write_private(path, text.encode())
        except OSError as error:
            raise Refused(
                "keys-unusable", path=str(path), detail=error.strerror or str(error)
            ) from error


def pairing_name(name: str) -> str:
    """Return `name` in lower case, checked to be a valid file name on every system.

    Raises Refused(pairing-refused).
    """
    small = name.lower()
    if not _NAME.fullmatch(small) or small in _DEVICES:
        raise Refused("pairing-refused", name=name, why="name-unfit")
    if small == OWN:
        raise Refused("pairing-refused", name=name, why="name-own")
    return small


def pairing_key(name: str, public: str) -> str:
    """Return a public key in ZeroMQ's format, given in either format.

    Raises Refused(pairing-refused).
    """
    if _PLAIN.fullmatch(public):
        return z85.encode(bytes.fromhex(public)).decode()
    if not _KEY.fullmatch(public):
        raise Refused("pairing-refused", name=name, why="key-unfit")
    return public


def plain_key(public: str) -> str:
    """Return a public key in hexadecimal.

    ZeroMQ's own format is full of characters that are special in a shell.
    """
    return z85.decode(public.encode()).hex()


def write_private(path: Path, data: bytes) -> None:
    """Atomically write a file in a private folder. Only this user can read either of them."""
    private_files.make_folder(path.parent)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        take_place(part, path)
    finally:
        part.unlink(missing_ok=True)
