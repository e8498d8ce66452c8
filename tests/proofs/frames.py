"""Frame exactness, proven by decoding: every frame of every film carries its source and number, every sample is compared.

    python -m tests.proofs.frames [--quick]

What each frame must show and each sample must be is worked out from the cut alone (`tests.film.cutlist`), not by the
product. The cuts are random but seeded and leave no corner out (`random_cuts`). Films with uncompressed sound are compared
bit for bit; AAC by its count, its position at begin, middle and end, and its energy at every join.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.film.assembling import House
from tests.film.comparing import (
    coded_faults,
    complaints,
    faults,
    payloads,
    picture_faults,
    stamp_faults,
)
from tests.film.cutlist import Cut, plain
from tests.proofs import report
from tests.proofs.random_cuts import random_cut
from tests.proofs.stock import RATES, Stock

ENDINGS = {"prores-hq": ".mov", "dnxhr-hq": ".mov", "h264": ".mp4", "ffv1": ".mkv", "mjpeg": ".mov"}
QUICK = (
    ("prores-hq", "24"),
    ("h264", "23.976"),
    ("mjpeg", "29.97"),
    ("ffv1", "25"),
    ("dnxhr-hq", "59.94"),
)


@dataclass
class Tally:
    """What was compared, and what was wrong."""

    films: int = 0
    frames: int = 0
    samples: int = 0
    shots: int = 0
    wrong: list[str] = field(default_factory=list)

    def note(self, name: str, cut: Cut, shots: int, found: list[str], say: report.Say) -> None:
        """One more film."""
        self.films, self.shots = self.films + 1, self.shots + shots
        self.frames, self.samples = self.frames + cut.frames, self.samples + cut.samples
        self.wrong += [f"{name}: {text}" for text in found]
        say(
            f"{name:24} {shots:3} shots {cut.frames:5} frames {cut.samples:8} samples  {'right' if not found else found[0]}"
        )


def _film(
    house: House,
    place: Path,
    preset: str,
    rate: str,
    stock: Stock,
    seed: str,
    shots: int,
    tally: Tally,
    say: report.Say,
) -> None:
    coded = preset == "h264"
    cut = random_cut(stock, rate, seed, shots=shots, tone=coded)
    path, film = place / f"{seed}.otio", place / f"{seed}{ENDINGS[preset]}"
    cut.save(path)
    ended = house.assemble(path, film, preset)
    found: list[str] = []
    if ended.code != 0:
        found.append(
            f"exit {ended.code}: {ended.summary.get('message')} {ended.summary.get('problems')} {ended.summary.get('remarks')}"[
                :400
            ]
        )
    if film.exists():
        found += (
            [*picture_faults(film, cut), *coded_faults(film, cut), *stamp_faults(film, cut)]
            if coded
            else faults(film, cut)
        )
        found += complaints(film)
        film.unlink()
    tally.note(
        f"{preset} {rate} {seed.rpartition('-')[2]}",
        cut,
        int(ended.summary.get("shots", 0)),
        found,
        say,
    )


def _copied(house: House, place: Path, stock: Stock, tally: Tally, say: report.Say) -> None:
    """Sources in the film's own format: the packets of the film are the sources', bit for bit."""
    for preset, kind in (("prores-hq", "prores"), ("mjpeg", "mjpeg")):
        movie = stock.movie("24", kind)
        cut = plain(20, movie, movie, movie)
        path, film = place / f"copied-{kind}.otio", place / f"copied-{kind}.mov"
        cut.save(path)
        ended = house.assemble(path, film, preset)
        found = [] if ended.code == 0 else [f"exit {ended.code}"]
        if ended.facts("FilmPlanned") and ended.facts("FilmPlanned")[0]["copied"] == 0:
            found.append("nothing was copied")
        source = set(payloads(movie.path))
        if film.exists():
            found += faults(film, cut)
            if any(packet not in source for packet in payloads(film)):
                found.append("packets differ from the source's")
        tally.note(f"{preset} copied", cut, int(ended.summary.get("shots", 0)), found, say)


def main(arguments: list[str] | None = None) -> int:
    """Make the films, compare them, print what was found."""
    quick = report.quick(arguments)
    say, tally = report.Say(), Tally()
    with report.workplace("frames") as place:
        stock, house = Stock(place / "stock"), House(place / "home")
        matrix = QUICK if quick else [(preset, rate) for preset in ENDINGS for rate in RATES]
        for preset, rate in matrix:
            for seed in range(1 if quick else 2):
                _film(
                    house,
                    place,
                    preset,
                    rate,
                    stock,
                    f"{preset}-{rate}-{seed}",
                    8 if quick else 30,
                    tally,
                    say,
                )
        _copied(house, place, stock, tally, say)
    for text in tally.wrong[:40]:
        say(f"WRONG {text}")
    return report.close(
        "frames",
        not tally.wrong,
        quick=quick,
        films=tally.films,
        shots=tally.shots,
        frames=tally.frames,
        samples=tally.samples,
        wrong=len(tally.wrong),
    )


if __name__ == "__main__":
    sys.exit(main())
