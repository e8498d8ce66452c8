"""No name comes through, wherever it stands; the same name is the same mask everywhere."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.errors.failure import ErrorType, Evidence, Failure, Recovery, Strategy
from core.graph.nodes import Plan
from core.job.events import AttemptFailed, GateClosed, JobAccepted, PreviousUsed
from core.report import redact
from core.report.redact import Mask, names_in
from core.system import codec
from tests.core.props import clip, cut, plan
from tests.core.report.telling import FILM, MEDIA, PLAN, sealed

PATH = "/Volumes/Müller Wedding/Tag 1/A001 (Braut).mov"
SECRETS = ("Müller", "Wedding", "Tag 1", "Braut", "A001")


def mask(*known: str) -> Mask:
    return Mask([PATH, "Kirche", *known])


def test_the_same_name_is_the_same_mask_and_the_ending_stays():
    own = mask()
    once = own.name(PATH)
    assert re.fullmatch(r"/Volumes/name-\d+/name-\d+/name-\d+\.mov", once)
    assert own.name(PATH) == once and own.name(PATH.replace("A001", "B002")) != once
    sound = own.name(PATH.removesuffix(".mov") + ".WAV")
    assert sound == once.removesuffix(".mov") + ".WAV", (
        "picture and sound of one name stay together"
    )
    assert own.name("Mr. Smith.Wedding") == own.name("Mr. Smith.Wedding") != "Mr. Smith.Wedding"
    assert "Wedding" not in own.name("Mr. Smith.Wedding"), "an ending that is none tells a name"


@pytest.mark.parametrize(
    "text",
    [
        f"{PATH}: No such file or directory",
        f"[in#0 @ 0x55] Error opening input file {PATH}.",
        f"FileNotFoundError: [Errno 2] No such file or directory: '{PATH}'",
        "file:///Volumes/M%C3%BCller%20Wedding/Tag%201/A001%20%28Braut%29.mov is not there",
        "movie=/Volumes/Müller Wedding/Tag 1/A001 (Braut).mov,scale=1920:1080",
        r"movie=/Volumes/Müller\ Wedding/Tag\ 1/A001\ (Braut).mov,scale=2",
        "KIRCHE and kirche and Kirche2 and xkirchex",
        "unheard /Users/anna.schmidt/Desktop/Geheim.mov and C:\\Users\\Anna\\x.mp4 and ~/Anna.txt",
        "relative Geheim/Anna.wav, Schmidt.mov",
        json.dumps(PATH),
        json.dumps(PATH, ensure_ascii=False),
    ],
)
def test_running_text(text):
    masked = mask().text(text)
    for secret in (*SECRETS, "Kirche", "anna", "schmidt", "geheim", "M%C3%BCller", "M\\u00fcller"):
        assert secret.lower() not in masked.lower(), masked


@pytest.mark.parametrize(
    "text",
    [
        "24000/1001 fps, 12/24",
        "Invalid data found when processing input",
        "Input/output error",
        "yuv422p10le(tv), 48000 Hz",
        "",
    ],
)
def test_what_is_no_name_stays(text):
    assert mask().text(text) == text


def test_facts_are_masked_field_by_field_and_stay_facts():
    seen = Evidence(
        operation="render", place="source", path=PATH, stderr=(f"{PATH}: Input/output error",), argv=("ffmpeg", "-i", PATH),
        detail="Kirche is odd", volume="/Volumes/Müller Wedding", clip="Braut 7",
    )  # fmt: skip
    failure = Failure(type=ErrorType.TRANSIENT_NETWORK, code="network-lost", evidence=seen)
    recovery = Recovery(strategy=Strategy.WAIT_AND_RETRY, gate="source:/Volumes/Müller Wedding")
    facts = (
        AttemptFailed(key="v1", shot=1, attempt=1, at=0.0, failure=failure, recovery=recovery),
        GateClosed(gate="source:/Volumes/Müller Wedding", path=PATH, failure=failure),
        JobAccepted(
            digest="d",
            timeline_path="/Cuts/Braut.otio",
            timeline_name="Kirche",
            output="/x/Braut.mov",
            preset="Anna's",
        ),
        PreviousUsed(shot=1, seals=(sealed(1),), job="abc"),
    )
    plain = [codec.plain(fact) for fact in facts]
    own = Mask(names_in(plain))
    masked = [own.value(one) for one in plain]
    text = json.dumps(masked, ensure_ascii=False)
    for secret in (*SECRETS, "Kirche", "Anna"):
        assert secret not in text
    for fact, one in zip(facts, masked, strict=True):
        again = codec.decode(json.dumps(one), type(fact))
        assert type(again) is type(fact)
    assert masked[0]["recovery"]["gate"].startswith("source:/Volumes/name-")
    assert masked[0]["failure"]["evidence"]["path"] == masked[1]["path"]


def test_a_plan_is_masked_and_stays_a_plan():
    made = plan(
        cut([clip(0, 24, name="Braut küsst"), clip(24, 12, "/Volumes/Braut/x.mov", name="Kuss")]),
        {MEDIA.path: MEDIA},
    )
    plain = codec.plain(made)
    own = Mask(names_in(plain))
    again = codec.decode(json.dumps(own.value(plain)), Plan)
    assert "Braut" not in repr(again) and "Kuss" not in repr(again)
    assert [(s.record_in, s.frames) for s in again.shots] == [
        (s.record_in, s.frames) for s in made.shots
    ]
    assert again.format == made.format


def test_what_ships_with_us_keeps_its_name():
    assert Mask([], keep=("prores-hq",)).value({"preset": "prores-hq"}) == {"preset": "prores-hq"}
    assert Mask([]).value({"preset": "prores-hq"}) != {"preset": "prores-hq"}


def test_a_timeline_keeps_its_structure_and_loses_every_word():
    secret = {
        "OTIO_SCHEMA": "Clip.2",
        "name": "Braut",
        "metadata": {"Braut": "x", "note": "Kirche"},
        "media_references": {"Kirche": {"OTIO_SCHEMA": "ExternalReference.1", "target_url": PATH}},
        "markers": [{"OTIO_SCHEMA": "Kirche", "comment": "Braut weint", "color": "Braut"}],
        "source_range": {"rate": 24.0, "value": 3},
        "kind": "Video",
        "enabled": True,
        "Braut": 1,
    }
    masked = mask().timeline(secret)
    text = json.dumps(masked, ensure_ascii=False)
    for word in (*SECRETS, "Kirche", "weint"):
        assert word not in text
    assert (
        masked["OTIO_SCHEMA"] == "Clip.2"
        and masked["kind"] == "Video"
        and masked["source_range"] == secret["source_range"]
    )
    assert masked["metadata"] == {}


NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=6, max_size=30
).filter(lambda name: len(re.sub(r"[\W\d_]", "", name)) >= 5 and name.strip() == name)


@example("HOTSPLICE/LOG", "{}")
@given(
    NAMES,
    st.sampled_from(
        ["{}", "x: {} y", "'{}'", "/Volumes/A/{}.mov: bad", "a={}:b=1", '"{}",', "({})"]
    ),
)
def test_whatever_it_is_called(name, around):
    masked = Mask([name, f"/Volumes/A/{name}.mov"]).text(around.format(name))
    assert name not in masked or all(
        word.lower() in redact.COMMON | redact._KINDS for word in re.split(r"[/\\]", name)
    )


def test_letters_that_are_put_together_in_another_way_are_the_same_letters():
    composed, apart = "M\u00fcllerhochzeit", "Mu\u0308llerhochzeit"
    own = Mask([composed])
    assert own.text(f"{apart}: bad") == own.text(f"{composed}: bad") == "name-1: bad"


def test_one_name_within_another_and_thousands_of_them():
    names = [f"/Raid/Day {n % 30}/Anna{n:04}.mov" for n in range(3000)]
    own = Mask([*names, "Anna0012 and Otto", "Otto"])
    masked = own.text("Anna0012 and Otto met Otto by Anna0012, Anna2999; ".join(names))
    assert "Anna" not in masked and "Otto" not in masked and masked.startswith(own.name(names[0]))
    assert own.text("Anna0012 and Otto") == own.name("Anna0012 and Otto"), (
        "the longest name is taken"
    )


def test_the_props_of_this_test_have_names():
    assert {"A001", "B002", "/media/a.mov"} <= names_in(codec.plain(PLAN)) and FILM.name
