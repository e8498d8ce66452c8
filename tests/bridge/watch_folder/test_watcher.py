"""A keeper with a real folder and a real companion: what is dropped becomes one job, wherever it is cut off."""

from __future__ import annotations

import errno
import os
import shutil
import time
from fractions import Fraction
from pathlib import Path

import pytest

from bridge.protocol.requests import Cancel, Resume
from bridge.watch_folder import folder as folders
from bridge.watch_folder import names
from bridge.watch_folder.folder import Folder
from bridge.watch_folder.watcher import Pace, Watcher
from core.storage import artifacts
from tests.bridge.daemon.test_daemon_story import cut_of
from tests.bridge.watch_folder.doors import NEVER, QUICK
from tests.film.timelines import timeline


def test_a_timeline_becomes_a_film_and_is_put_away(doors, reel):
    cut_of(reel, doors.inbox / "Reel 1~preset=h264.otio", 3)
    doors.keep(doors.ended("Reel 1~preset=h264.otio"))
    (line,) = doors.new()
    said = doors.reply("Reel 1~preset=h264.otio")
    assert (said["state"], said["job"], said["film"]) == (
        "complete",
        line.job,
        str(doors.films / "Reel 1.mp4"),
    )
    assert said["frames"] == said["frames_done"] == 30 and "left_s" not in {
        key for key, value in said.items() if value
    }
    assert Path(str(said["film"])).stat().st_size
    name = "Reel 1~preset=h264"
    assert doors.inside() == [
        f"{name}.otio.reply.json",
        f"{name}.otio.reply.lua",
        f"done/{name}.{line.job}.otio",
    ]


def test_a_sidecar_is_heard_and_put_away_too(doors, reel, tmp_path):
    (doors.inbox / "a.otio.ask.txt").write_text(
        f"output = {tmp_path / 'else.mov'}\nsubmission = mine-4711\n"
    )
    cut_of(reel, doors.inbox / "a.otio", 2)
    doors.keep(doors.ended("a.otio"))
    said = doors.reply("a.otio")
    assert (
        said["film"] == str(tmp_path / "else.mov")
        and said["submission"] == "mine-4711"
        and Path(str(said["film"])).exists()
    )
    assert {f"done/a.{said['job']}.otio", f"done/a.{said['job']}.otio.ask.txt"} < set(
        doors.inside()
    )
    assert not doors.films.exists(), "a folder nobody needs is not made"


def test_what_is_missing_is_told_with_its_frames_and_what_can_be_done(doors, reel, tmp_path):
    gone = tmp_path / "gone.mov"
    line = timeline(Fraction(24))
    video = line.video()
    for path in (reel.path, gone):
        video.clip(path, 0, 10, media_frames=72)
    line.save(doors.inbox / "b.otio")
    doors.keep(doors.ended("b.otio"))
    said = doors.reply("b.otio")
    assert (said["state"], said["rate"], said["shots"], said["shots_missing"]) == (
        "incomplete",
        "24",
        2,
        1,
    )
    assert said["title"] and said["message"] and str(said["safe"])
    (found,) = [one for one in said["findings"] if one["code"] == "source-missing"]
    assert (found["severity"], found["path"], found["first"], found["frames"]) == (
        "error",
        str(gone),
        10,
        10,
    )
    assert found["actions"] and "relink" in found["answers"]


@pytest.mark.parametrize("long", ["n" * 232, "長" * 76])
def test_a_name_as_long_as_a_name_can_be_is_replied_to_and_put_away(doors, reel, long):
    """Two that differ at their end alone are two drops, with a reply each."""
    both = [f"{long}~output={letter}.mov.otio" for letter in "ab"]
    for one in both:
        cut_of(reel, doors.inbox / one, 1)
    replies = [names.replied_as(one) for one in both]
    doors.keep(lambda: all(doors.reply(one) for one in replies))
    doors.keep(doors.ended(*replies))  # another keeper goes on with them
    said = [doors.reply(one) for one in replies]
    assert [(one["file"], one["state"], one["film"]) for one in said] == [
        (name, "complete", str(doors.films / f"{letter}.mov"))
        for name, letter in zip(both, "ab", strict=True)
    ]
    assert len(os.listdir(doors.inbox / "done")) == 2 and not any(
        (doors.inbox / one).exists() for one in both
    )


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("list.otio", b"a shopping list", "timeline-not-json"),
        ("empty.otio", b"", "timeline-not-json"),
        ("cut.otio", b'{"OTIO_SCHEMA": "Timeline.1", "tracks": {', "timeline-not-json"),
        ("bin.otio", bytes(range(256)) * 50, "timeline-not-json"),
        ("other.otio", b'{"OTIO_SCHEMA": "Clip.2"}', "timeline-not-otio"),
        ("deep.otio", b"[" * 5000 + b"]" * 5000, "timeline-too-large"),
        ("x~preset=nonsense.otio", b"{}", "preset-unknown"),
        ("x~width=wide.otio", b"{}", "ask-unclear"),
        ("x~submission=short.otio", b"{}", "message-unclear"),
    ],
)
def test_rubbish_is_answered_in_words_and_kept(doors, name, data, code):
    (doors.inbox / name).write_bytes(data)
    doors.keep(doors.ended(name), pace=Pace(**{**QUICK.__dict__, "vain": 0.0}))
    said = doors.reply(name)
    assert (said["state"], said["code"]) == ("refused", code)
    assert said["title"] and said["message"] and said["action"] and not said["job"]
    assert [path.read_bytes() for path in (doors.inbox / "refused").iterdir()] == [data]
    assert not doors.new()


