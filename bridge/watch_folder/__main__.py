"""The process of the watch folder: `python -m bridge.watch_folder DAEMON_PID`.

It ends with the daemon. A folder may be on a share that hangs, or may be full of unrelated files; a
process of its own keeps that from the daemon. The daemon restarts the process when the settings
change.
"""

from __future__ import annotations

import os
import sys
import threading

from bridge.client.client import Client
from bridge.daemon.watch_folder_process import inbox
from bridge.services import logs
from bridge.services.locations import place, program_version
from bridge.watch_folder.folder import Folder
from bridge.watch_folder.submission import Usual
from bridge.watch_folder.watcher import Watcher
from core.errors.refusal import Refused
from core.system import process


def _end_with_companion() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


def main() -> int:
    """Watch the folder of this user."""
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
        except Refused as error:
            # The daemon is gone or refuses this client; it starts another watcher when it is back.
            logs.refused(error.code, "the door ends")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
