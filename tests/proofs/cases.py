"""The small jobs that are killed: their cuts, and the situations in which a run is killed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.film import reading
from tests.film.media import make_movie, make_wav
from tests.film.timelines import timeline
from tests.proofs.stage import Lane, bytes_hash


@dataclass(frozen=True)
class Case:
    """An old cut, a new one, and a third one for those who change their mind; all for the same film."""

    name: str
    film: str
    old: Path
    new: Path
    third: Path

    def assemble(self, lane: Lane, cut: Path) -> list[str]:
        """The command line for a cut; one that is incomplete takes the film's place too, so that a film is replaced."""
        film = str(self.standing(lane))
        return [
            "assemble",
            str(cut),
            "-o",
            film,
            "-p",
            self.name,
            "-j",
            "2",
            "--json",
            "--replace-complete",
        ]

    def standing(self, lane: Lane) -> Path:
        """Where the film stands."""
        return lane.root / "out" / self.film

    def kept(self, lane: Lane) -> Path:
        """Where the replaced film is kept."""
        return lane.root / "out" / ".hotsplice" / f"{self.film}.previous"


@dataclass(frozen=True)
class Truth:
    """What a run that nobody disturbs ends in: exit code, the film's bytes, its decoded frames and sound."""

    exit_code: int
    film: str
    frames: tuple[str, ...]
    sound: str


@dataclass(frozen=True)
class Films:
    """The films of a case, and the state each lane can be put back to: `empty`, `old` and `new`, by name of the case."""

    old: Truth
    new: Truth
    third: Truth


@dataclass(frozen=True)
class Situation:
    """A run to be killed: `argv` from a saved state, then `again` (the same when empty) undisturbed.

    `may_stand` are the hashes of films that may stand there after a kill, `must_remain` those that must be somewhere.
    `ends_in` stands at the end, with `keeps` kept (None: whatever stood there before).
    """

    name: str
    case: Case
    state: str
    argv: Sequence[str]
    again: Sequence[str]
    may_stand: frozenset[str]
    must_remain: frozenset[str]
    ends_in: Truth
    keeps: str | None


def make_cases(folder: Path) -> list[Case]:
    """Sources and cuts. ProRes: six shots, of which one a gap, one without its media, two copied packet by packet and two
    encoded, with PCM. H.264: three, everything encoded, with AAC, which has a step of its own."""
    folder.mkdir()
    a = make_movie(folder / "a.mov", source_id=1, frames=60, codec="prores", audio="pcm")
    b = make_movie(folder / "b.mp4", source_id=2, frames=60, codec="h264", audio="aac")
    wav = make_wav(folder / "c.wav", source_id=3, samples=240_000)
    cuts = {}
    for name, first in (("old", 0), ("third", 20)):
        film = timeline(24, name=name)
        film.video().clip(a, first, 14).clip(b, first + 1, 10)
        film.audio().clip(a, first, 14)
        cuts[name] = film.save(folder / f"{name}.otio")
    film = timeline(24, name="new")
    film.video().clip(a, 4, 16).gap(9).clip(b, 5, 16).clip(folder / "gone.mov", 0, 11).clip(
        a, 30, 20
    ).clip(b, 30, 18)
    film.audio().clip(a, 4, 16).gap(9).clip(wav, 24, 40)
    cuts["new"] = film.save(folder / "new.otio")
    film = timeline(24, name="review")
    film.video().clip(a, 2, 16).clip(b, 8, 12).gap(6)
    film.audio().clip(a, 2, 16).clip(b, 8, 12)
    cuts["review"] = film.save(folder / "review.otio")
    return [
        Case("prores-hq", "film.mov", cuts["old"], cuts["new"], cuts["third"]),
        Case("h264", "film.mp4", cuts["old"], cuts["review"], cuts["third"]),
    ]


def prepare(case: Case, lane: Lane) -> Films:
    """Publish the films of a case in a lane, and save the states in between."""
    lane.clear()
    lane.save(f"{case.name} empty")
    truths = []
    for cut, state in ((case.old, "old"), (case.new, "new"), (case.third, "third")):
        if state == "third":
            lane.restore(f"{case.name} old")
        ended = lane.run(case.assemble(lane, cut))
        if ended.exit_code not in (0, 1):
            raise RuntimeError(
                f"the undisturbed run ended with {ended.exit_code}: {ended.said[-2000:]}"
            )
        lane.save(f"{case.name} {state}")
        film = case.standing(lane)
        truths.append(
            Truth(
                ended.exit_code,
                bytes_hash(film),
                tuple(reading.frame_hashes(film)),
                reading.audio_hash(film),
            )
        )
    return Films(*truths)


def situations(case: Case, films: Films, lane: Lane) -> dict[str, Situation]:
    """All situations of a case, by name, with a lane's paths."""
    old, new = films.old.film, films.new.film
    assemble, instead = case.assemble(lane, case.new), case.assemble(lane, case.third)
    rollback = ["rollback", str(case.standing(lane))]
    back = Truth(0, old, films.old.frames, films.old.sound)
    rows: tuple[
        tuple[str, str, list[str], list[str], set[str], set[str], Truth, str | None], ...
    ] = (
        # name, state, argv, again, what may stand, what must remain, what it ends in, what is kept then
        ("publish", "old", assemble, assemble, {old, new}, {old}, films.new, old),
        ("first film", "empty", assemble, assemble, {"absent", new}, set(), films.new, "absent"),
        ("nothing to do", "new", assemble, assemble, {new}, {old, new}, films.new, old),
        ("another cut instead", "old", assemble, instead, {old, new}, {old}, films.third, None),
        (
            "film after rollback",
            "new",
            rollback,
            instead,
            {old, new},
            {old, new},
            films.third,
            None,
        ),
        ("rollback", "new", rollback, rollback, {old, new}, {old, new}, back, new),
    )
    return {
        name: Situation(
            name,
            case,
            f"{case.name} {state}",
            argv,
            again,
            frozenset(may),
            frozenset(must),
            ends,
            keeps,
        )
        for name, state, argv, again, may, must, ends, keeps in rows
    }
