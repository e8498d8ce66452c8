"""The thread into Resolve from end to end: the menu script in a bare Python, its hand, the wire, the companion, ffmpeg, the film,
and the markers in the timeline. The editor is the stand-in of `tests/fake_resolve`; no real one was there.

    python -m tests.proofs.resolve_story [--quick]

    well      a film is made and right in every frame and sample; chosen again there is nothing to do
    trouble   a timeline from 01:00:00:00 with one source missing and one damaged: markers at exactly the frames that the film
              does not show, beside the user's own; chosen again they stay; after healing ours go and the user's stay
    absent    no companion runs: the script starts one
    killed    the companion is killed (-9) while the job runs: the script follows on; film and markers are right
    left      the script itself is ended and chosen again: the same job
    words     nothing open, exports that fail or lie, a dialog, the free edition: a sentence, no job, nothing changed

Without --quick, `trouble` is told for other frame rates, start timecodes, editions and versions too.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import psutil

from bridge.protocol import endpoint
from bridge.services import launcher_info
from core.storage.journal import Journal
from tests.fake_resolve.running import Resolve, pythons, resolve
from tests.film.barcode import Mark
from tests.film.comparing import faults, shown
from tests.film.cutlist import SLATE, Cut
from tests.film.media import Movie, make_movie
from tests.proofs import report

SHOT, SHOTS = 12, 4
LENGTH = 48
SPOILED = (11, 23, 24)
"""Frames of the damaged source."""
MINE = ("mine", "about the music", "Hotsplice is nice")
EDITIONS: tuple[dict[str, Any], ...] = (
    {"studio": False, "version": [19, 1, 3, 7]},
    {"version": [21, 1, 0, 17], "singular": False},
    {"version": [18, 6, 6, 7], "rate_as": "text", "custom_lost": True},
    {"borrowed": True, "given": "app"},
)
TIMES: tuple[tuple[Fraction, str], ...] = (
    (Fraction(24), "01:00:00:00"), (Fraction(25), "10:00:00:00"), (Fraction(24000, 1001), "00:59:58:00"),
    (Fraction(30000, 1001), "01:00:00;00"),
)  # fmt: skip


@dataclass
class Room:
    """A user's folder: media, a timeline, a data folder with or without a companion that ran before."""

    place: Path
    rate: Fraction = Fraction(24)
    start: str = "01:00:00:00"
    wrong: list[str] = field(default_factory=list)
    pids: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        (self.place / "media").mkdir(parents=True)
        self.home = self.place / "home"
        self.home.mkdir()
        launcher_info.leave(self.home, "proof")

    def movie(self, number: int, frames: int = LENGTH, **options: Any) -> Movie:
        """A source of the timeline's rate."""
        path = self.place / "media" / f"A{number:03}.mov"
        return make_movie(
            path,
            source_id=number,
            frames=frames,
            rate=self.rate,
            codec="prores",
            audio="pcm",
            **options,
        )

    def cut(self, *sources: tuple[Movie, int, int]) -> Cut:
        """(source, first frame, frames) one after the other, picture and sound, then a gap under the last sound."""
        cut = Cut(self.rate, start=self.start)
        picture, sound = cut.video(), cut.audio()
        for movie, first, frames in sources:
            picture.clip(movie, first, frames)
            sound.clip(movie, first, frames)
        return cut

    @contextmanager
    def editor(self, cut: Cut, **state: Any):  # type: ignore[no-untyped-def]
        """Resolve with this cut open, without what OTIO cannot say: the script has to bring that."""
        path = cut.save(self.place / "cut.otio")
        bare = json.loads(path.read_text("utf-8"))
        bare["metadata"].pop("hotsplice")
        bare["name"] = ""
        path.write_text(json.dumps(bare), encoding="utf-8")
        timeline = {"timecode": self.start}
        with resolve(
            self.place / "films", path, home=self.home, timeline=timeline, **state
        ) as desk:
            yield desk

    def check(self, holds: bool, text: str) -> None:
        """Remember what does not hold."""
        if not holds:
            self.wrong.append(text)

    def jobs(self) -> list[str]:
        """All jobs on record."""
        if not (self.home / "journal.db").exists():
            return []
        journal = Journal(self.home / "journal.db")
        try:
            return [job for job, _ in journal.jobs()]
        finally:
            journal.close()

    def companion(self) -> int | None:
        """The process of the companion that runs."""
        found = endpoint.read(self.home)
        if found is None or not endpoint.alive(found):
            return None
        self.pids.add(found.pid)
        return found.pid

    def close(self) -> None:
        """End the companion that the script has started."""
        pid = self.companion()
        if pid is not None:
            process = psutil.Process(pid)
            process.terminate()
            psutil.wait_procs([process], timeout=30)


