"""Opening media and finding it again: what is asked of workers, what is taken, what is remembered. Hands for workers that
make films, the real search."""

from __future__ import annotations

import errno
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from core.engine import run_tasks
from core.engine.relink import Opened, Relinker
from core.errors.failure import Evidence, Failure
from core.executors.worker_pool import WorkerPool
from core.job.events import Answered, JobAccepted, SourceMoved
from core.media import hashes
from core.storage.history import History, SourceRecord
from core.storage.journal import Journal
from core.system import machine
from core.tasks import media_search
from core.tasks.spec import Examined, ExamineSource, FindSources, Found, Match, Order, Outcome
from core.timeline.source import Source
from tests.core.hands import Hands, Trick
from tests.core.props import POLICY, picture, source

QUICK = msgspec.structs.replace(
    POLICY, first_delay_s=0.0, longest_delay_s=0.0, search_s=5.0, gate_patience_s=0.2
)
OUTPUT = Path("/films/film.mov")


@dataclass
class Shelf:
    """Files on disk that hands open as media, a memory, and what was said."""

    root: Path
    steps: list[tuple[str, int, int]] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.journal = Journal(self.root / "home" / "journal.db")
        self.memory = History(self.journal)

    def put(self, name: str, content: bytes) -> str:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return str(path)

    def move(self, name: str, to: str) -> str:
        (self.root / to).parent.mkdir(parents=True, exist_ok=True)
        os.rename(self.root / name, self.root / to)
        return str(self.root / to)

    def open(
        self, *paths: str, folders: tuple[str, ...] = (), stopped: object = lambda: False, tricks: tuple[Trick, ...] = (),
        replaced: dict[str, str] | None = None,
    ) -> Opened:  # fmt: skip
        self.orders.clear()
        self.steps.clear()
        healer = Relinker(
            crew=Hands(2, *tricks, self._perform), memory=self.memory, output=OUTPUT, policy=QUICK, stopped=stopped,  # type: ignore[arg-type]
            on_step=lambda step, done, total: self.steps.append((step, done, total)),
            folders=tuple(str(self.root / name) for name in folders), skip=(str(self.root / "home"),),
            replaced=replaced or {},
        )  # fmt: skip
        opened = healer.open(paths)
        opened.remember(self.memory)
        return opened

    def say(self, *facts: object) -> None:
        """On the record of a job for the film."""
        job = f"j{len(self.journal.jobs())}"
        self.journal.accept(
            job,
            JobAccepted(
                digest=job, timeline_path="", timeline_name="", output=str(OUTPUT), preset="p"
            ),
            b"",
            1.0,
        )
        self.journal.append(job, facts, 2.0)  # type: ignore[arg-type]

    def _perform(self, order: Order) -> Outcome | None:
        self.orders.append(order)
        if isinstance(order, FindSources):
            return media_search.find(order)
        assert isinstance(order, ExamineSource)
        if order.path in self.broken:
            return Evidence(
                operation="examine", place="source", path=order.path, note="invalid-data"
            )
        try:
            fingerprint, mark = hashes.both_names(order.path)
        except OSError as error:
            return Evidence(
                operation="examine",
                place="source",
                path=order.path,
                errno=error.errno,
                detail="FileNotFoundError",
            )
        facts = os.stat(order.path)
        found = source(
            order.path, picture(), fingerprint=fingerprint, mark=mark, size=facts.st_size
        )
        identity = hashes.own_identity(order.path, facts.st_ino, fingerprint)
        inode = facts.st_dev, facts.st_ino
        return Examined(
            source=msgspec.structs.replace(
                found, identity=identity, inode=inode, modified_ns=facts.st_mtime_ns
            )
        )

    @property
    def searched(self) -> list[FindSources]:
        return [order for order in self.orders if isinstance(order, FindSources)]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def of(opened: Opened, path: str) -> Source:
    found = opened.sources[path]
    assert isinstance(found, Source), found
    return found


