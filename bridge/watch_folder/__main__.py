"""The door as a process of its own: `python -m bridge.door COMPANION`. It ends with the companion.

A folder may lie on a share that hangs, or be full of rubbish: the companion does not notice. When the
settings change, the companion begins it anew.
"""

from __future__ import annotations

import os
import sys
import threading

from bridge.client.client import Client
from bridge.services import logs
from bridge.services.locations import place, program_version
from bridge.watch_folder.folder import Folder
from bridge.watch_folder.service import inbox
from bridge.watch_folder.submission import Usual
from bridge.watch_folder.watcher import Watcher
from core.errors.refusal import Refused
from core.system import process


def _end_with_companion() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


def main() -> int:
    """Keep the folder of this user."""
    process.die_with_parent(int(sys.argv[1]))
    threading.Thread(target=_end_with_companion, daemon=True).start()
    where = place()
    logs.begin(where.home)
    folder, program = inbox(where), f"hotsplice door {program_version()}"
    if folder is None:
        return 0
    with Client(where.home, program=program) as asks, Client(where.home, program=program) as hears:
        place_of_films, ours = where.films()
        usual = Usual(
            films=place_of_films, preset=where.settings.films_preset or "",
            endings={name: preset.extension for name, preset in where.presets().items()},
        )  # fmt: skip
        keeper = Watcher(
            folder=Folder(folder, home=where.home), usual=usual, make=ours, asks=asks, hears=hears,
            language=where.settings.language,
        )  # fmt: skip
        try:
            keeper.run(lambda: False)
        except (
            Refused
        ) as error:  # the companion is gone, or does not know us: it starts another when it is back
            logs.refused(error.code, "the door ends")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
