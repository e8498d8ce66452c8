"""The long proofs stay alive: a few points of each, with every commit."""

from __future__ import annotations

import sys

import pytest

from tests.faults.matrix import FAULTS
from tests.proofs import damage, faults, kills, layers, load, refusals, report, resolve_story

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="who is left after a kill is read from /proc"
)


def test_no_folder_imports_one_above_it():
    held, figures = layers.prove(report.Say())
    assert held and figures["upward"] == figures["front_ends_in_the_daemon"] == 0


def test_a_few_kills_leave_the_old_film_or_the_new(tmp_path):
    held, figures = kills.prove(tmp_path, report.Say(), quick=True, small=True)
    assert held and figures["kills"] >= 8


def test_a_few_bad_requests_are_refused_in_words(tmp_path):
    held, figures = refusals.prove(tmp_path, report.Say(), forked=True, step=7)
    assert held and figures["requests"] >= 15


def test_a_little_damage_is_said_or_cannot_be_seen(tmp_path):
    held, figures = damage.prove(tmp_path, report.Say(), each=2, codecs=("ProRes",))
    assert (
        held
        and figures["cases"] == 2
        and figures["seen_with_a_hash_on_record"] == figures["differ"]
    )


def test_a_few_faults_are_named_and_survived(tmp_path):
    few = [
        fault
        for fault in FAULTS
        if fault.code in ("source-missing", "file-too-large", "program-hung")
    ]
    held, figures = faults.prove(tmp_path, report.Say(), quick=True, rows=few, timed=False)
    assert held and figures["real"] == 3 and figures["simulated"] >= 10


def test_markers_in_an_editor_stand_at_exactly_the_frames_that_the_film_lacks(tmp_path):
    assert (
        resolve_story.play(tmp_path, resolve_story.trouble, *resolve_story.TIMES[0], {}).wrong == []
    )


def test_a_few_jobs_from_many_clients_and_a_day_that_is_told(tmp_path):
    held, figures = load.prove(tmp_path, report.Say(), jobs=load.CLIENTS, week_jobs=50)
    assert (
        held and figures["submissions"] == 2 * load.CLIENTS and figures["events"] == 50 * load.FACTS
    )
