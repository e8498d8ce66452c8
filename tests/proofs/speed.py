"""Speed, as ratios within one run: the same cut through one plain ffmpeg command and through Hotsplice, alternating.

    python -m tests.proofs.speed [overhead] [--quick]

What is compared and why it is fair: the same ffmpeg binary, the same encoder options, the same sources, sound
included; the plain command uses as many threads as it likes and verifies nothing. Machines are noisy: ratios are
medians over alternating rounds, and the processor's own seconds stand beside them.
"""

from __future__ import annotations

import shutil
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.film.media import Movie
from tests.proofs import overhead, report
from tests.proofs.bench import (
    Cut,
    Run,
    compile_all,
    copy_bytes,
    hotsplice,
    make_cut,
    make_sources,
    plain_ffmpeg,
)

Figures = dict[str, float]

GOALS = {
    "encode_2s_ratio": 1.0,
    "encode_quarter_ratio": 1.0,
    "overhead_share": 0.05,
    "copy_ratio": 1.2,
    "memory_ratio": 1.15,
    "changed_shot_share": 0.1,
}


def _median(runs: list[Run]) -> float:
    return statistics.median(run.wall_s for run in runs)


def _against_plain(
    name: str, cut: Cut, preset: str, place: Path, rounds: int, figures: Figures, say: report.Say
) -> None:
    plain: list[Run] = []
    ours: list[Run] = []
    for number in range(rounds):
        for first in (
            True,
            False,
        ):  # neither is always the first of a round: a machine slows down and recovers
            if first is (number % 2 == 0):
                plain.append(plain_ffmpeg(cut, preset, place / f"plain{number}"))
                shutil.rmtree(place / f"plain{number}")
            else:
                ours.append(hotsplice(cut, preset, place / f"ours{number}", fresh=True))
                shutil.rmtree(place / f"ours{number}")
    ratio = statistics.median(b.wall_s / a.wall_s for a, b in zip(plain, ours, strict=True))
    cpu = statistics.median(b.cpu_s / a.cpu_s for a, b in zip(plain, ours, strict=True))
    share = statistics.median(run.summary["held_s"] / run.summary["engine_s"] for run in ours)
    figures[f"{name}_ratio"], figures[f"{name}_cpu_ratio"] = ratio, cpu
    figures[f"{name}_whole_ratio"] = sum(run.wall_s for run in ours) / sum(
        run.wall_s for run in plain
    )
    figures[f"{name}_overhead_share"] = share
    say(
        f"{name}: {len(cut.shots)} shots, {cut.frames} frames, {preset}: plain {_median(plain):.2f} s, Hotsplice {_median(ours):.2f} s, "
        f"ratio {ratio:.3f} (all rounds together {figures[f'{name}_whole_ratio']:.3f}, processor {cpu:.3f}); journal, hashing and verification {share:.2%} of the time"
    )


