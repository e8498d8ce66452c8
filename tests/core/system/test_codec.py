"""Every value that is written comes back as it was, and equal values are equal bytes."""

from __future__ import annotations

import typing
from enum import Enum
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors.failure import ErrorType, Evidence, Failure, Recovery, Strategy
from core.executors.worker import Assignment, Reply
from core.graph.nodes import Plan
from core.job.events import AttemptFailed, Fact, SegmentSealed
from core.system import codec
from core.system.codec import Value
from core.tasks.spec import Order, Outcome, Progress
from core.timeline.timeline import Timeline
from tests.core.props import clip, cut, picture, plan, source

KEPT = Path(__file__).parents[2] / "specimens" / "journal"
"""Facts as version 1 of the journal wrote them, one line for every kind: they must be readable for ever."""

PLAIN = {
    str: st.text(max_size=12),
    int: st.integers(-(2**63), 2**64 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    Fraction: st.fractions(),
    type(None): st.none(),
}


def anything(kind: object) -> st.SearchStrategy:
    """Every value of a type of the model, whatever stands in it."""
    if kind in PLAIN:
        return PLAIN[kind]
    parts = typing.get_args(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(kind)
    if isinstance(kind, type) and issubclass(kind, Value):
        return st.builds(
            kind, **{name: anything(hint) for name, hint in typing.get_type_hints(kind).items()}
        )
    if typing.get_origin(kind) is typing.Literal:
        return st.sampled_from(parts)
    if typing.get_origin(kind) is tuple and parts[1:] == (...,):
        return st.lists(anything(parts[0]), max_size=2).map(tuple)
    if typing.get_origin(kind) is tuple:
        return st.tuples(*map(anything, parts))
    if typing.get_origin(kind) is dict:
        return st.dictionaries(anything(parts[0]), anything(parts[1]), max_size=2)
    return st.one_of(*map(anything, parts))


def every(union: object) -> list[type]:
    return list(typing.get_args(union))


@pytest.mark.parametrize("kind", every(Fact), ids=lambda kind: kind.__name__)
@settings(max_examples=25)
@given(data=st.data())
def test_every_fact_comes_back_from_the_journal(kind, data):
    fact = data.draw(anything(kind))
    line = codec.encode(fact)
    assert b"\n" not in line
    again = codec.decode(line, Fact)
    assert again == fact
    assert type(again) is type(fact)


@pytest.mark.parametrize("kind", every(Order), ids=lambda kind: kind.__name__)
@settings(max_examples=25)
@given(data=st.data())
def test_every_order_reaches_its_worker(kind, data):
    given_to = Assignment(order=data.draw(anything(kind)), rate=data.draw(st.fractions()))
    assert codec.decode(codec.encode(given_to), Assignment) == given_to


@pytest.mark.parametrize("kind", [*every(Outcome), Progress], ids=lambda kind: kind.__name__)
@settings(max_examples=25)
@given(data=st.data())
def test_every_outcome_reaches_the_engine(kind, data):
    reply = data.draw(anything(kind))
    assert codec.decode(codec.encode(reply), Reply) == reply


def test_a_timeline_and_its_plan_travel_whole():
    film = cut(
        [clip(0, 48), clip(60, 30, "/media/b.mov", Fraction(1, 3))], rate=Fraction(24000, 1001)
    )
    assert codec.decode(codec.encode(film), Timeline) == film
    made = plan(film, {"/media/a.mov": source(video=picture(rate=Fraction(24000, 1001)))})
    assert codec.decode(codec.encode(made), Plan) == made


@given(st.fractions())
def test_fractions_are_exact(value):
    assert codec.decode(codec.encode(value), Fraction) == value
    assert codec.encode(Fraction(24000, 1001)) == b'"24000/1001"'


def test_equal_values_have_equal_bytes_whatever_order_they_were_written_in():
    assert codec.canonical({"b": 1, "a": Fraction(1, 2)}) == codec.canonical(
        {"a": Fraction(2, 4), "b": 1}
    )
    assert codec.canonical({"a": 1}) != codec.canonical({"a": 2})


def test_the_first_journals_are_still_read():
    lines = [
        line
        for path in sorted(KEPT.glob("version_*.jsonl"))
        for line in path.read_bytes().splitlines()
    ]
    facts = [codec.decode(line, Fact) for line in lines]
    assert {type(fact) for fact in facts} == set(every(Fact)), (
        "a kind of fact has no line in any version's file"
    )
    assert AttemptFailed(
        key="v1", shot=3, attempt=2, at=1699999999.5,
        failure=Failure(
            type=ErrorType.SYSTEM_RESOURCE_EXCEEDED, code="scratch-full",
            evidence=Evidence(operation="render", place="scratch", path="/s/v1.1.mov", exit_code=228, errno=28),
        ),
        recovery=Recovery(strategy=Strategy.CLEANUP_AND_RETRY, retry_at=1700000000.5, change="fewer workers"),
    ) in facts  # fmt: skip


def test_what_an_older_version_did_not_say_has_its_default_and_what_a_newer_one_adds_is_left_out():
    line = (
        b'{"is":"SegmentSealed","key":"v1","kind":"video","shot":1,"file":"1/v1.mov","bytes":10,"file_hash":"h","frames":4,'
        b'"digest":"d","weather":"fine"}'
    )
    assert codec.decode(line, Fact) == SegmentSealed(
        key="v1",
        kind="video",
        shot=1,
        file="1/v1.mov",
        bytes=10,
        file_hash="h",
        frames=4,
        digest="d",
    )


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b'{"is":"SegmentForged"}',
        b'{"is":"SealBroken","key":"v1"}',
        b'{"is":"SealBroken","key":7,"reason":""}',
        b'{"is":"ProblemFound","code":"","path":"","shots":"1"}',
    ],
)
def test_what_is_no_fact_is_refused(line):
    with pytest.raises(msgspec.DecodeError):
        codec.decode(line, Fact)


def test_what_is_no_value_of_the_model_is_not_written():
    with pytest.raises(NotImplementedError, match="complex"):
        codec.encode(1j)


def test_plain_is_what_json_readers_get():
    assert codec.plain(source(video=None, timecode_s=Fraction(7200, 2)))["timecode_s"] == "3600/1"
