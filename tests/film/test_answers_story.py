"""What a person decides about a shot that failed, through the real command and with real media."""

from __future__ import annotations

import json
import os
import shutil
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.command import hotsplice
from tests.film.assembling import House
from tests.film.barcode import Mark
from tests.film.comparing import shown
from tests.film.cutlist import SLATE
from tests.film.media import Movie, make_movie, make_wav
from tests.film.timelines import timeline


@pytest.fixture(scope="session")
def reels(tmp_path_factory: pytest.TempPathFactory) -> list[Movie]:
    folder = tmp_path_factory.mktemp("reels")
    return [
        make_movie(folder / f"reel{n}.mov", source_id=n, frames=72, codec="mjpeg", audio="pcm")
        for n in (1, 2, 3)
    ]


class Desk:
    """A film of three shots whose second source can be taken away."""

    def __init__(self, folder: Path, reels: list[Movie]) -> None:
        self.house = House(folder / "home")
        self.there, self.film, self.cut = (
            folder / "there.mov",
            folder / "film.mov",
            folder / "cut.otio",
        )
        # With a free atom of its own: otherwise a reel with the same content is found and takes its place.
        own = str(folder).encode()
        self.there.write_bytes(
            reels[1].path.read_bytes() + (8 + len(own)).to_bytes(4, "big") + b"free" + own
        )
        line = timeline(Fraction(24))
        track = line.video()
        for media, first, frames in (
            (reels[0].path, 0, 20),
            (self.there, 10, 24),
            (reels[2].path, 5, 16),
        ):
            track.clip(media, first, frames, media_frames=72)
        line.save(self.cut)

    def assemble(self) -> tuple[int, str]:
        ended = self.house.assemble(self.cut, self.film, "prores-hq")
        self.action = ended.summary.get("action", "")
        return ended.code, ended.summary["job"]

    def say(self, *words: str | Path) -> tuple[int, str]:
        """A command; its exit code and words."""
        done = hotsplice(*words, home=self.house.home)
        return done.returncode, done.stdout

    def second_shot(self) -> list[Mark | str]:
        return shown(self.film)[20:44]


@pytest.fixture
def desk(tmp_path: Path, reels: list[Movie]) -> Desk:
    return Desk(tmp_path, reels)


RIGHT = [Mark(2, number) for number in range(10, 34)]


def test_a_slate_that_is_accepted_is_accepted_until_its_media_changes(
    desk: Desk, reels: list[Movie]
) -> None:
    desk.there.unlink()
    code, job = desk.assemble()
    stands = desk.film.stat()
    assert code == 1
    code, said = desk.say("answer", job, "2", "skip")
    assert code == 0 and "Complete as you decided." in said and "shot 2 is a slate" in said
    assert f"hotsplice answer {job} 2 retry" in said, "it can be taken back"
    assert (desk.film.stat().st_ino, desk.film.stat().st_mtime_ns) == (
        stands.st_ino,
        stands.st_mtime_ns,
    ), "nothing was made"
    again = desk.house.assemble(desk.cut, desk.film, "prores-hq")
    assert (again.code, again.made, again.summary["problems"], again.summary["taken"]["shots"]) == (
        0,
        0,
        [],
        [2],
    )
    desk.there.write_bytes(b"no media any more" * 1000)  # a file that is there is another matter
    code, job = desk.assemble()
    assert code == 1 and f"hotsplice answer {job} 2" in desk.action
    assert desk.say("answer", job, "all", "skip")[0] == 0
    shutil.copy2(reels[1].path, desk.there)
    assert desk.assemble()[0] == 0
    assert desk.second_shot() == RIGHT


def test_a_part_that_is_missing_and_silence_are_accepted_until_their_media_changes(
    desk: Desk, reels: list[Movie], tmp_path: Path
) -> None:
    """The film is complete as decided, and each of the two files that comes back asks for its own place alone."""
    whole, voice = desk.there.read_bytes(), tmp_path / "voice.wav"
    with av.open(str(desk.there)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][20]
    with desk.there.open("r+b") as handle:
        handle.seek(packet.pos or 0)
        handle.write(bytes(packet.size))
    os.utime(desk.there, (1_600_000_000, 1_600_000_000))
    line = timeline(Fraction(24))
    line.video().clip(reels[0].path, 0, 20, media_frames=72).clip(
        desk.there, 10, 24, media_frames=72
    )
    line.audio().clip(voice, 0, 24, media_frames=48)
    line.save(desk.cut)
    code, job = desk.assemble()
    assert code == 1 and desk.second_shot() == [*RIGHT[:10], SLATE, *RIGHT[11:]]
    code, said = desk.say("answer", job, "all", "skip")
    assert code == 0 and "Complete as you decided." in said
    again = desk.house.assemble(desk.cut, desk.film, "prores-hq")
    taken = again.summary["taken"]
    assert (again.code, again.made, again.summary["problems"]) == (0, 0, [])
    assert (taken["shots"], len(taken["clips"])) == ([2], 1)
    assert {one["code"] for one in again.summary["decided"]} == {"shot-mended", "source-missing"}
    voice.write_bytes(b"no media at all" * 1000)
    os.utime(voice, (1_600_000_000, 1_600_000_000))
    asked = desk.house.assemble(desk.cut, desk.film, "prores-hq")
    assert (asked.code, asked.codes, asked.summary["taken"]["shots"]) == (
        1,
        {"source-not-media"},
        [2],
    )
    make_wav(voice, source_id=4, samples=96000)
    desk.there.write_bytes(whole)
    healed = desk.house.assemble(desk.cut, desk.film, "prores-hq")
    assert (healed.code, healed.summary["taken"], desk.second_shot()) == (
        0,
        {"shots": [], "clips": [], "remarks": []},
        RIGHT,
    )