def ours(markers: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Markers that the user did not set."""
    return {frame: marker for frame, marker in markers.items() if marker["name"] not in MINE}


def theirs(markers: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """The user's own."""
    return {frame: marker for frame, marker in markers.items() if marker["name"] in MINE}


def spoiled(path: Path, frames: Collection[int]) -> bytes:
    """The file with the pictures of these frames gone, and nothing else."""
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(container.streams.video[0]) if packet.size]
        for frame in frames:
            begin, size = packets[frame].pos, packets[frame].size
            assert begin is not None
            data[begin + 64 : begin + size] = bytes(size - 64)
    return bytes(data)


def runs(frames: Sequence[int]) -> list[tuple[int, int]]:
    """(first, how many) of neighbours."""
    found: list[tuple[int, int]] = []
    for frame in frames:
        if found and frame == sum(found[-1]):
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((frame, 1))
    return found


# The scenes -----------------------------------------------------------------------------------------------------------


def well(room: Room, **state: Any) -> None:
    """All is well, twice."""
    movies = [room.movie(n) for n in (1, 2)]
    cut = room.cut((movies[0], 3, SHOT), (movies[1], 0, SHOT), (movies[0], 30, SHOT))
    with room.editor(cut, **state) as desk:
        desk.mark(0, MINE[0], "Red")
        lines = desk.run()
        room.check(
            any("Complete and verified." in line for line in lines),
            f"it does not say that all is well: {lines}",
        )
        room.wrong += faults(desk.film, cut)
        room.check(list(desk.markers()) == [0], "there are markers where nothing was found")
        before = desk.film.stat()
        again = desk.run()
        room.check(
            any("Nothing to do." in line for line in again),
            f"chosen again there is something to do: {again}",
        )
        room.check(
            os.path.samestat(before, desk.film.stat())
            and before.st_mtime_ns == desk.film.stat().st_mtime_ns,
            "the film was touched",
        )


def trouble(room: Room, **state: Any) -> None:
    """One source missing, one damaged; then healed."""
    good, lost, hurt = room.movie(1), room.movie(2), room.movie(3)
    cut = room.cut(
        (good, 0, SHOT), (lost, 5, SHOT), (good, 20, SHOT), (hurt, 0, LENGTH), (good, 40, 8)
    )
    whole = hurt.path.read_bytes()
    aside = lost.path.rename(room.place / "A002.mov")
    hurt.path.write_bytes(spoiled(hurt.path, SPOILED))
    with room.editor(cut, **state) as desk:
        desk.mark(SHOT, MINE[0], "Red")  # in the very frame where the missing shot begins
        desk.mark(2 * SHOT + 3, MINE[1], "Yellow", "othertool:7")
        desk.mark(cut.frames - 1, MINE[2], "Sky")
        own = desk.markers()
        lines = desk.run()
        room.check(
            any("Published, but incomplete." in line for line in lines),
            f"it does not say what is missing: {lines}",
        )
        _markers_are_right(room, desk, cut)
        found = desk.markers()
        again = desk.run()
        room.check(
            any("Published, but incomplete." in line for line in again),
            f"nothing was mended, and yet: {again}",
        )
        room.check(
            [(f, m["name"], m["note"], m["duration"]) for f, m in ours(desk.markers()).items()]
            == [(f, m["name"], m["note"], m["duration"]) for f, m in ours(found).items()],
            "chosen again the markers are others",
        )
        aside.rename(lost.path)
        hurt.path.write_bytes(whole)
        healed = desk.run()
        room.check(
            any("Complete and verified." in line for line in healed), f"it does not heal: {healed}"
        )
        room.wrong += faults(desk.film, cut)
        room.check(desk.markers() == own, "after healing not exactly the user's own markers stand")
        calls = set(desk.do("calls"))
        room.check(
            not {"Fusion.UIManager", "Timeline.DeleteMarkersByColor"} & calls,
            "it called what it must not",
        )


