"""A job's page: verdict, strip, legend, cards, and what a click asks of the companion."""

from __future__ import annotations

import msgspec

from bridge.protocol.responses import KeptFilm
from bridge.tray.page import answers, diagnosis, numbers, page
from bridge.tray.state import Doing, Now, replace
from tests.bridge.tray.samples import (
    DAMAGED,
    MISSING,
    described,
    job,
    jobs,
    model,
    night,
    pictured,
    progressed,
    shots,
)


def shown(*said: object, language: str = "en", name: str = "aaa111"):
    made = page(model(*said), name, language)
    assert made is not None
    return made


def test_a_job_that_is_not_there_has_no_page():
    assert page(model(jobs()), "aaa111", "en") is None


def test_before_it_is_described_there_is_what_the_list_says():
    made = shown(jobs(job()), progressed())
    assert (made.title, made.known, made.tiles, made.cards) == ("Reel 1", False, (), ())
    assert made.verdict == "40 %  ·  4 s left"
    assert made.far == "Assembling  ·  3 of 8 shots  ·  96 of 240 frames" and made.left == "32 fps"
    assert [act.do for act in made.acts] == ["cancel"]


def test_an_ended_job_says_how_it_stands_and_what_is_safe():
    made = shown(*night())
    assert made.verdict == "Published, but incomplete."
    assert made.safe.startswith("8 of 12 shots are verified")
    assert made.progress is None and made.role == "warn"
    assert [act.do for act in made.acts] == [
        "retry",
        "folder",
        "report",
        "copy",
        "bundle",
    ] and made.acts[0].about == ("all",)


def test_the_strip_has_every_shot_with_a_sign_and_all_its_words():
    made = shown(*night())
    assert [tile.sign for tile in made.tiles] == [
        "check", "check", "again", "slate", "check", "check", "check", "half", "back", "check", "cross", "dots",
    ]  # fmt: skip
    assert made.tiles[3].words.split("\n") == [
        "Shot 4: Night train", "01:00:05:04  ·  48 frames  ·  slate", "Media offline: /media/D004.mp4 is not there.",
    ]  # fmt: skip
    assert made.tiles[5].name == "Gap" and made.tiles[0].picture == pictured().pictures[1]
    assert [part.text for part in made.legend] == [
        "6 verified", "1 reused", "1 made in part", "1 earlier render", "1 slate", "1 missing", "1 waiting",
    ]  # fmt: skip


def test_a_shot_in_the_making_is_shown_so():
    waiting = tuple(msgspec.structs.replace(shot, state="waiting") for shot in shots())
    made = shown(jobs(job()), described(state="working", shots=waiting, findings=()), progressed())
    assert [tile.state for tile in made.tiles].count("working") == 1 and made.tiles[
        3
    ].sign == "play"


def test_cards_begin_with_what_is_worst_and_offer_what_fits():
    made = shown(*night())
    assert [card.severity for card in made.cards] == ["error", "warning", "note"]
    assert [act.do for act in made.cards[0].acts] == ["relink", "retry", "skip", "folder"]
    assert [act.do for act in made.cards[2].acts] == ["folder"]
    assert made.cards[0].where == "Shot 4  ·  01:00:05:04"
    assert made.cards[2].where == "Shots 2, 7, 11  ·  01:00:02:00"
    assert made.cards[1].hints[0].endswith("With care: this cannot be undone.")
    assert [act.primary for act in made.cards[0].acts] == [True, False, False, False]


def test_a_finding_about_no_shot_is_answered_by_its_code():
    disk = msgspec.structs.replace(
        MISSING, code="output-full", shots=(), first=None, answers=("retry", "stop"), path=""
    )
    (card,) = shown(jobs(job(state="failed")), described(state="failed", findings=(disk,))).cards
    assert [(act.do, act.about) for act in card.acts] == [
        ("retry", ("output-full",)),
        ("stop", ("output-full",)),
    ]
    assert card.shot == 0 and card.where == ""


def test_a_click_says_one_word_for_each_shot_and_relinks_once():
    three = msgspec.structs.replace(MISSING, shots=(2, 7, 11))
    (card,) = shown(jobs(job(state="incomplete")), described(findings=(three,))).cards
    retry = answers(card.acts[1], "aaa111", "answer-x")
    assert [(word.answer, word.about, word.job) for word in retry] == [
        ("retry", n, "aaa111") for n in ("2", "7", "11")
    ]
    assert len({word.request for word in retry}) == 3
    (relink,) = answers(card.acts[0], "aaa111", "answer-x", file="/b/D004.mp4")
    assert (relink.answer, relink.about, relink.file) == ("relink", "2", "/b/D004.mp4")


