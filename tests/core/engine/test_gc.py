"""What `clean` may remove, decided again in the moment of removing. A real journal, a real store."""

from __future__ import annotations

import os

from core.engine import gc
from core.job.events import SegmentSealed


def test_a_file_that_got_its_record_since_it_was_looked_at_stays_however_old_the_clock_makes_it(
    studio,
):
    recorded, stray = (
        studio.workspace.scratch / "store" / "ab" / name for name in ("ab1.mov", "ab2.mov")
    )
    for path in (recorded, stray):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"pictures")
        os.utime(path, (1000, 1000))  # written just now, by a clock that was set since
    found = gc.removable(studio.journal, studio.workspace)
    assert found.strays == ("ab/ab1.mov", "ab/ab2.mov")
    fact = SegmentSealed(
        key="ab1",
        kind="video",
        shot=1,
        file="ab/ab1.mov",
        bytes=8,
        file_hash="h",
        frames=1,
        digest="d",
    )
    studio.journal.append("job1", [fact], 2.0)
    gc.remove(found, studio.journal, studio.workspace)
    assert recorded.exists() and not stray.exists()
