"""What is told of a real job with real trouble: report, bundle, masked bundle, story, statistics. The real command."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from fractions import Fraction
from pathlib import Path

import pytest

from bridge.services.job_accounts import account, standing_film
from core.job.events import JobFinished, RunStarted
from core.storage.journal import Journal
from tests.command import hotsplice
from tests.core.report.pages import Reader
from tests.film.assembling import ROOT, House
from tests.film.media import make_movie
from tests.film.timelines import timeline

FOLDER = "Müller Wedding 🎞"
"""Every word here is one that a masked bundle may not hold."""
SECRETS = (
    "Müller",
    "Wedding",
    "Ankunft",
    "Trauung",
    "Braut",
    "Zeugen",
    "Festsaal",
    "Abschied",
    "Schnitt",
)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, Path, str]:
    """(house, film, job): five shots, one source missing, one damaged, one name that is markup."""
    folder = tmp_path_factory.mktemp("stage") / FOLDER
    folder.mkdir()
    good = make_movie(folder / "Ankunft.mov", source_id=1, frames=60, audio="pcm")
    bad = make_movie(folder / "Trauung (Braut).mov", source_id=2, frames=60)
    data = bytearray(bad.path.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 90_000] = bytes(90_000)
    bad.path.write_bytes(data)
    line = timeline(Fraction(24), name="Schnitt 7 Braut")
    picture = line.video("Spur Zeugen")
    picture.clip(
        good,
        0,
        24,
        name="Festsaal <b>",
        metadata={"Resolve_OTIO": {}, "note": "Abschied am Festsaal"},
    )
    picture.clip(bad, 5, 40, name="Braut & Zeugen")
    picture.gap(6).clip(folder / "Abschied.mov", 0, 20, media_frames=60, name="Abschied")
    picture.clip(good, 30, 20, name="Festsaal \u202etot")
    line.audio().clip(good, 0, 24).gap(46).clip(good, 46, 4)
    cut = line.save(folder / "Schnitt.otio")
    house = House(folder / "home")
    film = folder / "Festsaal.mov"
    ended = house.assemble(cut, film, "prores-hq")
    assert ended.code == 1 and ended.codes == {"source-missing", "shot-mended"}
    return house, film, ended.summary["job"]


def run(house: House, *words: str | Path, code: int = 0) -> str:
    """What a command says on standard output."""
    environment = {
        **os.environ,
        "HOTSPLICE_HOME": str(house.home),
        "PYTHONPATH": str(ROOT),
        "HOTSPLICE_PROBE": "hush-hush",
    }
    done = hotsplice(*words, environment=environment)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def bundled(house: House, job: str, target: Path, *more: str) -> dict[str, bytes]:
    """The files of a bundle."""
    run(house, "diagnose", job, "-o", target, *more)
    with zipfile.ZipFile(target) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_report_shows_the_film_with_its_pictures_and_what_is_wrong(job, tmp_path):
    house, _, name = job
    said = run(house, "report", name, "-o", tmp_path / "r.html")
    assert str(tmp_path / "r.html") in said
    read = Reader((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert "Published, incomplete" in read.text and "3 of 5 shots are verified" in read.text
    assert (
        "Media offline" in read.text
        and "Damaged media" in read.text
        and "Festsaal <b>" in read.text
    )
    assert {image["alt"] for image in read.all("img")} >= {"A frame of shot 1", "A frame of shot 5"}


def test_a_report_comes_out_when_film_media_and_segments_are_gone(job, tmp_path):
    house, film, name = job
    away = tmp_path / "away"
    home = tmp_path / "home"
    shutil.copytree(house.home, home, ignore=shutil.ignore_patterns("pictures", "scratch"))
    film.parent.rename(away)
    try:
        run(House(home), "report", name, "-o", tmp_path / "r.html")
    finally:
        away.rename(film.parent)
    read = Reader((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert "3 of 5 shots are verified" in read.text and read.all("img") == []


def test_a_report_never_costs_a_film(job, tmp_path):
    house, film, name = job
    before = film.read_bytes()
    assert "should end in .html" in run(house, "report", name, "-o", film, code=2)
    (tmp_path / "page.html").write_text("somebody's page")
    assert "is not one of ours" in run(house, "report", name, "-o", tmp_path / "page.html", code=2)
    assert "should end in .zip" in run(house, "diagnose", name, "-o", film, code=2)
    assert film.read_bytes() == before and (tmp_path / "page.html").read_text() == "somebody's page"
    assert "no job" in run(house, "report", "zzz", code=2) and "no job" in run(
        house, "diagnose", "zzz", code=2
    )


def test_the_bundle_holds_everything_about_the_job(job, tmp_path):
    house, film, name = job
    files = bundled(house, name, tmp_path / "b.zip")
    assert set(files) == {
        "README.txt", "report.html", "story.txt", "journal.jsonl", "log.jsonl", "machine.json", "timeline.otio", "plan.json",
    }  # fmt: skip
    kinds = [json.loads(line)["kind"] for line in files["journal.jsonl"].splitlines()]
    assert kinds[0] == "JobAccepted" and kinds[-1] == "JobFinished"
    logged = [json.loads(line) for line in files["log.jsonl"].splitlines()]
    assert {"command", "AttemptFailed", "JobFinished"} <= {one["event"] for one in logged}
    assert (
        str(film) in files["story.txt"].decode()
        and "Shot 2 is mended" in files["story.txt"].decode()
    )
    assert json.loads(files["timeline.otio"])["name"] == "Schnitt 7 Braut"
    about = json.loads(files["machine.json"])
    assert (
        about["ffmpeg"]
        and about["python"]
        and any(one.startswith("av ") for one in about["libraries"])
    )
    for content in files.values():
        assert b"hush-hush" not in content, "the environment is nobody's business"


def test_nothing_slips_through_the_mask(job, tmp_path):
    house, film, name = job
    files = bundled(house, name, tmp_path / "b.zip", "--mask")
    assert set(files) >= {"report.html", "journal.jsonl", "log.jsonl", "timeline.otio", "plan.json"}
    user = Path.home().name
    outside = [
        part for part in film.parent.parent.parts if len(part) > 4 and part not in ("/tmp", "tmp")
    ]
    for file, content in files.items():
        text = content.decode("utf-8")
        plain = (
            json.dumps(json.loads(text), ensure_ascii=False)
            if file.endswith(".json") or file == "timeline.otio"
            else text
        )
        for secret in (
            *SECRETS,
            FOLDER,
            *outside,
            "M\\u00fcller",
            "M%C3%BCller",
            f"/{user}/",
            "hush-hush",
            os.uname().nodename,
        ):
            assert secret.lower() not in text.lower() and secret.lower() not in plain.lower(), (
                f"{secret} in {file}"
            )
    assert b"data:image" not in files["report.html"]


def test_the_same_name_is_the_same_mask_in_every_file(job, tmp_path):
    house, _, name = job
    files = bundled(house, name, tmp_path / "b.zip", "--mask")
    facts = [json.loads(line) for line in files["journal.jsonl"].splitlines()]
    lost = next(one["fact"]["path"] for one in facts if one["kind"] == "ProblemFound")
    assert (
        lost.endswith(".mov")
        and lost in files["story.txt"].decode()
        and lost in files["timeline.otio"].decode()
    )
    assert Path(lost).name in Reader(files["report.html"].decode()).text
    failed = next(
        one["fact"]["failure"]["evidence"] for one in facts if one["kind"] == "AttemptFailed"
    )
    assert any(failed["path"] in word for word in failed["argv"]) or not failed["argv"]


def test_no_bundle_replaces_a_file(job, tmp_path):
    house, _, name = job
    (tmp_path / "b.zip").write_text("mine")
    assert "is not one of ours" in run(house, "diagnose", name, "-o", tmp_path / "b.zip", code=2)
    assert (tmp_path / "b.zip").read_text() == "mine"


def test_show_and_stats_tell_the_same(job):
    house, _, name = job
    said = run(house, "show", name)
    order = [
        "Asked for",
        "Work began",
        "media offline",
        "Planned 5 shots",
        "attempt 1 failed",
        "Shot 2 is mended",
        "Published as",
        "Ended",
    ]
    at = [said.index(words) for words in order]
    assert at == sorted(at) and "\u202e" not in said
    told = json.loads(run(house, "stats", "--json"))
    assert (told["jobs"], told["success_rate"], told["users_faults"], told["film_rate"]) == (
        1,
        0.0,
        1,
        1.0,
    )
    assert told["by_fault"]["source-damaged"]["episodes"] == 1 and told["overhead"] is not None
    assert "source-damaged" in run(house, "stats")


def test_stats_of_nothing(tmp_path):
    assert "No jobs yet" in run(House(tmp_path), "stats")


def test_no_picture_is_taken_from_a_film_that_an_older_plan_made(job, tmp_path):
    """It shows a slate where the newer plan has a shot."""
    house, film, name = job
    shutil.copytree(house.home, tmp_path / "home")
    journal = Journal(tmp_path / "home" / "journal.db")
    known = account(journal, name)
    assert standing_film(journal, known.told) == film
    begun = RunStarted(version="test", ffmpeg="test", workers=1)
    journal.append(name, [begun, known.told.planned], 1.0)
    assert standing_film(journal, account(journal, name).told) is None
    journal.append(name, [JobFinished(outcome="incomplete")], 2.0)
    assert standing_film(journal, account(journal, name).told) == film, "it is this film still"
    journal.close()