def test_a_timeline_of_another_kind_is_answered_and_stays_and_all_else_is_let_be(doors):
    for name in ("reel.fcpxml", "letter.txt"):
        (doors.inbox / name).write_bytes(b"<fcpxml/>")
    doors.keep(doors.ended("reel.fcpxml"), pace=Pace(**{**QUICK.__dict__, "vain": 0.0}))
    assert doors.reply("reel.fcpxml")["code"] == "timeline-not-json" and not doors.new()
    assert doors.inside() == [
        "letter.txt",
        "reel.fcpxml",
        "reel.fcpxml.reply.json",
        "reel.fcpxml.reply.lua",
    ]


def test_what_is_being_written_is_left_alone_until_it_is_whole(doors, reel, tmp_path):
    whole = cut_of(reel, tmp_path / "c.otio", 2).read_bytes()
    rounds = []
    with (doors.inbox / "c.otio").open("wb") as slow:

        def write_a_little() -> bool:
            """Each round a little more; after the last of it, until it is taken."""
            rounds.append(doors.reply("c.otio"))
            if slow.tell() < len(whole):
                assert not rounds[-1], "it was taken before it was whole"
                slow.write(whole[slow.tell() : slow.tell() + 4096])
                slow.flush()
            return bool(rounds[-1].get("ended"))

        doors.keep(write_a_little, pace=NEVER)
    assert len(rounds) > len(whole) / 4096 and doors.reply("c.otio")["state"] == "complete"
    assert len(doors.new()) == 1


def test_the_same_file_dropped_again_is_the_same_job(doors, reel, tmp_path):
    kept = cut_of(reel, tmp_path / "d.otio", 2)
    shutil.copy2(kept, doors.inbox / "d.otio")
    doors.keep(doors.ended("d.otio"))
    first = doors.reply("d.otio")
    (doors.inbox / "d.otio.reply.json").unlink()
    shutil.copy2(kept, doors.inbox / "d.otio")
    doors.keep(doors.ended("d.otio"))
    assert [line.job for line in doors.new()] == [first["job"]] == [doors.reply("d.otio")["job"]]
    assert sorted(os.listdir(doors.inbox / "done")) == [
        f"d.{first['job']}-2.otio",
        f"d.{first['job']}.otio",
    ]


@pytest.mark.long
def test_many_at_once_are_all_replied_to(doors, reel):
    many = [f"m{number}~preset=h264.otio" for number in range(6)]
    for name in many:
        cut_of(reel, doors.inbox / name, 1)
    doors.keep(doors.ended(*many), most_s=120)
    jobs = {str(doors.reply(name)["job"]) for name in many}
    assert len(jobs) == 6 and jobs == {line.job for line in doors.new()}
    assert {doors.reply(name)["state"] for name in many} == {"complete"}


# Cut off --------------------------------------------------------------------------------------------------------------


class _Cut(BaseException):
    """The process is gone here."""


class _Cutting(Folder):
    """Dies at one of its operations, before or after it."""

    def __init__(self, inbox: Path, at: int) -> None:
        super().__init__(inbox)
        self.left = at