def test_what_can_be_done_with_a_job_fits_its_state():
    def acts(state: str, **changes: object) -> list[str]:
        return [act.do for act in shown(jobs(job(state=state, **changes))).acts]

    assert acts("waiting") == ["first", "cancel"] and acts("waiting", priority=1) == [
        "back",
        "cancel",
    ]
    assert acts("elsewhere") == ["cancel"], "whoever makes it is not to be joined"
    assert acts("held") == acts("interrupted") == acts("failed") == ["resume"]
    assert acts("superseded") == []


def test_a_film_that_replaced_another_can_be_exchanged_with_it_while_nothing_works_at_it():
    told = described(state="complete", findings=(), rollback="before")
    made = shown(jobs(job(state="complete")), told)
    assert [(act.do, act.label) for act in made.acts][:2] == [
        ("folder", "Open the &folder"), ("rollback-before", "&Bring back the film before …"),
    ]  # fmt: skip
    again = jobs(job(state="complete"), job("bbb222", "working"))
    assert "rollback-before" not in [act.do for act in shown(again, told).acts]
    all_kept = (
        KeptFilm(number=1, at=0.0, complete=True),
        KeptFilm(number=2, at=86400.0, complete=None, length="00:00:10:00"),
    )
    several = shown(jobs(job(state="complete")), msgspec.structs.replace(told, kept=all_kept))
    offered = [(act.do, act.path) for act in several.acts if act.do.startswith("rollback")]
    assert offered == [("rollback-before", ""), ("rollback-kept", "2")], (
        "the newest has its button already"
    )
    assert "(not on record" in next(act.label for act in several.acts if act.path == "2")
    neither = msgspec.structs.replace(told, rollback="", kept=all_kept)
    assert [
        act.path
        for act in shown(jobs(job(state="complete")), neither).acts
        if act.do == "rollback-kept"
    ] == ["1", "2"]
    elsewhere = jobs(job(state="complete"), job("bbb222", "working", output="/films/other.mov"))
    assert "rollback-before" in [act.do for act in shown(elsewhere, told).acts]


def test_a_rate_that_is_not_known_yet_is_no_reason_to_end():
    made = shown(
        jobs(job()),
        described(state="working", rate="", shots=shots()[:1], findings=(MISSING, DAMAGED)),
    )
    assert made.tiles[0].timecode == "" and made.cards[0].where == "Shot 4"


def test_time_left_that_cannot_be_told_is_said():
    known = model(jobs(job()))
    slow = replace(known, doing={"aaa111": Doing(now=Now(phase="assemble", frames=10, shots=1))})
    assert page(slow, "aaa111", "de").left == "Restzeit noch unbekannt"


def test_the_diagnosis_is_plain_text_with_codes_and_places():
    text = diagnosis(described(), "0.1.0")
    assert text.startswith("Hotsplice 0.1.0, job aaa111: incomplete\n")
    assert "[error, source-missing, shots 4, 01:00:05:04] Media offline" in text
    assert text.index("source-missing") < text.index("shot-mended") < text.index("rate-conformed")


def test_numbers_are_runs():
    assert numbers((1, 2, 4, 5, 6, 9)) == "1, 2, 4–6, 9" and numbers(()) == ""


def test_a_decision_is_a_quiet_card_with_one_button_that_takes_it_back():
    left = msgspec.structs.replace(
        MISSING,
        severity="note",
        title="Slate kept by your decision",
        answers=("retry",),
        decided=True,
    )
    told = described(
        state="complete",
        findings=(left,),
        shots=tuple(msgspec.structs.replace(s, taken=s.number == 4) for s in shots()),
    )
    made = shown(jobs(job(state="complete")), told)
    (card,) = made.cards
    assert (card.role, card.kind, card.hints) == ("quiet", "Your decision", ())
    assert [(act.do, act.label) for act in card.acts] == [
        ("retry", "&Take the decision back"),
        ("folder", "Open the &folder"),
    ]
    assert made.tiles[3].role == "quiet" and made.role == "good"


def test_the_button_says_what_is_left():
    labels = {
        one: [
            act.label
            for act in shown(*(jobs(job(state="incomplete")), described(findings=(one,))))
            .cards[0]
            .acts
        ]
        for one in (MISSING, DAMAGED)
    }
    assert "&Leave the slate" in labels[MISSING] and "&Leave as is" in labels[DAMAGED]
