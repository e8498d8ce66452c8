"""From a drop to the message that is sent for it."""

from __future__ import annotations

import json
import os
from pathlib import PurePosixPath

import pytest

from bridge.protocol.requests import Lacking
from bridge.protocol.wire import Ask, digest, encode, understood
from bridge.watch_folder import submission
from bridge.watch_folder.names import Sight
from bridge.watch_folder.submission import Dropped, Usual, wanted
from core.errors.refusal import Refused
from tests.bridge.watch_folder.test_specification import ASKS

HERE = PurePosixPath("/in")
USUAL = Usual(films=PurePosixPath("/films"), preset="", endings={"h264": ".mp4"})


def dropped(
    name: str = "Reel 1.otio",
    ask: str = "",
    beside: bytes = b"",
    timeline: bytes = b"{}",
    at: int = 5,
) -> Dropped:
    return Dropped(name, Sight(size=len(timeline), mtime_ns=at), timeline, ask, beside)


def sent(drop: Dropped, usual: Usual = USUAL):
    message = submission.submit(drop, wanted(drop), folder=HERE, usual=usual)
    ask = understood([encode(message), drop.timeline])
    assert isinstance(ask, Ask), ask
    return ask.message


def refused(drop: Dropped) -> str:
    with pytest.raises(Refused) as error:
        wanted(drop)
    assert error.value.code == "ask-unclear"
    return f"{error.value.fields['name']}: {error.value.fields['detail']}"


def test_a_timeline_alone_is_enough():
    message = sent(dropped())
    assert (
        message.output == "/films/Reel 1.mov"
        and message.preset == ""
        and message.lacking == Lacking()
    )
    assert message.timeline_path == "/in/Reel 1.otio" and message.sha256 == digest(b"{}")


def test_a_name_says_what_it_can():
    message = sent(
        dropped("Reel 1~preset=h264~width=1920~height=1080~drop_frame=0~name=A%2FB.otio")
    )
    assert message.output == "/films/Reel 1.mp4" and message.timeline_path == "/in/Reel 1.otio"
    assert message.lacking == Lacking(name="A/B", width=1920, height=1080, drop_frame=False)


def test_the_usual_preset_is_for_films_whose_place_nobody_named():
    usual = USUAL._replace(preset="h264")
    assert (sent(dropped(), usual).output, sent(dropped(), usual).preset) == (
        "/films/Reel 1.mp4",
        "h264",
    )
    named = sent(dropped("R~output=x.mov.otio"), usual)
    assert (named.output, named.preset) == ("/films/x.mov", "")


def test_a_sidecar_counts_more_than_the_name():
    message = sent(
        dropped(
            "Reel 1~width=1~height=2.otio",
            "x.ask.json",
            b'{"width": 3, "output": "b.mkv", "preset": null}',
        )
    )
    assert (message.lacking.width, message.lacking.height, message.output) == (3, 2, "/films/b.mkv")


def test_both_forms_of_the_specification_say_the_same():
    by_json, by_text = (
        wanted(dropped(ask=f"x.ask.{kind}", beside=text.encode())) for kind, text in ASKS
    )
    assert by_json == by_text
    assert sent(dropped(ask="x.ask.txt", beside=ASKS[1][1].encode())).output == "/films/reel1.mp4"


@pytest.mark.parametrize(
    ("ask", "beside", "said"),
    [
        ("x.ask.json", b"{", "x.ask.json: "),
        ("x.ask.json", b"[]", "object"),
        ("x.ask.json", b'{"widht": 3}', "widht"),
        ("x.ask.json", b'{"width": "wide"}', '"width" must be a whole number'),
        ("x.ask.json", b'{"drop_frame": "perhaps"}', '"drop_frame" must be true or false'),
        ("x.ask.json", b'{"name": 5}', '"name" must be text'),
        ("x.ask.json", b'{"output": "../x.mov"}', "without"),
        ("x.ask.txt", b"output = reels/../../x.mov", "without"),
        ("x.ask.json", b"[" * 5000, "x.ask.json"),
        ("x.ask.json", b"\xff", "utf-8"),
        ("x.ask.json", b" " * 40000, "32768"),
        ("x.ask.txt", b"# fine\nwidth 3\n", "line 2"),
        ("x.ask.txt", b"widht = 3", "widht"),
    ],
)
def test_what_cannot_be_understood_is_named(ask, beside, said):
    assert said in refused(dropped(ask=ask, beside=beside))


def test_a_value_in_a_name_that_does_not_fit_is_named():
    assert "Reel~width=wide.otio" in refused(dropped("Reel~width=wide.otio"))


def test_the_same_file_has_the_same_name_and_any_other_another():
    first = dropped(ask="x.ask.txt", beside=b"width=1")
    assert first.submission == dropped(ask="x.ask.txt", beside=b"width=1").submission
    others = [
        dropped(ask="x.ask.txt", beside=b"width=2"), dropped(), dropped("Reel 2.otio"), dropped(timeline=b"[]"), dropped(at=6),
    ]  # fmt: skip
    assert len({drop.submission for drop in [first, *others]}) == 6


def test_a_name_of_its_own_is_kept():
    assert sent(dropped("R~submission=lua-17955730.otio")).submission == "lua-17955730"


def test_a_name_that_is_no_text_can_still_be_sent():
    message = sent(dropped(os.fsdecode(b"R\xe4der.otio")))
    assert json.loads(encode(message))["output"] == "/films/R\N{REPLACEMENT CHARACTER}der.mov"


def test_an_ending_in_capitals_is_no_part_of_the_title():
    message = sent(dropped("REEL~preset=h264.OTIO"))
    assert (message.output, message.timeline_path) == ("/films/REEL.mp4", "/in/REEL.otio")
