"""`pair`: which other machines may use this one's companion, and whose companions this one may use."""

from __future__ import annotations

import argparse

from rich.console import Console

from bridge import endpoint
from bridge.cli.console import plain_console, safe
from bridge.cli.house import Place, place
from bridge.cli.summary import REFUSED, refusal
from bridge.keys import OWN, Keys, pairing_key, pairing_name, plain_key
from core.model.refusal import Refused


def run(arguments: argparse.Namespace) -> int:
    """Exit code of `pair`."""
    console = plain_console()
    try:
        _run(place(), arguments, console)
    except Refused as error:
        said = refusal(error)
        console.print(f"[red]{safe(said['title'])}[/] {safe(said['message'])}\n{safe(said['action'])}")
        return REFUSED
    return 0


def _run(where: Place, arguments: argparse.Namespace, console: Console) -> None:
    given = [arguments.name is not None, arguments.show, arguments.list, arguments.remove is not None]
    if sum(given) != 1 or (arguments.name is not None and arguments.key is None):
        raise Refused("command-unclear", detail="pair takes NAME KEY, or one of --show, --list, --remove NAME")
    keys = Keys(where.home)
    if arguments.show:
        _show(where, keys, console)
    elif arguments.list:
        _list(where, keys, console)
    elif arguments.remove is not None:
        _remove(where, keys, arguments.remove, console)
    elif arguments.address:
        _prepare(where, keys)
        endpoint.remember(where.home, arguments.name, arguments.address, arguments.key)
        name = pairing_name(arguments.name)
        console.print(f"hotsplice submit and watch reach it with --at {name}, once it lets this machine in.")
        console.print("Media and film are files of that machine: a share that both see under the same path does as well.")
    else:
        _prepare(where, keys)
        _own_key(keys, arguments)
        keys.admit(arguments.name, arguments.key)
        console.print(f"{pairing_name(arguments.name)} is let in from now on: it can have films made as you can.")
        if where.settings.listen is None:
            console.print("The companion is reached from this machine alone until the settings say where to listen.")


def _own_key(keys: Keys, arguments: argparse.Namespace) -> None:
    """Two keys are shown at each machine, and it is easy to take the wrong one."""
    if pairing_key(arguments.name, arguments.key) == keys.companion().public.decode():
        raise Refused("pairing-refused", name=arguments.name, detail="this is the key of this machine's own companion")


def _prepare(where: Place, keys: Keys) -> None:
    """Keys are made by whoever holds the companion's lock, so that two never make them at once. Refused(keys-unusable)."""
    from bridge.companion import alone

    try:
        with alone(where.home):
            keys.prepare()
    except Refused as error:
        if error.code != "companion-running":  # that one has made them
            raise


def _show(where: Place, keys: Keys, console: Console) -> None:
    _prepare(where, keys)
    own, client = keys.companion(), keys.client()
    assert client is not None
    console.print("The key of this machine, for hotsplice pair where a companion shall let it in:")
    console.print(f"  {plain_key(client.public.decode())}")
    console.print("The key of this machine's companion, for hotsplice pair --with where that shall be used:")
    console.print(f"  {plain_key(own.public.decode())}")
    listen = where.settings.listen
    console.print(
        f"It listens at {listen} for machines that are let in." if listen else "It is reached from this machine alone (listen)."
    )


def _list(where: Place, keys: Keys, console: Console) -> None:
    admitted = {name: key for name, key in keys.admitted().items() if name != OWN}
    others = endpoint.remembered(where.home)
    for name, key in admitted.items():
        console.print(f"{safe(name):32} is let in    {plain_key(key)}")
    for name, there in others.items():
        console.print(f"{safe(name):32} can be used  {plain_key(there.public_key)} at {safe(there.address.removeprefix('tcp://'))}")
    if not (admitted or others):
        console.print("No other machine is paired with this one.")


def _remove(where: Place, keys: Keys, name: str, console: Console) -> None:
    let_in, used = keys.remove(name), endpoint.forget(where.home, name)
    if not (let_in or used):
        raise Refused("pairing-refused", name=name, detail="no machine is paired under this name")
    if let_in:
        console.print(f"{safe(name)} is not let in any more; what it is at ends within seconds, its jobs stay.")
    if used:
        console.print(f"The companion of {safe(name)} is forgotten here.")
