"""The page by itself: it fetches nothing, runs nothing, and shows every name as a name."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from core.job.events import FilmPublished, JobFinished, ShotMended
from core.report.html import clean
from core.report.html_report import MARK, report, stylesheet
from core.timeline.timeline import Remark
from tests.core.report.pages import HOSTILE, Reader, hostile, jpeg, long, page_of
from tests.core.report.telling import (
    ACCEPTED,
    DONE,
    PLAN,
    RUN,
    chronicle_of,
    failed,
    failure,
    key,
    moment,
    planned,
    sealed,
)

GOOD = chronicle_of(ACCEPTED, RUN, planned(), sealed(1), sealed(2), sealed(3), (9, DONE))
MAY = {
    "class",
    "id",
    "href",
    "src",
    "alt",
    "title",
    "dir",
    "lang",
    "role",
    "charset",
    "name",
    "content",
    "http-equiv",
    "colspan",
}
DRAWN = {
    "viewbox",
    "preserveaspectratio",
    "x",
    "y",
    "width",
    "height",
    "d",
    "aria-label",
    "aria-hidden",
}


@pytest.mark.parametrize("told", [GOOD, hostile(), long()], ids=["good", "hostile", "long"])
def test_nothing_is_fetched_and_nothing_runs(told):
    read = Reader(page_of(told, pictures=True))
    assert read.open == [], "everything that was opened is closed"
    kinds = {tag for tag, _ in read.tags}
    assert not kinds & {
        "script",
        "link",
        "iframe",
        "object",
        "embed",
        "form",
        "base",
        "video",
        "audio",
        "use",
        "image",
    }
    for tag, attributes in read.tags:
        assert set(attributes) <= MAY | DRAWN, f"{tag} has {sorted(set(attributes) - MAY - DRAWN)}"
        assert attributes.get("src", "data:image/jpeg;base64,").startswith(
            "data:image/jpeg;base64,"
        )
        assert attributes.get("href", "#").startswith("#")
    assert not re.search(r"url\(|@import|expression", stylesheet())


def test_the_policy_lets_in_only_our_own_looks():
    text = page_of(GOOD)
    (policy,) = [
        meta["content"]
        for meta in Reader(text).all("meta")
        if meta.get("http-equiv") == "Content-Security-Policy"
    ]
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert (
        policy
        == f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def test_hostile_names_are_shown_and_never_obeyed():
    text = page_of(hostile())
    read = Reader(text)
    for name in HOSTILE:
        assert " ".join(clean(name).split()) in read.text, name
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f\x7f]", text), (
        "nothing turns or ends the writing around it"
    )
    assert text.encode("utf-8")
    assert {tag for tag, _ in read.tags} == {tag for tag, _ in Reader(page_of(long())).tags} - {
        "thead",
        "th",
    } | {"thead", "th"}
    assert sum(tag == "style" for tag, _ in read.tags) == 1


def test_names_stand_in_their_own_direction():
    assert sum(tag == "bdi" for tag, _ in Reader(page_of(hostile())).tags) > 4 * len(HOSTILE)


def test_every_shot_is_there_once_and_every_link_leads_somewhere():
    read = Reader(page_of(long()))
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(ids) == len(set(ids)) and {f"shot-{n}" for n in range(1, 301)} <= set(ids)
    assert {attributes["href"].removeprefix("#") for attributes in read.all("a")} <= set(ids)


def test_colour_is_never_the_only_sign():
    text = Reader(page_of(long())).text
    for words in ("✓ 197 verified", "↻ 97 reused", "◐ 1 mended", "◁ 1 earlier render", "▤ 4 slate"):
        assert words in text, words
    assert text.count("▤ slate") == 4 and text.count("◐ mended") == 1


def test_what_is_wrong_comes_with_what_to_do():
    text = Reader(page_of(long())).text
    needs = text[text.index("What needs you") : text.index("The film, shot by shot")]
    assert "Media offline" in needs and "Shots 40 to 42: /m/x.mov is not there." in needs
    assert "Connect its drive or put the file back" in needs
    assert "Damaged media" in needs and "Shots 90, 150" in needs
    done = text[text.index("What failed and what was done") :]
    assert "Tried again." in done and "source frame 2143" in done and "01:01:29:07" in done
    assert "The drive /Volumes/Raid is well again after 21.0 s" in done


def test_the_header_names_the_place_where_the_film_stands():
    beside = FilmPublished(
        output="/films/film.incomplete.mov", film_hash="x", kept="", complete=False
    )
    told = chronicle_of(
        ACCEPTED,
        RUN,
        planned(),
        sealed(1),
        sealed(2),
        sealed(3),
        beside,
        JobFinished(outcome="incomplete"),
    )
    assert "/films/film.incomplete.mov" in Reader(page_of(told)).text


def test_a_good_film_has_nothing_to_complain_about():
    text = Reader(page_of(GOOD)).text
    assert (
        "Complete and verified" in text
        and "3 of 3 shots are verified; your media was not touched." in text
    )
    assert "What needs you" not in text and "What failed" not in text
    assert "10.0 % of the time went into records and checks" in text


def test_a_failed_job_says_what_to_do():
    told = chronicle_of(
        ACCEPTED,
        RUN,
        planned(),
        sealed(1),
        JobFinished(outcome="failed", code="scratch-full", detail="/scratch"),
    )
    text = Reader(page_of(told)).text
    assert (
        "✕ Failed" in text
        and "The scratch volume of /scratch is full. Nothing was published." in text
    )
    assert "The job: The scratch volume" in text and "hotsplice clean" in text


@pytest.mark.parametrize("made", [PLAN, None], ids=["with its plan", "without"])
def test_a_job_of_which_little_is_known(made):
    text = Reader(page_of(chronicle_of(ACCEPTED, made=made))).text
    assert "Not begun" in text
    assert (
        "Not finished"
        in Reader(page_of(chronicle_of(ACCEPTED, RUN, planned(), failed(1), made=made))).text
    )


def test_pictures_come_in_as_bytes_and_a_missing_one_is_drawn():
    read = Reader(report(GOOD, pictures={2: jpeg()}, good={}, moment=moment))
    (image,) = read.all("img")
    assert (
        base64.b64decode(image["src"].partition(",")[2]) == jpeg()
        and image["alt"] == "A frame of shot 2"
    )
    assert sum("frame none" in attributes.get("class", "") for attributes in read.all("div")) == 2


def test_the_last_good_frame_is_shown():
    mended = ShotMended(
        shot=1,
        key=key(1),
        bad=((5, 2),),
        failure=failure(),
        source_frame=5,
        last_good="pictures/good.jpg",
    )
    told = chronicle_of(ACCEPTED, RUN, planned(), mended)
    (image,) = Reader(
        report(told, pictures={}, good={"pictures/good.jpg": jpeg()}, moment=moment)
    ).all("img")
    assert image["alt"] == "The last good frame"


def test_what_the_film_cannot_carry_is_said_once_for_each():
    import msgspec

    remark = Remark(code="effect-not-rendered", severity="loss", text="Blur on A001")
    made = msgspec.structs.replace(PLAN, remarks=(remark, remark))
    text = Reader(page_of(chronicle_of(ACCEPTED, RUN, planned(), made=made))).text
    assert text.count("Blur on A001") == 1 and "(2 times)" in text and "▲ differs" in text


def test_it_is_known_as_ours_and_ready_for_paper_and_for_night():
    text = page_of(GOOD)
    assert MARK in text[:4096]
    for rule in ("@media print", "@page", "prefers-color-scheme: dark", "break-inside: avoid"):
        assert rule in stylesheet()