def why(opened: Opened, path: str) -> Failure:
    found = opened.sources[path]
    assert isinstance(found, Failure), found
    return found


def codes(opened: Opened) -> list[str]:
    """What is said, apart from what a search cost."""
    return [remark.code for remark in opened.remarks if remark.code != "search-cost"]


class Drive:
    """A mount point that is not there for a while, and a file that is on it."""

    def __init__(self, shelf: Shelf, monkeypatch: pytest.MonkeyPatch, looks: int) -> None:
        self.path, self.looks, self.gone = shelf.put("drive/a.mov", b"a"), looks, False
        monkeypatch.setattr(machine, "listed_mount", self.listed)
        shelf.memory.see(
            [
                SourceRecord(
                    self.path,
                    1,
                    hashes.content_mark(self.path),
                    hashes.fingerprint(self.path),
                    "/drive",
                )
            ]
        )
        os.unlink(self.path)

    def listed(self, path: str) -> tuple[str, str]:
        self.looks -= 1
        if self.looks == 0:
            Path(self.path).write_bytes(b"a")
        return ("/drive" if self.looks <= 0 else "/"), "ext4"


def test_a_drive_that_is_out_for_a_moment_is_waited_for(shelf, monkeypatch):
    drive = Drive(shelf, monkeypatch, looks=4)
    opened = shelf.open(drive.path)
    assert isinstance(opened.sources[drive.path], Source)
    assert ("wait", 0, 1) in shelf.steps and shelf.searched == []


def test_a_file_never_opened_before_is_waited_for_on_a_drive_that_others_were_opened_on(
    shelf, monkeypatch
):
    new, known = shelf.put("drive/new.wav", b"n"), shelf.put("drive/a.mov", b"a")
    drive, looks = str(shelf.root / "drive"), iter(range(100))
    shelf.memory.see(
        [SourceRecord(known, 1, hashes.content_mark(known), hashes.fingerprint(known), drive)]
    )
    os.unlink(new)

    def listed(path: str) -> tuple[str, str]:
        back = next(looks) >= 4
        if back:
            Path(new).write_bytes(b"n")
        return (drive if back else "/"), "ext4"

    monkeypatch.setattr(machine, "listed_mount", listed)
    assert isinstance(shelf.open(new).sources[new], Source)
    assert ("wait", 0, 1) in shelf.steps and shelf.searched == []


def test_a_drive_that_stays_out_is_waited_for_so_long_and_no_longer(shelf, monkeypatch):
    drive = Drive(shelf, monkeypatch, looks=10**9)
    assert isinstance(shelf.open(drive.path).sources[drive.path], Failure)
    assert "wait" in {step for step, _, _ in shelf.steps}


def test_a_file_that_is_missing_on_its_own_drive_is_not_waited_for(shelf, monkeypatch):
    drive = Drive(shelf, monkeypatch, looks=10**9)
    monkeypatch.setattr(machine, "listed_mount", lambda path: ("/drive", "ext4"))
    assert isinstance(shelf.open(drive.path).sources[drive.path], Failure)
    assert "wait" not in {step for step, _, _ in shelf.steps}


def test_when_all_is_there_nothing_is_looked_for(shelf):
    a, b = shelf.put("m/a.mov", b"a"), shelf.put("m/b.mov", b"b")
    opened = shelf.open(a, b)
    assert (opened.moved, opened.remarks, shelf.searched) == ((), (), [])
    assert shelf.steps == [("examine", 0, 2), ("examine", 1, 2), ("examine", 2, 2)]
    seen, found = shelf.memory.seen(a), of(opened, a)
    assert seen == SourceRecord(
        a,
        1,
        found.mark,
        found.fingerprint,
        "",
        found.identity,
        str(os.stat(a).st_ino),
        os.stat(a).st_mtime_ns,
    )


