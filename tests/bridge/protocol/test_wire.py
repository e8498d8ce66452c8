"""The protocol without sockets: the specification's examples, and whatever bytes a stranger may send."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.protocol import wire
from bridge.protocol.endpoint import Endpoint
from bridge.protocol.requests import (
    LARGEST_CHUNK,
    LARGEST_HEAD,
    Chunk,
    Hello,
    Ping,
    Request,
    Submit,
    Watch,
)
from bridge.protocol.responses import Bye, Saying
from bridge.protocol.wire import Ask, Conversation, digest, encode, heard, request_name, understood
from core.errors.refusal import Refused
from core.messages import catalogue
from core.report.progress import Snapshot

SPECIFICATION = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```json (\w+)\n(.*?)```", SPECIFICATION, re.DOTALL)
REQUESTS = [text for kind, text in EXAMPLES if kind == "request"]
SAYINGS = [text for kind, text in EXAMPLES if kind in ("answer", "event")]


def frames_of(text: str) -> list[bytes]:
    """An example as it travels, with an empty timeline where one belongs."""
    return [text.encode(), b""] if '"Submit"' in text or '"Chunk"' in text else [text.encode()]


# The specification ----------------------------------------------------------------------------------------------------


def test_the_specification_is_of_this_version():
    assert SPECIFICATION.startswith(f"# The protocol, version {wire.VERSION}\n")


@pytest.mark.parametrize("text", REQUESTS, ids=lambda text: json.loads(text)["is"])
def test_a_request_of_the_specification_is_understood_in_full(text):
    ask = understood(frames_of(text))
    assert isinstance(ask, Ask)
    assert json.loads(encode(ask.message)) == json.loads(text), (
        "no field of the example is passed over, and none is missing"
    )


@pytest.mark.parametrize("text", SAYINGS, ids=lambda text: json.loads(text)["is"])
def test_what_a_companion_says_in_the_specification_is_what_it_says(text):
    said = heard(text.encode())
    assert json.loads(encode(said)) == json.loads(text)


def test_every_kind_of_message_has_an_example():
    told = {json.loads(text)["is"] for text in REQUESTS + SAYINGS}
    kinds = {*Request.__args__, *Saying.__args__}
    assert told == {kind.__name__ for kind in kinds}


def test_the_endpoint_and_the_snapshot_are_as_specified():
    (text,) = [text for kind, text in EXAMPLES if kind == "endpoint"]
    assert msgspec.to_builtins(msgspec.json.decode(text, type=Endpoint)) == json.loads(text)
    (progressed,) = [json.loads(text) for text in SAYINGS if '"Progressed"' in text]
    assert set(progressed["snapshot"]) == set(Snapshot.__struct_fields__)


def test_every_cause_of_the_specification_has_its_words():
    for code in re.findall(r"^\| `([a-z-]+)` \|", SPECIFICATION, re.MULTILINE):
        assert code in catalogue.entries()


# The order of a conversation ------------------------------------------------------------------------------------------


def test_nothing_is_heard_before_hello():
    conversation = Conversation()
    unfit = conversation.admit(Ping(request="1"))
    assert unfit and unfit.code == "message-unclear" and "Hello" in str(unfit.fields["detail"])
    assert conversation.admit(Hello(request="2", version="1.7")) is None, (
        "a newer minor version asks for no more than we have"
    )
    assert conversation.admit(Ping(request="3")) is None


@pytest.mark.parametrize("version", ["0.9", "2.0", "", "one", "10.0", "1\x1b[2J"[1:]])
def test_another_major_version_is_told_so_and_let_no_further(version):
    conversation = Conversation()
    unfit = conversation.admit(Hello(request="1", version=version))
    assert unfit and unfit.code == "protocol-mismatch" and unfit.fields["known"] == wire.VERSION
    assert str(unfit.fields["name"]).isprintable()
    assert conversation.admit(Ping(request="2")) is not None


# What does not fit ----------------------------------------------------------------------------------------------------

CHUNK = Chunk(request="1", submission="12345678", at=0)
GOOD = {
    "is": "Submit",
    "request": "2",
    "submission": "12345678",
    "output": "/f.mov",
    "sha256": digest(b"{}"),
}


def said(**changes: object) -> list[bytes]:
    return [json.dumps(GOOD | changes).encode(), b"{}"]


def test_a_whole_submission_is_understood():
    ask = understood(said())
    assert isinstance(ask, Ask) and isinstance(ask.message, Submit) and ask.data == b"{}"


def test_a_submission_whose_timeline_was_uploaded_has_one_frame():
    ask = understood(said()[:1])
    assert isinstance(ask, Ask) and isinstance(ask.message, Submit) and ask.data is None


@pytest.mark.parametrize(
    ("frames", "code", "named"),
    [
        ([], "message-too-large", "0 bytes"),
        ([b"x" * (LARGEST_HEAD + 1)], "message-too-large", "65537"),
        ([b"{}", b"", b""], "message-too-large", "3 parts"),
        ([b""], "message-unclear", "truncated"),
        ([b"\xff\xfe"], "message-unclear", ""),
        ([b"[" * 60000], "message-unclear", ""),
        ([b'{"is":"Ping","request":"1","x":' + b'{"x":' * 9000], "message-unclear", "x"),
        ([b'{"is": "Dance", "request": "1"}'], "message-unclear", "Dance"),
        ([b'{"is": "Ping", "request": "1", "loud": true}'], "message-unclear", "loud"),
        ([b'{"is": "Ping", "request": ""}'], "message-unclear", "request"),
        ([b'{"is": "Ping", "request": "a b"}'], "message-unclear", "request"),
        ([b'{"is": "Watch", "request": "1", "after": -1}'], "message-unclear", "after"),
        ([b'{"is": "Watch", "request": "1", "after": 1e300}'], "message-unclear", "after"),
        ([b'{"is": "Watch", "request": "1", "after": ' + b"9" * 5000 + b"}"], "message-unclear", ""),
        ([b'{"is": "Cancel", "request": "1", "job": ""}'], "message-unclear", "job"),
        ([b'{"is": "List", "request": "1", "most": 100000}'], "message-unclear", "most"),
        ([b'{"is": "Ping", "request": "1"}', b"timeline"], "message-unclear", "second part"),
        ([encode(CHUNK)], "message-unclear", "second part"),
        ([encode(CHUNK), bytes(LARGEST_CHUNK + 1)], "message-too-large", "262145"),
        ([b'{"is": "Upload", "request": "1", "submission": "12345678", "size": 0}', b""], "message-unclear", ""),
        (said(submission="short"), "message-unclear", "submission"),
        (said(output="/a\x00b"), "message-unclear", "output"),
        (said(output="/" + "a" * 5000), "message-unclear", "output"),
        (said(sha256="00"), "message-unclear", "sha256"),
        (said(lacking={"width": 0}), "message-unclear", "lacking.width"),
        (said(lacking={"drop_fram": True}), "message-unclear", "drop_fram"),
        (said(sha256=digest(b"another")), "message-damaged", ""),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_cause(frames, code, named):
    unfit = understood(frames)
    assert isinstance(unfit, Refused) and unfit.code == code
    words = catalogue.words(code, "en", **unfit.fields)
    assert named in words.message and words.message.isprintable()


def test_the_name_of_a_request_is_told_where_it_can_be_read():
    assert request_name([b'{"is": "Dance", "request": "7"}']) == "7"
    assert (
        request_name([b"{"])
        == request_name([])
        == request_name([b"[" * 60000])
        == request_name([b'{"request": 3}'])
        == ""
    )


# Whatever bytes -------------------------------------------------------------------------------------------------------

_FRAMES = [frame for text in REQUESTS for frame in frames_of(text)[:1]]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=4))
def test_random_bytes_are_refused_and_never_raise(frames):
    assert isinstance(understood(frames), Refused)
    assert isinstance(request_name(frames), str)


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_a_spoilt_request_never_raises(data):
    frame = bytearray(data.draw(st.sampled_from(_FRAMES)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, max(0, len(frame) - 1)))
        end = at + data.draw(st.integers(0, 12))
        frame[at:end] = data.draw(
            st.sampled_from([b"", bytes(frame[at:end]) * 2, data.draw(st.binary(max_size=6))])
        )
    result = understood([bytes(frame)])
    assert isinstance(result, Ask | Refused)
    assert not (isinstance(result, Ask) and isinstance(result.message, Chunk)), (
        "without its bytes it is no chunk"
    )


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
        lambda c: (
            st.lists(c, max_size=3)
            | st.dictionaries(
                st.sampled_from(["is", "request", "job", "after", "Submit", "version"]),
                c,
                max_size=4,
            )
        ),
    )
)
def test_any_json_is_understood_or_refused(value):
    assert isinstance(understood([json.dumps(value).encode()]), Ask | Refused)


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=300)
    | st.sampled_from(SAYINGS).map(lambda text: text.encode()[: len(text) // 2])
)
def test_a_client_passes_over_what_it_does_not_understand(frame):
    assert heard(frame) is None


def test_a_client_passes_over_what_a_newer_companion_says():
    assert heard(b'{"is": "Sang", "song": "la"}') is None
    assert heard(b'{"is": "Bye", "reason": "x", "tune": "la"}') == Bye(reason="x")


def test_what_is_said_is_read_back():
    watch = Watch(request="1", job="abc", after=3)
    assert understood([encode(watch)]) == Ask(watch)
