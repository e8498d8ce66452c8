"""Python loads this at its start where its folder is on PYTHONPATH: no flush reaches the disk, in any process. For measuring
what flushes cost (`tests.proofs.overhead`), and for nothing else."""

import os
import sqlite3


class _Unflushed(sqlite3.Connection):
    def execute(self, sql, *rest):
        return super().execute("PRAGMA synchronous=OFF" if "synchronous=FULL" in sql else sql, *rest)


_connect = sqlite3.connect


def _unflushed(*places, **options):
    return _connect(*places, **{"factory": _Unflushed, **options})


os.fsync = os.fdatasync = lambda handle: None
sqlite3.connect = _unflushed
