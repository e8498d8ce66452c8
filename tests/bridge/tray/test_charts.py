"""History and figures as things to plot."""

from __future__ import annotations

from bridge.tray.charts import DAYS, board
from tests.bridge.tray.samples import FIGURES, NOON, job, jobs, model


def made(*said: object, language: str = "en"):
    def day_of(at: float) -> int:
        return int(at // 86400)

    return board(
        model(*said), day_of(NOON), day_of, lambda day: f"day {day - day_of(NOON)}", language
    )


def test_days_count_jobs_by_how_they_ended():
    lines = [
        job(str(n), state, at=NOON - 86400 * n)
        for n, state in enumerate(("complete", "unchanged", "incomplete", "failed", "held"))
    ]
    days = made(jobs(*lines, job("x", "failed"))).days
    assert len(days) == DAYS and days[-1].label == "day 0"
    assert [day.counts for day in days[-5:]] == [
        (0, 0, 0),
        (0, 0, 1),
        (0, 1, 0),
        (1, 0, 0),
        (1, 0, 1),
    ]
    assert (
        days[-1].words == "day 0: 1 complete, 1 failed"
        and days[0].words == f"day {1 - DAYS}: no jobs"
    )


def test_figures_are_said_in_the_unit_that_says_enough():
    shown = made(FIGURES)
    assert [figure.value for figure in shown.figures] == [
        "96.6 %",
        "96.6 %",
        "29",
        "1 s",
        "38 s",
        "1.5 h",
    ]
    assert made(FIGURES, language="de").figures[0].value == "96,6 %"
    assert all(figure.words and figure.label for figure in shown.figures)


def test_faults_say_how_often_they_were_cured():
    faults = made(FIGURES).faults
    assert faults[0].words == "Media offline: 6 of 9 cured, usually in 32 s"
    assert (faults[-1].episodes, faults[-1].cured) == (2, 0) and faults[-1].words.endswith(
        "0 of 2 cured"
    )


def test_before_there_is_anything_there_are_dashes():
    empty = made()
    assert {figure.value for figure in empty.figures} == {"–"} and empty.faults == ()
