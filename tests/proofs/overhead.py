"""What recovery costs on the smallest films, where it weighs most.

    python -m tests.proofs.speed overhead [--quick]

Films of 1, 4, 12 and 40 shots of about 10 frames (320x180, H.264). Each is made in turn by

- one plain ffmpeg command, as one would write it by hand: no checkpoint, no flush, no check;
- Hotsplice;
- Hotsplice whose flushes reach no disk, in any of its processes (`unflushed/sitecustomize.py`).

Printed are the shares that `hotsplice stats` tells of the second: by how much of its time records and checks held it up, and their
share of the processor (`core.explain.statistics` says what is in them); what the flushes alone cost; and the ratio to plain
ffmpeg, of the whole command and of the part after the interpreter has started and the media was opened.
"""

from __future__ import annotations

import shutil
import statistics
from pathlib import Path

from tests.proofs import report
from tests.proofs.bench import Run, hotsplice, make_cut, make_sources, plain_ffmpeg

COUNTS = (1, 4, 12, 40)
GOAL = 0.05


def measure(place: Path, rounds: int, say: report.Say) -> dict[str, float]:
    """The figures, by what they are and the number of shots."""
    sources = make_sources(place / "tiny", (320, 180), "h264", 3, 240)
    figures: dict[str, float] = {}
    for count in COUNTS:
        cut = make_cut(sources, count, 10, place / f"tiny{count}.otio")
        plain, ours, unflushed = list[Run](), list[Run](), list[Run]()
        for _ in range(rounds):
            plain.append(plain_ffmpeg(cut, "h264", place / "plain"))
            ours.append(hotsplice(cut, "h264", place / "ours", fresh=True))
            unflushed.append(hotsplice(cut, "h264", place / "unflushed", fresh=True, unflushed=True))
            for name in ("plain", "ours", "unflushed"):
                shutil.rmtree(place / name)
        wall = statistics.median(run.summary["held_s"] / run.summary["engine_s"] for run in ours)
        cpu = statistics.median(run.summary["overhead_cpu_s"] / run.summary["cpu_s"] for run in ours)
        flushes = statistics.median(a.work_s / b.work_s for a, b in zip(ours, unflushed, strict=True)) - 1
        work = statistics.median(a.work_s / b.wall_s for a, b in zip(ours, plain, strict=True))
        whole = statistics.median(a.wall_s / b.wall_s for a, b in zip(ours, plain, strict=True))
        figures |= {
            f"overhead_{count}": wall, f"overhead_cpu_{count}": cpu, f"flushes_{count}": flushes,
            f"work_ratio_{count}": work, f"whole_ratio_{count}": whole,
        }  # fmt: skip
        say(
            f"{count:2} tiny shots, {cut.frames} frames: overhead {wall:.1%} of the time, {cpu:.1%} of the processor; flushes alone "
            f"{flushes:+.1%}; against plain ffmpeg {work:.2f} without starting up, {whole:.2f} with it"
        )
    return figures