def _cuts(folder: _Cutting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every rename and every removal is a place to die: just before, and just after."""
    real = folders.take_place

    def take_place(part: Path, target: Path) -> None:
        for _ in range(2):
            folder.left -= 1
            if folder.left == 0:
                raise _Cut
            if part.exists():
                real(part, target)

    for module in (folders, artifacts):
        monkeypatch.setattr(module, "take_place", take_place)


@pytest.mark.parametrize("at", range(1, 13))
def test_cut_off_at_any_rename_it_ends_in_one_job_and_a_right_reply(doors, reel, monkeypatch, at):
    (doors.inbox / "e.otio.ask.txt").write_text("width = 320\n")
    cut_of(reel, doors.inbox / "e.otio", 1)
    cutting = _Cutting(doors.inbox, at)
    with doors.house.client() as asks, doors.house.client() as hears:
        keeper = Watcher(
            folder=cutting, usual=doors.usual, make=True, asks=asks, hears=hears, language="en", pace=QUICK
        )  # fmt: skip
        with monkeypatch.context() as patch, pytest.raises(_Cut):
            _cuts(cutting, patch)
            keeper.run(lambda: False)
    doors.keep(doors.ended("e.otio"))
    (line,) = doors.new()
    said = doors.reply("e.otio")
    assert (said["job"], said["state"], said["file"]) == (line.job, "complete", "e.otio")
    in_lua = (doors.inbox / "e.otio.reply.lua").read_text()
    assert f'["job"] = "{line.job}"' in in_lua and '["state"] = "complete"' in in_lua
    left = [name for name in doors.inside() if "reply" not in name]
    assert left == [f"done/e.{line.job}.otio", f"done/e.{line.job}.otio.ask.txt"]


def test_a_keeper_that_was_cut_off_while_a_job_waits_is_followed_by_one_that_goes_on(doors, reel):
    cut_of(reel, doors.inbox / "f.otio", 2)
    doors.keep(lambda: bool(doors.reply("f.otio")))
    assert not doors.reply("f.otio")["ended"]
    doors.keep(doors.ended("f.otio"))
    assert doors.reply("f.otio")["state"] == "complete"


# A folder that will not -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "words"),
    [("full", "reply"), ("read-only", "reply put_away"), ("half read-only", "put_away")],
)
def test_a_folder_that_takes_nothing_costs_the_reply_and_not_the_job(
    doors, reel, monkeypatch, kind, words
):
    cut_of(reel, doors.inbox / "g.otio", 1)
    broken, refused = True, []

    def failing(real):
        def call(self, *arguments, **options):
            if broken:
                refused.append(kind)
                raise OSError(
                    errno.ENOSPC if kind == "full" else errno.EROFS, kind, str(self.inbox)
                )
            return real(self, *arguments, **options)

        return call

    for word in words.split():
        monkeypatch.setattr(Folder, word, failing(getattr(Folder, word)))

    def made() -> bool:
        nonlocal broken
        broken = broken and not any(line.state == "complete" for line in doors.new())
        return doors.ended("g.otio")() and not (doors.inbox / "g.otio").exists()

    doors.keep(made)
    (line,) = doors.new()
    assert (
        refused
        and doors.reply("g.otio")["job"] == line.job
        and doors.reply("g.otio")["state"] == "complete"
    )
    assert f"done/g.{line.job}.otio" in doors.inside()


@pytest.mark.skipif(os.name == "nt" or os.getuid() == 0, reason="permissions hold nobody back here")
def test_a_read_only_folder_costs_the_reply_and_not_the_job(doors, reel):
    cut_of(reel, doors.inbox / "h.otio", 1)
    doors.inbox.chmod(0o500)
    try:
        doors.keep(lambda: any(line.state == "complete" for line in doors.new()))
    finally:
        doors.inbox.chmod(0o700)
    assert doors.inside() == ["h.otio"]
    doors.keep(doors.ended("h.otio"))
    assert len(doors.new()) == 1


def test_a_folder_that_everybody_may_write_to_is_not_used(doors, reel, monkeypatch):
    cut_of(reel, doors.inbox / "i.otio", 1)
    doors.inbox.chmod(0o777)
    began = time.monotonic()
    doors.keep(lambda: time.monotonic() - began > 1.0)
    assert doors.inside() == ["i.otio"] and not doors.new()


def test_a_folder_that_is_gone_is_made_again(doors, reel):
    shutil.rmtree(doors.inbox)
    parts = []

    def drop() -> bool:
        if doors.inbox.exists() and not parts:
            parts.append(cut_of(reel, doors.inbox / "j.otio", 1))
        return doors.ended("j.otio")()

    doors.keep(drop)


def test_a_job_that_is_cancelled_says_so_and_is_followed_when_it_goes_on(doors, reel):
    cut_of(reel, doors.inbox / "k.otio", 12)
    cancelled = []

    def cancel() -> bool:
        said = doors.reply("k.otio")
        if said and not cancelled:
            with doors.house.client() as client:
                cancelled.append(client.ask(Cancel(request="c", job=str(said["job"]))))
        return said.get("state") in ("held", "complete")

    doors.keep(cancel)
    assert doors.reply("k.otio")["state"] == "held" and not doors.reply("k.otio")["ended"]
    resumed = []

    def resume() -> bool:
        if not resumed:
            with doors.house.client() as client:
                resumed.append(
                    client.ask(Resume(request="r", job=str(doors.reply("k.otio")["job"])))
                )
        return doors.ended("k.otio")()

    doors.keep(resume)
    assert doors.reply("k.otio")["state"] == "complete"
