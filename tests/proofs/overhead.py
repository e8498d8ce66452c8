"""What recovery costs on the smallest films, where it weighs most.

    python -m tests.proofs.speed overhead [--quick]

Films of 1, 4, 12, 40 and 300 shots of about 12 frames (320x180, H.264). Each is made in turn by

- Hotsplice;
- Hotsplice without the machinery: no journal, flush, hash, mark, index or verification, in any of its processes
  (`bare/sitecustomize.py`). It must come to the same film, byte for byte;
- one plain ffmpeg command, as one would write it by hand.

Printed are two measures of one thing. *Counted*: what `hotsplice stats` tells of the first, that is the seconds by which records and
checks held the run up, as a share of the whole run and of the run after start-up, and their share of the processor
(`core.report.statistics` says what is in them). *Compared*: by how much the first took more than the second, of the processor
and of the time. Counting is steady on a busy machine; comparing leaves nothing out, but a share of a few hundredths is less than
what two equal runs differ by: it is the median over pairs, with the spread of the middle half beside it.
"""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable
from pathlib import Path

from tests.proofs import report
from tests.proofs.bench import Run, hotsplice, make_cut, make_sources, plain_ffmpeg

COUNTS = (1, 4, 12, 40, 300)
GOAL = 0.05
QUICK = COUNTS[:4]


def measure(
    place: Path, rounds: int, say: report.Say, counts: tuple[int, ...] = COUNTS
) -> dict[str, float]:
    """The figures, by what they are and the number of shots. RuntimeError when the two films differ."""
    sources = make_sources(place / "tiny", (320, 180), "h264", 3, 240)
    figures: dict[str, float] = {}
    for count in counts:
        cut = make_cut(sources, count, 12, place / f"tiny{count}.otio")
        plain, ours, bare = list[Run](), list[Run](), list[Run]()
        for number in range(max(2, rounds // 3) if count > 100 else rounds):
            for first in (
                number % 2 == 0,
                number % 2 == 1,
            ):  # neither is always the first: a machine has moods
                made = ours if first else bare
                made.append(
                    hotsplice(
                        cut,
                        "h264",
                        place / ("ours" if first else "bare"),
                        fresh=True,
                        bare=not first,
                    )
                )
            plain.append(plain_ffmpeg(cut, "h264", place / "plain"))
            if (place / "ours" / "film.mp4").read_bytes() != (
                place / "bare" / "film.mp4"
            ).read_bytes():
                raise RuntimeError(f"{count} shots: without recovery another film is made")
            for name in ("plain", "ours", "bare"):
                shutil.rmtree(place / name)

        def told(share: Callable[[dict[str, float]], float], runs: list[Run] = ours) -> float:
            return statistics.median(share(run.summary) for run in runs)

        whole = told(lambda run: run["held_s"] / (run["startup_s"] + run["engine_s"]))
        work = told(lambda run: (run["held_s"] - run["startup_held_s"]) / run["engine_s"])
        processor = told(lambda run: run["overhead_cpu_s"] / run["cpu_s"])
        more_cpu = sorted((a.cpu_s - b.cpu_s) / a.cpu_s for a, b in zip(ours, bare, strict=True))
        more_wall = sorted(
            (a.wall_s - b.wall_s) / a.wall_s for a, b in zip(ours, bare, strict=True)
        )
        ratio = statistics.median(a.wall_s / b.wall_s for a, b in zip(ours, plain, strict=True))
        ratio_work = statistics.median(
            a.work_s / b.wall_s for a, b in zip(ours, plain, strict=True)
        )
        figures |= {
            f"overhead_{count}": whole, f"overhead_work_{count}": work, f"overhead_cpu_{count}": processor,
            f"compared_cpu_{count}": statistics.median(more_cpu), f"compared_wall_{count}": statistics.median(more_wall),
            f"startup_s_{count}": told(lambda run: run["startup_s"]), f"engine_s_{count}": told(lambda run: run["engine_s"]),
            f"whole_ratio_{count}": ratio, f"work_ratio_{count}": ratio_work,
        }  # fmt: skip
        say(
            f"{count:3} tiny shots, {cut.frames} frames: start-up {figures[f'startup_s_{count}']:.2f} s, then "
            f"{figures[f'engine_s_{count}']:.2f} s. Counted: {whole:.1%} of the time, {work:.1%} without start-up, {processor:.1%} "
            f"of the processor. Compared with none, {len(more_cpu)} pairs: {_middle(more_cpu)} of the processor, "
            f"{_middle(more_wall)} of the time. Plain ffmpeg: {ratio:.2f} times its time, {ratio_work:.2f} without start-up"
        )
    return figures


def _middle(values: list[float]) -> str:
    """The median of sorted values, and the middle half."""
    quarter = len(values) // 4
    return (
        f"{statistics.median(values):+.1%} [{values[quarter]:+.1%} to {values[-1 - quarter]:+.1%}]"
    )