def _markers_are_right(room: Room, desk: Resolve, cut: Cut) -> None:
    """Against the film itself, decoded: what it does not show is what the markers say."""
    wanted, pictures = cut.pictures(), shown(desk.film)
    room.check(
        len(pictures) == len(wanted), f"the film has {len(pictures)} frames, not {len(wanted)}"
    )
    bad = [n for n, (w, p) in enumerate(zip(wanted, pictures, strict=False)) if w != p]
    room.check(
        all(pictures[n] == SLATE for n in bad),
        "the film shows something else than what was asked for or a slate",
    )
    missing, hurt = range(SHOT, 2 * SHOT), range(3 * SHOT, 3 * SHOT + LENGTH)
    room.check(
        [n for n in bad if n in missing] == list(missing),
        "the missing shot is not a slate of its own length",
    )
    damaged = runs([n for n in bad if n in hurt])
    room.check(
        bad == [*missing, *(hurt[frame] for frame in SPOILED)], f"frames {bad} are not as asked for"
    )
    markers = desk.markers()
    room.check(
        theirs(markers).keys() == {SHOT, 2 * SHOT + 3, cut.frames - 1},
        "the user's own markers were touched",
    )
    places = {
        (frame, round(marker["duration"]))
        for frame, marker in ours(markers).items()
        if marker["color"] == "Red"
    }
    expected = {(SHOT + 1, SHOT - 1), *damaged}
    room.check(places == expected, f"red markers stand at {sorted(places)}, not {sorted(expected)}")
    room.check(
        places == {(f, round(m["duration"])) for f, m in ours(markers).items()},
        f"there are other markers: {markers}",
    )
    for frame, marker in ours(markers).items():
        told = marker["name"], marker["note"], marker["customData"]
        name, path = (
            ("Media offline", "A002.mov")
            if frame == SHOT + 1
            else ("Part of a shot is missing", "A003.mov")
        )
        room.check(
            told[0] == f"Hotsplice: {name}" and path in told[1] and "\n→ " in told[1],
            f"the marker at {frame} says {told}",
        )
        room.check(
            told[2].startswith("hotsplice:") or desk_loses(desk),
            f"the marker at {frame} has {told[2]!r} as customData",
        )


def desk_loses(desk: Resolve) -> bool:
    """Whether this Resolve forgets customData."""
    return bool(desk.state["manners"].get("custom_lost"))


def absent(room: Room, **state: Any) -> None:
    """No companion runs, and one is left over as a file."""
    movie = room.movie(1)
    cut = room.cut((movie, 0, SHOT), (movie, 20, SHOT))
    with room.editor(cut, **state) as desk:
        room.check(room.companion() is None, "there is a companion before anybody asked")
        lines = desk.run()
        room.check(
            any("Complete and verified." in line for line in lines),
            f"no film without a companion: {lines}",
        )
        room.wrong += faults(desk.film, cut)
        pid = room.companion()
        room.check(pid is not None, "the companion ended with the script")
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=5)
        again = desk.run()
        room.check(
            any("Nothing to do." in line for line in again),
            f"after its death it is not started again: {again}",
        )


def killed(room: Room, *, kills: int = 2, **state: Any) -> None:
    """The companion is killed while the job runs, again and again."""
    good, lost = room.movie(1, 240, size=(960, 540)), room.movie(2)
    cut = room.cut((lost, 0, SHOT), *((good, 7 * shot, 72) for shot in range(20)))
    aside = lost.path.rename(room.place / "A002.mov")
    with room.editor(cut, **state) as desk:
        desk.choose()
        done = 0
        while done < kills and desk.do("console")["code"] is None:
            pid = room.companion()
            if pid is not None and len(room.pids) > done and _works(pid):
                os.kill(pid, signal.SIGKILL)
                done += 1
            time.sleep(0.02)
        lines = desk.ended()
        room.check(done == kills, f"only {done} of {kills} kills came in time")
        room.check(
            any("Published, but incomplete." in line for line in lines),
            f"the script did not follow on: {lines}",
        )
        pictures, wanted = shown(desk.film), cut.pictures()
        room.check(
            pictures[SHOT:] == wanted[SHOT:] and pictures[:SHOT] == [SLATE] * SHOT,
            "the film is not right",
        )
        markers = desk.markers()
        room.check(
            {(f, round(m["duration"])) for f, m in markers.items()} == {(0, SHOT)},
            f"the markers are not right: {markers}",
        )
        room.check(len(room.jobs()) == 1, "there is more than one job")
    aside.rename(lost.path)


def _works(pid: int) -> bool:
    """Whether a film is being made below this process."""
    try:
        return any(
            "ffmpeg" in process.name() for process in psutil.Process(pid).children(recursive=True)
        )
    except psutil.Error:
        return False


