"""`pair`: which machines may use this daemon, and which other daemons this machine may use."""

from __future__ import annotations

import argparse

from rich.console import Console

from bridge.cli.console import plain_console, safe
from bridge.cli.summary import REFUSED, refusal
from bridge.protocol import endpoint
from bridge.protocol.keys import OWN, Keys, pairing_key, pairing_name, plain_key
from bridge.services.locations import Locations, place
from core.errors.refusal import Refused
from core.messages.phrases import phrase


def run(arguments: argparse.Namespace) -> int:
    """Run `pair` and return its exit code."""
    console = plain_console()
    try:
        _run(place(), arguments, console)
    except Refused as error:
        said = refusal(error)
        console.print(
            f"[red]{safe(said['title'])}[/] {safe(said['message'])}\n{safe(said['action'])}"
        )
        return REFUSED
    return 0


def _run(where: Locations, arguments: argparse.Namespace, console: Console) -> None:
    given = [
        arguments.name is not None,
        arguments.show,
        arguments.list,
        arguments.remove is not None,
    ]
    if sum(given) != 1 or (arguments.name is not None and arguments.key is None):
        raise Refused("command-unclear", why="pair-usage")
    keys, speak = Keys(where.home), where.settings.language
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
        console.print(safe(phrase("pair-reach", speak, name=name)))
        console.print(phrase("pair-shared", speak))
    else:
        _prepare(where, keys)
        _own_key(keys, arguments)
        keys.admit(arguments.name, arguments.key)
        console.print(phrase("pair-let-in", speak, name=pairing_name(arguments.name)))
        if where.settings.listen is None:
            console.print(phrase("pair-not-listening", speak))


def _own_key(keys: Keys, arguments: argparse.Namespace) -> None:
    """Refuse this machine's own key: every machine shows two keys, and they are easily confused."""
    if pairing_key(arguments.name, arguments.key) == keys.companion().public.decode():
        raise Refused("pairing-refused", name=arguments.name, why="own-key")


def _prepare(where: Locations, keys: Keys) -> None:
    """Create the keys while holding the daemon's lock.

    The lock keeps two processes from creating them at once. Raises Refused(keys-unusable).
    """
    from bridge.daemon.daemon import alone

    try:
        with alone(where.home):
            keys.prepare()
    except Refused as error:
        if error.code != "companion-running":  # a running daemon has created the keys
            raise


def _show(where: Locations, keys: Keys, console: Console) -> None:
    _prepare(where, keys)
    own, client = keys.companion(), keys.client()
    assert client is not None
    speak = where.settings.language
    console.print(phrase("pair-own-key", speak))
    console.print(f"  {plain_key(client.public.decode())}")
    console.print(phrase("pair-companion-key", speak))
    console.print(f"  {plain_key(own.public.decode())}")
    listen = where.settings.listen
    console.print(
        safe(phrase("pair-listens", speak, listen=listen))
        if listen
        else phrase("pair-alone", speak)
    )


def _list(where: Locations, keys: Keys, console: Console) -> None:
    admitted = {name: key for name, key in keys.admitted().items() if name != OWN}
    others, speak = endpoint.remembered(where.home), where.settings.language
    let_in, used = phrase("pair-is-let-in", speak), phrase("pair-can-be-used", speak)
    wide = max(len(let_in), len(used))
    for name, key in admitted.items():
        console.print(f"{safe(name):32} {let_in:{wide}}  {plain_key(key)}")
    for name, there in others.items():
        at = phrase(
            "pair-at",
            speak,
            key=plain_key(there.public_key),
            address=there.address.removeprefix("tcp://"),
        )
        console.print(f"{safe(name):32} {used:{wide}}  {safe(at)}")
    if not (admitted or others):
        console.print(phrase("pair-none", speak))


def _remove(where: Locations, keys: Keys, name: str, console: Console) -> None:
    let_in, used, speak = (
        keys.remove(name),
        endpoint.forget(where.home, name),
        where.settings.language,
    )
    if not (let_in or used):
        raise Refused("pairing-refused", name=name, why="not-paired")
    if let_in:
        console.print(safe(phrase("pair-out", speak, name=name)))
    if used:
        console.print(safe(phrase("pair-forgotten", speak, name=name)))