def test_a_newer_file_of_the_same_name_is_used_and_said_once(shelf):
    a, b = shelf.put("m/a.mov", b"a"), shelf.put("m/b.mov", b"b")
    assert codes(shelf.open(a, b)) == []
    os.utime(b, (1, 1))
    assert codes(shelf.open(a, b)) == [], "another date is no other file"
    shelf.put("m/a.mov", b"version 2")
    opened = shelf.open(a, b)
    assert [(remark.code, remark.severity, remark.text) for remark in opened.remarks] == [
        ("source-replaced", "note", a)
    ]
    assert of(opened, a).mark == hashes.content_mark(a)
    assert codes(shelf.open(a, b)) == []


class Writer:
    """Somebody writes to a file, and has not finished before it was looked at so often."""

    def __init__(self, path: str, looks: int) -> None:
        self.path, self.looks = path, looks

    def __call__(self, order: Order) -> Outcome | None:
        if isinstance(order, ExamineSource) and order.path == self.path and self.looks > 0:
            self.looks -= 1
            return Evidence(operation="examine", place="source", path=order.path, note="growing")
        return None


def test_what_took_the_place_of_a_file_meanwhile_is_waited_for_while_it_is_written_and_said_in_every_plan(
    shelf,
):
    a, b = shelf.put("m/a.mov", b"a"), shelf.put("m/b.mov", b"b")
    for _ in range(2):
        opened = shelf.open(
            a, b, tricks=(Writer(a, looks=3 * QUICK.attempts),), replaced={a: "older"}
        )
        assert isinstance(opened.sources[a], Source)
        assert codes(opened) == ["source-replaced"]
        assert ("settle", 0, 1) in shelf.steps


def test_a_file_that_is_written_without_end_is_waited_for_so_long_and_no_longer(shelf):
    a = shelf.put("m/a.mov", b"a")
    opened = shelf.open(a, tricks=(Writer(a, looks=10**9),), replaced={a: "older"})
    assert why(opened, a).code == "source-growing"
    assert "settle" in {step for step, _, _ in shelf.steps}


def test_what_is_written_when_a_film_begins_is_looked_at_a_few_times(shelf):
    a = shelf.put("m/a.mov", b"a")
    assert why(shelf.open(a, tricks=(Writer(a, looks=10**9),)), a).code == "source-growing"
    assert "settle" not in {step for step, _, _ in shelf.steps}


def test_who_stops_does_not_wait_for_what_is_written(shelf):
    a = shelf.put("m/a.mov", b"a")
    writer = Writer(a, looks=10**9)
    with pytest.raises(run_tasks.Stopped):
        shelf.open(
            a,
            tricks=(writer,),
            replaced={a: "older"},
            stopped=lambda: any(step == "settle" for step, _, _ in shelf.steps),
        )


def test_a_moved_file_is_used_at_its_new_place_and_said(shelf):
    a, b = shelf.put("m/a.mov", b"a" * 99), shelf.put("m/b.mov", b"b")
    shelf.open(a, b)
    to = shelf.move("m/a.mov", "m/sub/other.mov")
    opened = shelf.open(a, b)
    assert of(opened, a).path == to
    [moved] = opened.moved
    assert (moved.path, moved.to, moved.how) == (a, to, "content")
    assert moved.failure is not None and moved.failure.code == "source-missing", (
        "why it was looked for"
    )
    assert [(remark.code, remark.severity) for remark in opened.remarks] == [
        ("source-relinked", "note")
    ]
    assert ("find", 0, 1) in shelf.steps


def test_it_is_found_again_and_again_also_when_it_moves_on(shelf):
    a = shelf.put("m/a.mov", b"a" * 99)
    shelf.open(a)
    shelf.move("m/a.mov", "v/1/a.mov")
    first = shelf.open(a, folders=("v",))
    shelf.say(*first.moved)
    second = shelf.open(a)
    assert of(second, a).path == str(shelf.root / "v/1/a.mov"), (
        "where it was found last is looked at first, unasked"
    )
    shelf.move("v/1/a.mov", "v/2/b.mov")
    assert of(shelf.open(a, folders=("v",)), a).path == str(shelf.root / "v/2/b.mov")
    shelf.move("v/2/b.mov", "m/a.mov")
    back = shelf.open(a)
    assert (of(back, a).path, back.moved, shelf.searched) == (a, (), [])