def left(room: Room, **state: Any) -> None:
    """The script is ended while it follows, and chosen again."""
    movie = room.movie(1, 240, size=(960, 540))
    cut = room.cut(*((movie, 5 * shot, 72) for shot in range(12)))
    with room.editor(cut, **state) as desk:
        desk.choose()
        until = time.monotonic() + 60
        while not any("on record" in line for line in desk.console()) and time.monotonic() < until:
            time.sleep(0.02)
        desk.do("end")
        lines = desk.run()
        room.check(
            any("is under work already" in line for line in lines),
            f"it is not known again: {lines}",
        )
        room.check(
            any("Complete and verified." in line for line in lines) and len(room.jobs()) == 1,
            "it is not the same job",
        )
        room.check(
            shown(desk.film) == [Mark(1, 5 * shot + n) for shot in range(12) for n in range(72)],
            "the film is not right",
        )
        room.check(desk.markers() == {}, "there are markers where nothing was found")


WORDS: tuple[tuple[str, dict[str, Any], dict[str, Any] | None], ...] = (
    ("No project is open.", {}, {"do": "open", "project": False}),
    ("No timeline is open.", {}, {"do": "open", "timeline": None}),
    ("The export failed.", {"export": "refuses"}, None),
    ("The export failed.", {"export": "lies"}, None),
    ("The export failed.", {"export": "empty"}, None),
    ("not a timeline", {"export": "damaged"}, None),
    ("The editor does not answer.", {}, {"do": "set", "manners": {"dialog": True}}),
    ("The editor does not answer.", {"studio": False, "dialog": True}, None),
    ("The editor is too old.", {"version": [18, 1, 4, 1]}, None),
    ("The editor failed.", {"raises": ["Timeline.Export"]}, None),
    ("no DaVinci Resolve", {"given": "nothing"}, None),
)


def words(room: Room, **_: Any) -> None:
    """Nothing comes of it, and that is said."""
    movie = room.movie(1)
    for number, (wanted, manners, command) in enumerate(WORDS):
        with room.editor(room.cut((movie, 0, SHOT)), **manners) as desk:
            desk.mark(2, MINE[0], "Red")
            if command:
                desk.do(
                    **{"command": command["do"], **{k: v for k, v in command.items() if k != "do"}}
                )
            lines = desk.run()
            room.check(
                bool(lines) and wanted in lines[0] and len(lines) <= 2,
                f"{number}: it says {lines}, not {wanted}",
            )
            room.check(
                list(desk.markers()) == [2] and not desk.film.exists(),
                f"{number}: something was changed",
            )
    room.check(not room.jobs() and room.companion() is None, "something was begun")


Scene = Callable[..., None]


def scenes(quick: bool) -> list[tuple[str, Scene, Fraction, str, dict[str, Any]]]:
    """(name, scene, rate, start, manners of the editor)."""
    one = TIMES[0]
    found: list[tuple[str, Scene, Fraction, str, dict[str, Any]]] = [
        (scene.__name__, scene, *one, {}) for scene in (well, trouble, absent, killed, left, words)
    ]
    if not quick:
        found += [
            (f"trouble at {float(rate):.5g} from {start}", trouble, rate, start, {})
            for rate, start in TIMES[1:]
        ]
        found += [
            (f"trouble in {json.dumps(manners)}", trouble, *one, manners) for manners in EDITIONS
        ]
        oldest = pythons()[0]
        found += [
            ("well from the oldest Python there is", well, *one, {"python": (oldest, "-S", "-E")}),
            ("killed five times", killed, *one, {"kills": 5}),
        ]
    return found


def play(place: Path, scene: Scene, rate: Fraction, start: str, state: dict[str, Any]) -> Room:
    """One scene in a room of its own, and what is wrong after it."""
    room = Room(place, rate, start)
    try:
        scene(room, **state)
    finally:
        room.close()
    return room


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; its exit code."""
    quick, say, began = report.quick(arguments), report.Say(), time.monotonic()
    wrongs: dict[str, list[str]] = {}
    todo = scenes(quick)
    with report.workplace("resolve-story") as place:
        for number, (name, scene, rate, start, state) in enumerate(todo):
            room = play(place / str(number), scene, rate, start, state)
            say(f"{name}: {'as it should be' if not room.wrong else '; '.join(room.wrong[:4])}")
            if room.wrong:
                wrongs[name] = room.wrong
        if wrongs:
            print(json.dumps(wrongs, ensure_ascii=False, indent=1), flush=True)
    return report.close(
        "resolve_story",
        not wrongs,
        quick=quick,
        seconds=time.monotonic() - began,
        scenes=len(todo),
        wrong=len(wrongs),
    )


if __name__ == "__main__":
    sys.exit(main())
