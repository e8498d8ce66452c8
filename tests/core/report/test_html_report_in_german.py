"""The page in German: every word of it, also those that are only shown when they are pointed at."""

from __future__ import annotations

import msgspec
import pytest

from core.errors.failure import ErrorType
from core.job.events import (
    Answered,
    GateClosed,
    JobFinished,
    PreviousUsed,
    ProblemFound,
    RunInterrupted,
    ShotMended,
    SoundSilenced,
)
from core.report.html_report import report
from core.report.text_report import listing
from core.report.view_model import JobView
from core.timeline.timeline import Remark
from tests.core.report.pages import Reader, jpeg, long, page_of
from tests.core.report.telling import (
    ACCEPTED,
    PLAN,
    RUN,
    chronicle_of,
    failed,
    failure,
    key,
    moment,
    planned,
    sealed,
    story,
)
from tests.core.report.tongues import english_in

DAMAGED = failure("source-damaged", ErrorType.PERMANENT_FILE_CORRUPTION)
REMARK = Remark(code="effect-not-rendered", severity="loss", text="A001")
MADE = msgspec.structs.replace(
    PLAN, remarks=(REMARK, REMARK, Remark(code="colour-differs", severity="note", text="A001"))
)
STORY = (
    ACCEPTED, (0, RUN), ProblemFound(code="source-missing", path="/m/x.mov", shots=(2,), clips=("c1",)), planned(),
    (1, failed(1)), (2, failed(1, DAMAGED, attempt=2, again=False)),
    ShotMended(shot=1, key=key(1), bad=((5, 1),), failure=DAMAGED, source_frame=5, last_good="pictures/good.jpg"),
    PreviousUsed(shot=2, seals=(sealed(1),), job="j1"), SoundSilenced(clip="c9", failure=DAMAGED), sealed(3, reused=True),
    GateClosed(gate="source:/V/A", path="/V/A", failure=failure("source-volume-gone")), Answered(answer="skip", shot=1),
)  # fmt: skip
ENDS = {
    "incomplete": JobFinished(
        outcome="incomplete", seconds=9.0, recording_s=0.5, checking_s=0.5, working_s=9.5
    ),
    "failed": JobFinished(outcome="failed", code="scratch-full", detail="/scratch"),
    "complete": JobFinished(outcome="complete"),
    "unchanged": JobFinished(outcome="unchanged"),
    "superseded": JobFinished(outcome="superseded"),
    "interrupted": RunInterrupted(reason="SIGTERM"),
}
TOLD = {name: chronicle_of(*STORY, (9, end), made=MADE) for name, end in ENDS.items()} | {
    "running": chronicle_of(*STORY, made=MADE),
    "accepted": chronicle_of(ACCEPTED, made=None),
    "long": long(),
}
SHOWN = ("title", "alt", "aria-label")


def read(told: JobView) -> Reader:
    """Its page in German, with a picture of a shot and one of a last good frame."""
    good = {"pictures/good.jpg": jpeg()}
    return Reader(report(told, pictures={1: jpeg()}, good=good, moment=moment, speak="de"))


def names(told: JobView) -> set[str]:
    """What is called so by people: it stays as it is."""
    return {
        told.accepted.timeline_name,
        "older1",
        *told.clips,
        *told.clips.values(),
        *(shot.name for shot in told.shots),
    }


@pytest.mark.parametrize("told", TOLD.values(), ids=list(TOLD))
def test_no_word_of_a_german_page_is_english(told: JobView) -> None:
    page = read(told)
    said = [
        page.text,
        *(
            value
            for _, attributes in page.tags
            for name, value in attributes.items()
            if name in SHOWN
        ),
    ]
    assert english_in(" ".join(said), names=names(told)) == set()


@pytest.mark.parametrize("told", TOLD.values(), ids=list(TOLD))
def test_an_english_page_would_be_found_out(told: JobView) -> None:
    assert len(english_in(Reader(page_of(told)).text, names=names(told))) > 10


def test_a_browser_is_told_the_language_of_the_page() -> None:
    assert read(TOLD["complete"]).all("html") == [{"lang": "de"}]
    assert Reader(page_of(TOLD["complete"])).all("html") == [{"lang": "en"}]


def test_the_page_says_it_as_a_filmmaker_would() -> None:
    text = read(TOLD["incomplete"]).text
    for words in (
        "◐ Veröffentlicht, unvollständig", "Der Film steht, wo er stehen soll, ist aber nicht ganz so wie verlangt.",
        "01:00:00:00 bis 01:00:02:02, 50 Bilder bei 24 fps", "Einstellung 2 und Ton von 1 Clip: /m/x.mov ist nicht vorhanden.",
        "1 Bild ist ein Platzhalter", "▲ weicht ab", "(2-mal)", "Letztes gutes Bild", "Wird noch abgewartet.",
    ):  # fmt: skip
        assert words in text, words


def test_numbers_have_a_comma_and_timecodes_stay_as_they_are() -> None:
    text = read(long()).text
    assert "nach 21,0 s wieder in Ordnung" in text and "01:01:29:07" in text and "21.0" not in text


@pytest.mark.parametrize("name", ["incomplete", "failed", "long"])
def test_the_list_is_german_as_well(name: str) -> None:
    told = TOLD[name]
    text = listing(told, story(*STORY), moment, "de")
    assert "Einstellungen\n" in text and "Verlauf\n" in text
    english = english_in(text, names=names(told))
    assert english == set()
    assert len(english_in(listing(told, story(*STORY), moment), names=names(told))) > 10