def test_a_file_of_the_same_name_is_not_taken_and_said(shelf):
    a = shelf.put("m/a.mov", b"a" * 99)
    shelf.open(a)
    os.remove(a)
    other = shelf.put("v/a.mov", b"b" * 99)
    opened = shelf.open(a, folders=("v",))
    failure = why(opened, a)
    assert failure.code == "source-missing"
    assert [(one.how, one.path) for one in failure.evidence.lookalikes] == [("unlike", other)]
    assert codes(opened) == ["source-unlike-record"] and opened.moved == ()


def test_of_two_copies_the_nearer_is_taken_and_that_is_said(shelf):
    a, b = shelf.put("m/day1/a.mov", b"a" * 99), shelf.put("v/x/y/b.mov", b"b")
    shelf.open(a, b)
    os.remove(a)
    shelf.put("v/z/a.mov", b"a" * 99)
    near = shelf.put("v/x/z/a.mov", b"a" * 99)
    opened = shelf.open(a, b, folders=("v",))
    assert of(opened, a).path == near
    assert opened.remarks[0].fields["copies"] == 2


def test_a_copy_that_cannot_be_opened_gives_way_to_the_next(shelf):
    a = shelf.put("m/a.mov", b"a" * 99)
    shelf.open(a)
    os.remove(a)
    one, two = shelf.put("v/1/a.mov", b"a" * 99), shelf.put("v/2/a.mov", b"a" * 99)
    shelf.broken.add(one)
    assert of(shelf.open(a, folders=("v",)), a).path == two
    shelf.broken.add(two)
    opened = shelf.open(a, folders=("v",))
    assert why(opened, a).code == "source-missing"
    assert codes(opened) == ["search-incomplete"] * 2


def test_a_damaged_file_is_replaced_by_its_good_copy(shelf):
    a = shelf.put("m/a.mov", b"a" * 99)
    shelf.open(a)
    shelf.broken.add(a)
    copy = shelf.put("m/backup/a.mov", b"a" * 99)
    assert of(shelf.open(a), a).path == copy


def test_on_a_share_that_does_not_answer_nothing_is_looked_for(shelf):
    a = shelf.put("m/a.mov", b"a" * 99)

    def stale(order: Order) -> Outcome | None:
        if isinstance(order, ExamineSource) and order.path == a:
            return Evidence(operation="examine", place="source", path=a, errno=errno.ESTALE)
        return None

    opened = shelf.open(a, tricks=(stale,))
    assert why(opened, a).code == "network-lost"
    assert shelf.searched[0].beside == ()


def test_two_timelines_of_one_file_are_one_search(shelf):
    a, b = shelf.put("m/a.mov", b"same"), shelf.put("m/b.mov", b"same")
    shelf.open(a, b)
    os.remove(a)
    opened = shelf.open(a, b)
    assert of(opened, a).path == b, "another file of the film that has this content"


# A person's word ------------------------------------------------------------------------------------------------------


def test_what_a_person_gave_is_used_before_anything_is_looked_for(shelf):
    a, other = shelf.put("m/a.mov", b"a" * 99), shelf.put("v/new.mov", b"longer" * 99)
    shelf.open(a)
    os.remove(a)
    shelf.say(
        Answered(answer="relink", path=a, to="/none.mov"),
        Answered(answer="relink", path=a, to=other),
    )
    opened = shelf.open(a)
    assert (of(opened, a).path, opened.moved) == (
        other,
        (SourceMoved(path=a, to=other, how="person"),),
    )
    assert shelf.searched == [] and codes(opened) == ["source-chosen"], (
        "nobody has compared it with what was there"
    )
    mark = shelf.memory.seen(a)
    assert mark is not None and mark.size == 99, "the other file is not the one that is missing"