def _resume(cut: Cut, preset: str, place: Path, figures: Figures, say: report.Say) -> None:
    """Kill at half and resume; then change one shot of the finished film."""
    whole = hotsplice(cut, preset, place / "whole", fresh=True)
    half = hotsplice(cut, preset, place / "half", fresh=True, kill_after=len(cut.shots) // 2)
    rest = hotsplice(cut, preset, place / "half")
    figures["undisturbed_s"], figures["killed_at_s"], figures["resumed_s"] = (
        whole.wall_s,
        half.wall_s,
        rest.wall_s,
    )
    figures["progress_after_s"] = rest.first_seal_s
    figures["resume_loss_share"] = (half.wall_s + rest.wall_s - whole.wall_s) / whole.wall_s
    say(
        f"resume: undisturbed {whole.wall_s:.2f} s; killed after {half.wall_s:.2f} s, resumed in {rest.wall_s:.2f} s "
        f"({rest.summary['reused']} checkpoints reused, new work sealed after {rest.first_seal_s:.2f} s)"
    )
    changed = hotsplice(cut.with_one_shot_changed(), preset, place / "whole")
    share = changed.wall_s / whole.wall_s
    figures["changed_shot_share"], figures["changed_shot_frames"] = (
        share,
        changed.summary["rendered_frames"],
    )
    say(
        f"one shot of {len(cut.shots)} changed: {changed.wall_s:.2f} s, {share:.1%} of the film's time, "
        f"{changed.summary['rendered_frames']} of {cut.frames} frames made"
    )


def _copying(cut: Cut, place: Path, rounds: int, figures: Figures, say: report.Say) -> None:
    """The fast path against cp. `work_s` leaves out starting Python and opening the media, as cp has none of that."""
    first = hotsplice(cut, "prores-hq", place / "copies", fresh=True)
    film = place / "copies" / "film.mov"
    size = film.stat().st_size
    ratios, whole = [], []
    for _ in range(rounds):
        bare = copy_bytes(film, place / "copied.mov")
        film.unlink()
        ours = hotsplice(cut, "prores-hq", place / "copies")
        again = copy_bytes(
            film, place / "copied.mov"
        )  # before and after: a disk of a virtual machine has moods
        bare_s = (bare.wall_s + again.wall_s) / 2
        ratios.append(ours.work_s / bare_s)
        whole.append(ours.wall_s / bare_s)
    figures["copy_ratio"], figures["copy_whole_ratio"] = (
        statistics.median(ratios),
        statistics.median(whole),
    )
    figures["copy_bytes"], figures["copy_first_time_fps"] = float(size), cut.frames / first.wall_s
    say(
        f"stream copy: {cut.frames} ProRes frames, {size / 1e9:.2f} GB: {figures['copy_ratio']:.2f} of cp + fsync with hashes on "
        f"record [{min(ratios):.2f} to {max(ratios):.2f}], {figures['copy_whole_ratio']:.2f} with starting up; the first time, with "
        f"a decode of the used range, {first.wall_s:.1f} s ({figures['copy_first_time_fps']:.0f} frames a second)"
    )


def _memory(
    sources: Sequence[Movie], place: Path, few: int, many: int, figures: Figures, say: report.Say
) -> None:
    """Peaks last milliseconds and memory is looked at ten times a second: the same number of shots is looked at on both sides."""
    short = make_cut(sources, few, 6, place / "few.otio")
    small = max(
        hotsplice(short, "mjpeg", place / "few", fresh=True, watch=True).peak_mib
        for _ in range(many // few)
    )
    large = hotsplice(
        make_cut(sources, many, 6, place / "many.otio"),
        "mjpeg",
        place / "many",
        fresh=True,
        watch=True,
    ).peak_mib
    figures["memory_few_mib"], figures["memory_many_mib"] = small, large
    figures["memory_ratio"] = large / small
    say(
        f"memory (all processes): {few} shots, {many // few} times over, {small:.0f} MiB; {many} shots {large:.0f} MiB"
    )


def _overhead_alone(place: Path, quick: bool, say: report.Say) -> int:
    """The section on what recovery costs on tiny films, judged by itself."""
    counts = overhead.QUICK if quick else overhead.COUNTS
    figures = overhead.measure(place, 2 if quick else 12, say, counts)
    judged = [f"{name}_{count}" for count in counts for name in ("overhead", "compared_cpu")]
    missed = [name for name in judged if figures[name] > overhead.GOAL]
    for name in missed:
        say(f"missed: {name} {figures[name]:.3f} (goal {overhead.GOAL})")
    return report.close(
        "speed overhead", quick or not missed, judged=not quick, missed=missed, **figures
    )


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, judge against the goals. In `--quick` the pictures are small, and so the start-up weighs more:
    only the full run judges."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    alone = "overhead" in words
    quick = report.quick([word for word in words if word != "overhead"])
    figures: Figures = {}
    with report.workplace("speed") as place:
        say = report.Say()
        compile_all()
        if alone:
            return _overhead_alone(place, quick, say)
        size = (640, 360) if quick else (1920, 1080)
        sources = make_sources(place / "media", size, "h264", 3, 240 if quick else 600)
        say("sources are made")
        rounds = 2 if quick else 6
        _against_plain(
            "encode_2s",
            make_cut(sources, 12 if quick else 24, 45, place / "long.otio"),
            "h264",
            place,
            rounds,
            figures,
            say,
        )
        _against_plain(
            "encode_quarter",
            make_cut(sources, 24 if quick else 60, 6, place / "short.otio"),
            "h264",
            place,
            rounds,
            figures,
            say,
        )
        _resume(
            make_cut(sources, 30 if quick else 60, 24, place / "resume.otio"),
            "h264",
            place,
            figures,
            say,
        )
        stock = make_sources(place / "prores", size, "prores", 2, 240 if quick else 480)
        _copying(
            make_cut(stock, 12 if quick else 40, 48, place / "copy.otio"),
            place,
            3 if quick else 9,
            figures,
            say,
        )
        tiny = make_sources(place / "small", (320, 180), "h264", 3, 240)
        _memory(tiny, place, 20 if quick else 60, 100 if quick else 600, figures, say)
    figures["overhead_share"] = max(
        figures["encode_2s_overhead_share"], figures["encode_quarter_overhead_share"]
    )
    missed = [name for name, goal in GOALS.items() if figures[name] > goal]
    for name, goal in GOALS.items():
        say(f"{'missed' if name in missed else 'held'}: {name} {figures[name]:.3f} (goal {goal})")
    return report.close("speed", quick or not missed, judged=not quick, missed=missed, **figures)


if __name__ == "__main__":
    sys.exit(main())