def test_an_answer_goes_on_with_its_own_job_and_can_be_taken_back(desk: Desk) -> None:
    desk.there.unlink()
    _, job = desk.assemble()
    assert desk.say("answer", job, "all", "skip")[0] == 0
    assert desk.say("answer", job, "2", "retry")[0] == 1, "asked for again, and not there"
    assert desk.say("answer", job, "source-missing", "skip")[0] == 0
    known = [json.loads(line)["job"] for line in desk.say("jobs", "--json")[1].splitlines()]
    assert known == [job]
    told = desk.say("show", job)[1]
    assert "Left by decision: shots 2." in told


def test_another_file_is_used_when_a_person_names_it(desk: Desk, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / "other-name.mov"
    elsewhere.parent.mkdir()
    shutil.move(desk.there, elsewhere)
    code, job = desk.assemble()
    if code == 1:  # not found by itself
        assert desk.second_shot() == [SLATE] * 24
        code, said = desk.say("answer", job, "2", "relink", elsewhere)
        assert code == 0, said
    assert desk.second_shot() == RIGHT
    assert not desk.there.exists(), "nothing was copied anywhere"


def test_an_earlier_render_stands_in_for_a_source_that_is_spoilt(desk: Desk) -> None:
    assert desk.assemble()[0] == 0
    assert desk.second_shot() == RIGHT
    desk.there.write_bytes(b"no media any more" * 1000)
    code, job = desk.assemble()
    assert code == 1
    assert shown(desk.film.with_name("film.incomplete.mov"))[20:44] == [SLATE] * 24
    assert f"hotsplice answer {job} 2 relink FILE, previous, skip or retry." in desk.action
    code, said = desk.say("answer", job, "2", "previous")
    assert code == 0, f"complete as decided: {said}"
    assert desk.second_shot() == RIGHT, "the picture is back, though its source is not"


@pytest.mark.long
def test_a_preference_answers_by_itself_until_it_is_taken_back(desk: Desk) -> None:
    desk.assemble()
    desk.there.write_bytes(b"no media any more" * 1000)
    _, job = desk.assemble()
    code, said = desk.say("answer", job, "2", "previous", "--always", "--later")
    assert code == 0 and "always" in said
    code, said = desk.say("preferences")
    fault = next(line.split()[0] for line in said.splitlines() if "previous" in line)
    assert fault.startswith("source-")
    desk.film.unlink()
    assert desk.assemble()[0] == 0, "what a person always answers is decided"
    assert desk.second_shot() == RIGHT
    code, said = desk.say("preferences", fault, "ask")
    assert code == 0 and "previous" not in said


def test_who_asks_for_an_earlier_render_that_there_never_was_is_told(desk: Desk) -> None:
    desk.there.unlink()
    _, job = desk.assemble()
    assert f"hotsplice answer {job} 2 relink FILE, skip or retry." in desk.action, (
        "it is not offered"
    )
    code, said = desk.say("answer", job, "2", "previous", "--later")
    assert code == 0 and "There is no earlier good render of shot 2; its slate stays." in said


@pytest.mark.long
def test_a_later_word_takes_a_relink_back(desk: Desk, reels: list[Movie]) -> None:
    desk.there.unlink()
    _, job = desk.assemble()
    assert desk.say("answer", job, "2", "relink", reels[2].path)[0] == 0
    assert desk.second_shot() == [Mark(3, number) for number in range(10, 34)]
    shutil.copy2(reels[1].path, desk.there)
    assert desk.say("answer", job, "2", "retry")[0] == 0
    assert desk.second_shot() == RIGHT


def test_an_answer_that_makes_no_sense_is_refused_in_words(desk: Desk) -> None:
    desk.there.unlink()
    _, job = desk.assemble()
    senseless = [
        ("9", "skip"),
        ("no-such-fault", "skip"),
        ("2", "relink"),
        ("2", "relink", "/no/such/file.mov"),
        ("2", "retry", "--always"),
    ]
    for words in senseless:
        code, said = desk.say("answer", job, *words)
        assert code == 2 and "Answer not understood" in said, words


def test_a_graphics_encoder_that_is_not_there_costs_time_and_not_the_film(
    desk: Desk, tmp_path: Path
) -> None:
    """On a machine with such a device this shows only that the preset works."""
    ended = desk.house.assemble(desk.cut, tmp_path / "film.mp4", "h264-nvenc")
    assert ended.code == 0
    assert shown(tmp_path / "film.mp4")[20:44] == RIGHT
    remarks = {remark["code"]: remark["message"] for remark in ended.summary["remarks"]}
    if "encoder-degraded" in remarks:
        assert (
            "h264-nvenc" in remarks["encoder-degraded"]
            and "h264 was used" in remarks["encoder-degraded"]
        )


def test_decoding_on_a_device_that_is_not_there_is_done_in_software_and_said(desk: Desk) -> None:
    (desk.house.home).mkdir(exist_ok=True)
    (desk.house.home / "settings.yaml").write_text("decode_with: cuda\n", encoding="utf-8")
    ended = desk.house.assemble(desk.cut, desk.film, "prores-hq")
    assert ended.code == 0
    assert desk.second_shot() == RIGHT
    for fact in ended.facts("ShotDegraded"):
        assert fact["change"] == "software decoding"
