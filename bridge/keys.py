"""Keys of the wire: one pair for the companion, one for this user's clients, and the list of those who are let in.

    <home>/keys/companion.key   made on the first start; readable by the user alone
    <home>/keys/client.key      for everything that this user runs
    <home>/keys/allowed/NAME    public keys of others, one line each; `client` is this user's own

A public key is told to anyone. Z85 text of 40 characters, as ZeroMQ has it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

import zmq

from core.model.refusal import Refused
from core.record.workspace import take_place

_KEY = re.compile(r"[0-9A-Za-z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")


class Pair(NamedTuple):
    """A public and a secret key."""

    public: bytes
    secret: bytes


class Keys:
    """The keys in a data folder."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "keys"

    def companion(self) -> Pair:
        """The companion's pair, made when there is none: only by whoever holds the companion's lock. Refused(keys-unusable)."""
        return self._read("companion") or self._make("companion")

    def client(self) -> Pair | None:
        """This user's pair for clients; None before the first start of a companion. Refused(keys-unusable)."""
        return self._read("client")

    def prepare(self) -> Pair:
        """Everything a companion needs, made where it is missing; its own pair. Refused(keys-unusable)."""
        own = self.companion()
        client = self._read("client") or self._make("client")
        self.admit("client", client.public.decode())
        return own

    def admit(self, name: str, public: str) -> None:
        """Let a client in, from now on."""
        if not _KEY.fullmatch(public):
            raise Refused("keys-unusable", path=name, detail="this is not a public key")
        self._write(self.folder / "allowed" / name, f"{public}\n")

    def allowed(self) -> frozenset[bytes]:
        """Public keys of all who are let in, read anew: who was admitted a moment ago is let in now."""
        found = set()
        try:
            for path in (self.folder / "allowed").iterdir():
                text = path.read_text("ascii", "replace").strip()
                if _KEY.fullmatch(text):
                    found.add(text.encode())
        except OSError:
            pass  # a list that cannot be read lets nobody in
        return frozenset(found)

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
            raise Refused("keys-unusable", path=str(path), detail="others can read it")
        public, secret = lines.get("public", ""), lines.get("secret", "")
        if not (_KEY.fullmatch(public) and _KEY.fullmatch(secret)) or zmq.curve_public(secret.encode()) != public.encode():
            raise Refused("keys-unusable", path=str(path), detail="it does not hold a pair of keys")
        return Pair(public.encode(), secret.encode())

    def _make(self, name: str) -> Pair:
        public, secret = zmq.curve_keypair()
        self._write(self.folder / f"{name}.key", f"public {public.decode()}\nsecret {secret.decode()}\n")
        return Pair(public, secret)

    def _write(self, path: Path, text: str) -> None:
        try:
            write_private(path, text.encode())
        except OSError as error:
            raise Refused("keys-unusable", path=str(path), detail=error.strerror or str(error)) from error


def write_private(path: Path, data: bytes) -> None:
    """A file that only this user can read, whole or not at all; so is its folder."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
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
