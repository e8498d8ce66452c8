"""The scratch folder within its budget, after real films: what goes, and what never goes by itself. The real command."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.job.events import SegmentSealed
from core.storage.journal import Journal
from tests.film.assembling import ROOT, House
from tests.film.media import Movie
from tests.film.test_assemble_story import cut_of
from tests.film.test_cleaning_story import reels as reels
from tests.film.test_cleaning_story import stored, with_scratch


class Desk:
    """A data folder with two films, made one after the other, and no budget."""

    def __init__(self, tmp_path: Path, reels: list[Movie]) -> None:
        self.path, self.reels, self.house = tmp_path, reels, House(tmp_path / "home")
        self.house.home.mkdir()
        self.scratch = self.house.home / "scratch"
        self.budget("off")
        self.films = [self.make(number) for number in (0, 1)]

    def budget(self, said: str) -> None:
        (self.house.home / "settings.yaml").write_text(f"scratch_budget: {said}\n")

    def cut(self, number: int) -> Path:
        path = self.path / f"{number}.otio"
        return path if path.exists() else cut_of([(self.reels[number].path, 0, 40)], path)

    def make(self, number: int, name: str = "") -> Path:
        film = self.path / (name or f"{number}.mov")
        ended = self.house.assemble(self.cut(number), film)
        assert ended.code == 0
        self.last = ended
        return film

    def keys(self) -> dict[str, set[str]]:
        """Film to the names of its segments, from its own facts."""
        journal = Journal(self.house.home / "journal.db")
        made: dict[str, set[str]] = {}
        for job, _ in journal.jobs():
            seals = {
                Path(e.fact.file).name
                for e in journal.facts(job)
                if isinstance(e.fact, SegmentSealed) and e.fact.file
            }
            made.setdefault(journal.accepted(job).output, set()).update(seals)
        journal.close()
        return made

    def log(self, event: str) -> list[dict[str, Any]]:
        text = (self.house.home / "logs" / "hotsplice.log").read_text()
        return [line for line in map(json.loads, text.splitlines()) if line["event"] == event]

    def remarks(self) -> list[str]:
        return [one["code"] for one in self.last.summary["remarks"]]

    def sound(self) -> None:
        """The store is consistent: every segment on record is there with its bytes."""
        journal = Journal(self.house.home / "journal.db")
        for seal, _ in journal.all_seals():
            assert (
                not seal.file or (self.scratch / "store" / seal.file).stat().st_size == seal.bytes
            )
        journal.close()


@pytest.fixture
def desk(tmp_path: Path, reels: list[Movie]) -> Desk:
    return Desk(tmp_path, reels)


def test_the_oldest_verified_segments_go_until_the_budget_is_met(desk: Desk) -> None:
    before = stored(desk.scratch)
    size = sum(path.stat().st_size for path in (desk.scratch / "store").rglob("*.*"))
    desk.budget(f"{size / 1000 + 1} KB")
    said = " ".join(desk.house.words("clean", "--dry-run").split())
    assert "budget" not in said, "under it"
    desk.budget(f"{size / 1000 - 1} KB")
    said = " ".join(desk.house.words("clean", "--dry-run").split())
    assert (
        "alone would free" in said
        and "1 segment of 1 film." in said
        and stored(desk.scratch) == before
    )
    again = desk.house.assemble(desk.cut(1), desk.films[1])
    assert (again.code, again.made, again.summary["outcome"]) == (0, 0, "unchanged")
    (gone,) = set(before) - set(stored(desk.scratch))
    assert gone in desk.keys()[str(desk.films[0])], "of the older film, before the newer"
    (line,) = desk.log("scratch collected")
    assert (
        str(desk.films[0]) in line["message"]
        and line["segments"] == 1
        and "verified" in line["message"]
    )
    desk.sound()


@pytest.mark.long
def test_after_a_film_its_own_segments_go_when_the_others_are_not_enough(desk: Desk) -> None:
    desk.budget("1 KB")
    desk.make(2)
    assert stored(desk.scratch) == [] and desk.remarks() == []
    assert len(desk.log("scratch collected")) == 3
    assert desk.house.run("check", desk.films[0]).code == 0


def test_what_its_film_does_not_hold_any_more_stays_and_that_is_said_once(desk: Desk) -> None:
    one, two = desk.films
    one.unlink()
    with two.open("r+b") as film:
        film.seek(two.stat().st_size // 2)
        byte = film.read(1)[0]
        film.seek(-1, os.SEEK_CUR)
        film.write(bytes([byte ^ 1]))
    before = stored(desk.scratch)
    desk.budget("1 KB")
    said = " ".join(desk.house.words("clean", "--dry-run").split())
    assert "Scratch over its budget" in said and "would free 0 bytes" in said
    desk.make(2)
    assert stored(desk.scratch) == before and desk.remarks() == ["scratch-over-budget"]
    assert "took" not in desk.log("scratch over budget")[0]["message"]
    desk.make(2, "other.mov")
    assert desk.remarks() == [], "said once"
    again = desk.house.assemble(desk.cut(0), one)
    assert (again.code, again.made) == (0, 0), "its segments are all there is of it"


@pytest.mark.long
def test_what_an_open_job_has_made_or_a_replaced_cut_stays(desk: Desk) -> None:
    journal = Journal(desk.house.home / "journal.db")
    job = journal.jobs()[0][0]
    accepted, raw = journal.request(job)
    other = type(accepted)(
        **{
            **{f: getattr(accepted, f) for f in accepted.__struct_fields__},
            "output": str(desk.path / "a.mov"),
        }
    )
    journal.accept("open99", other, raw, 1.0)
    journal.append(
        "open99", [e.fact for e in journal.facts(job) if isinstance(e.fact, SegmentSealed)][:1], 2.0
    )
    (wanted,) = {
        Path(e.fact.file).name for e in journal.facts("open99") if isinstance(e.fact, SegmentSealed)
    }
    journal.close()
    of_second = desk.keys()[str(desk.films[1])]
    desk.budget("1 KB")
    desk.house.assemble(desk.cut(2), desk.films[1])  # replaces the second film's cut
    assert set(stored(desk.scratch)) == {wanted} | of_second


def test_what_another_data_folder_has_in_its_index_stays(
    tmp_path: Path, reels: list[Movie]
) -> None:
    scratch = tmp_path / "scratch"
    ours, theirs = (
        with_scratch(tmp_path / "ours", scratch),
        with_scratch(tmp_path / "theirs", scratch),
    )
    shared = cut_of([(reels[0].path, 0, 40)], tmp_path / "0.otio")
    for house in (ours, theirs):
        assert house.assemble(shared, tmp_path / f"{house.home.name}.mov").code == 0
    before = stored(scratch)
    (ours.home / "settings.yaml").write_text(f"scratch: {scratch}\nscratch_budget: 1 KB\n")
    ended = ours.assemble(cut_of([(reels[1].path, 0, 40)], tmp_path / "1.otio"), tmp_path / "1.mov")
    assert ended.code == 0 and [one["code"] for one in ended.summary["remarks"]] == [
        "scratch-over-budget"
    ]
    assert stored(scratch) == before
    (tmp_path / "theirs.mov").unlink()
    again = theirs.assemble(shared, tmp_path / "theirs.mov")
    assert (again.code, again.made) == (0, 0)


KILLED = """
import os, signal, sys
from bridge.cli.main import main
from core.storage.workspace import Workspace
left, remove = int(sys.argv.pop(1)), Workspace.remove_stored
def cut(self, file):
    global left
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    return remove(self, file)
Workspace.remove_stored = cut
main(sys.argv[1:])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_a_kill_in_the_middle_leaves_a_store_that_the_next_run_puts_in_order(desk: Desk) -> None:
    before = stored(desk.scratch)
    desk.budget("1 KB")
    words = ["assemble", str(desk.cut(1)), "-o", str(desk.films[1]), "--json"]
    env = {**os.environ, "HOTSPLICE_HOME": str(desk.house.home), "PYTHONPATH": str(ROOT)}
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, "1", *words],
        env=env,
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    desk.sound()
    assert len(stored(desk.scratch)) == len(before) - 1
    desk.budget("off")
    again = desk.house.assemble(desk.cut(1), desk.films[1])
    assert again.code == 0
    desk.sound()
    known = (
        sqlite3.connect(desk.house.home / "journal.db").execute("SELECT key FROM seals").fetchall()
    )
    assert len(known) >= len(before) - 2, "what was to go and did not is on record again"
    desk.budget("1 KB")
    desk.make(2)
    assert len(stored(desk.scratch)) <= 1, (
        "at most the one that lost its entry and not yet its file: `clean` takes it"
    )