def test_it_holds_for_a_file_that_is_there_too_until_it_is_taken_back(shelf):
    a, other = shelf.put("m/a.mov", b"a" * 99), shelf.put("v/new.mov", b"b")
    shelf.say(Answered(answer="relink", path=a, to=other))
    assert of(shelf.open(a), a).path == other
    shelf.say(Answered(answer="retry", path=a))
    assert of(shelf.open(a), a).path == a


def test_a_file_that_was_given_and_is_no_media_is_a_problem_with_its_name(shelf):
    a, other = shelf.put("m/a.mov", b"a" * 99), shelf.put("v/new.txt", b"b")
    shelf.broken.add(other)
    shelf.say(Answered(answer="relink", path=a, to=other))
    failure = why(shelf.open(a), a)
    assert (failure.code, failure.evidence.path) == ("source-unreadable", other)
    assert [(one.how, one.path) for one in failure.evidence.lookalikes] == [("instead", a)]


def test_a_file_that_was_given_and_moved_on_is_found_by_its_own_content(shelf):
    a, other = shelf.put("m/a.mov", b"a" * 99), shelf.put("v/new.mov", b"b" * 50)
    shelf.say(Answered(answer="relink", path=a, to=other))
    shelf.open(a)
    to = shelf.move("v/new.mov", "v/newer.mov")
    assert of(shelf.open(a), a).path == to


# Patience -------------------------------------------------------------------------------------------------------------


def test_asked_to_stop_while_looking_it_stops(shelf):
    with pytest.raises(run_tasks.Stopped):
        shelf.open(str(shelf.root / "m" / "a.mov"), stopped=lambda: ("find", 0, 1) in shelf.steps)
    assert shelf.searched == []


@pytest.mark.parametrize("note", ["worker-died", "hung", "unexpected"])
def test_a_search_that_breaks_has_found_nothing_and_is_not_tried_again(shelf, note):
    a = str(shelf.root / "m" / "a.mov")
    broken = Evidence(operation="FindSources", place="program", note=note)
    tried = []

    def breaks(order: Order) -> Outcome | None:
        if isinstance(order, FindSources):
            tried.append(order)
            return broken
        return None

    opened = shelf.open(a, tricks=(breaks,))
    assert why(opened, a).code == "source-missing" and why(opened, a).evidence.detail == ""
    assert (len(tried), codes(opened)) == (1, ["search-incomplete"])


def test_a_search_that_hangs_costs_its_worker_alone(tmp_path):
    """Real workers; the one that searches is stopped as a dead share stops it."""
    crew = WorkerPool(2, stall_s=60.0)
    pids = {worker.process.pid for worker in crew._workers}

    def step(name: str, done: int, total: int) -> None:
        if name == "find":
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)

    try:
        journal = Journal(tmp_path / "home" / "journal.db")
        policy = msgspec.structs.replace(QUICK, probe_stall_s=0.3)
        healer = Relinker(
            crew=crew, memory=History(journal), output=OUTPUT, policy=policy, stopped=lambda: False, on_step=step
        )  # fmt: skip
        opened = healer.open([str(tmp_path / "none" / "a.mov")])
        assert why(opened, str(tmp_path / "none" / "a.mov")).code == "source-missing"
        assert codes(opened) == ["search-incomplete"]
        assert (crew.idle, crew.busy) == (2, {})
        assert len({worker.process.pid for worker in crew._workers} - pids) == 1
    finally:
        crew.dismiss()


def test_a_match_that_is_gone_again_is_no_source(shelf):
    a = str(shelf.root / "m" / "a.mov")
    gone = Match(path=a, to=str(shelf.root / "v" / "a.mov"), how="samples")
    opened = shelf.open(
        a,
        tricks=(lambda order: Found(matches=(gone,)) if isinstance(order, FindSources) else None,),
    )
    assert why(opened, a).code == "source-missing" and codes(opened) == ["search-incomplete"]
