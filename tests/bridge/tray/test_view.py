"""Icon, menu and rows: what a person sees of each state, in both languages."""

from __future__ import annotations

import msgspec
import pytest

from bridge.tray.state import Trouble, fold, linked, looked_at
from bridge.tray.view import icon, menu, rows, shortened
from core.messages.template import LANGUAGES
from tests.bridge.tray.samples import failure, happened, job, jobs, model, night, progressed

GATE = happened(
    "GateClosed", gate="source:/Volumes/A", path="/Volumes/A", failure=failure("source-volume-gone")
)


def when(at: float) -> str:
    return f"at {at:.0f}"


def test_nothing_to_do():
    assert icon(model(jobs()), "en") == ("idle", None, "Hotsplice  ·  Nothing to do")
    assert icon(model(jobs(paused=True)), "de").words == "Hotsplice  ·  Pausiert"


def test_working_shows_how_far_all_are_together():
    one = model(
        jobs(job(), job("bbb222")), progressed(), progressed("bbb222", frames=760, frames_done=154)
    )
    assert icon(one, "en").kind == "working"
    assert icon(one, "en").progress == pytest.approx(0.25)
    assert icon(model(jobs(job())), "en") == ("working", 0.0, "Hotsplice  ·  Reel 1")


def test_a_drive_that_is_waited_for_calls_and_work_goes_on_beneath():
    waiting = model(jobs(job()), progressed(), GATE)
    assert icon(waiting, "en")[:2] == ("attention", pytest.approx(0.4))
    assert rows(waiting, "en", when)[0].detail == "waits for /Volumes/A"
    well = fold(waiting, happened("GateOpened", 2, gate="source:/Volumes/A", closed_s=3.0))
    assert icon(well, "en").kind == "working"


@pytest.mark.parametrize(
    "line",
    [
        job(state="incomplete"),
        job(state="failed", code="output-full"),
        job(state="held", code="output-gone"),
    ],
)
def test_what_ended_badly_calls_until_somebody_looked(line):
    ended = model(jobs(line))
    assert icon(ended, "en") == ("attention", None, "Hotsplice  ·  1 job needs you")
    assert icon(looked_at(ended, "aaa111"), "en").kind == "idle"


def test_what_was_only_stopped_does_not_call():
    assert (
        icon(
            model(jobs(job(state="held"), job("b", "interrupted"), job("c", "superseded"))), "en"
        ).kind
        == "idle"
    )


def test_a_film_that_is_done_is_shown_until_somebody_looked():
    done = model(jobs(job()), jobs(job(state="complete")))
    assert icon(done, "en") == ("done", None, "Hotsplice  ·  1 film is done")
    assert icon(looked_at(done, "aaa111"), "en").kind == "idle"


def test_no_companion():
    gone = linked(model(jobs(job())), "absent")
    assert icon(gone, "en").kind == "absent"
    assert [line.do for group in menu(gone, "en") for line in group] == [
        "show",
        "",
        "start",
        "open",
        "new",
        "quit",
    ]
    shut = linked(gone, "shut", Trouble(title="Not let in", message="m"))
    assert icon(shut, "en").words == "Hotsplice  ·  Not let in"


def test_the_menu_has_what_runs_and_what_calls():
    made = menu(model(*night()), "en")
    assert [line.text for line in made[0]] == [
        "Reel 4  ·  40 %  ·  4 s left",
        "Reel 1  ·  incomplete",
        "Reel 3  ·  failed",
    ]
    assert [line.job for line in made[0]] == ["bbb222", "aaa111", "old3"]
    assert made[1][0].text == "1 job waits"
    assert [line.do for line in made[2]] == ["open", "new", "pause"] and made[3][0].do == "quit"
    assert menu(model(jobs(paused=True)), "en")[1][2].do == "go-on"


def test_rows_have_work_first_then_the_queue_then_the_newest():
    first = job("ddd444", "waiting", priority=2)
    shown = rows(
        model(
            jobs(job("z", "complete"), job("y", "failed"), job("ccc333", "waiting"), first, job())
        ),
        "en",
        when,
    )
    assert [row.job for row in shown] == ["aaa111", "ddd444", "ccc333", "y", "z"]
    assert shown[1].detail == "waiting  ·  first in the queue"
    assert shown[-1].detail == "complete  ·  at 1795608000"
    assert len({row.sign for row in shown}) == 4, "each state has a sign of its own"


def test_a_state_of_tomorrow_is_shown_as_it_is():
    row = rows(model(jobs(job(state="dreaming"))), "en", when)[0]
    assert row.detail.startswith("dreaming") and row.sign == "dots"


def test_steps_before_there_is_a_plan():
    said = msgspec.structs.replace(
        progressed(), step="examine", done=3, total=12, snapshot=msgspec.Raw(b"null")
    )
    assert rows(model(jobs(job()), said), "en", when)[0].detail == "Opening media  ·  3 of 12"
    assert (
        rows(model(jobs(job()), said), "de", when)[0].detail
        == "Medien werden geöffnet  ·  3 von 12"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_that_are_long_or_odd_are_one_short_line(language):
    odd = job("odd", "working", timeline="Ein sehr langer Name\n\u202eder Timeline " * 20)
    made = menu(model(jobs(odd)), language)
    assert (
        len(made[0][0].text) <= 70
        and "\n" not in made[0][0].text
        and "\u202e" not in made[0][0].text
    )


def test_names_from_right_to_left_do_not_turn_what_stands_beside_them():
    line = menu(model(jobs(job(timeline="סרט ראשון")), progressed()), "en")[0][0]
    assert line.text == "\u2068סרט ראשון\u2069  ·  40 %  ·  4 s left"


def test_what_is_left_out_is_in_the_middle():
    assert shortened("/media/card/clip.mov", 11) == "/medi…p.mov"
    assert shortened("short", 11) == "short"


def test_a_later_job_for_the_same_film_makes_an_earlier_one_history():
    both = model(jobs(job("old", "incomplete"), job("new", "complete")))
    assert icon(looked_at(both, "new"), "en").kind == "idle"
    assert [row.role for row in rows(both, "en", when)] == ["good", "quiet"]
    other = model(jobs(job("old", "incomplete"), job("new", "complete", output="/films/other.mov")))
    assert icon(other, "en").kind == "attention"


def test_films_that_were_done_before_the_display_began_are_not_shown_as_new():
    assert icon(model(jobs(job(state="complete"))), "en").kind == "idle"
