"""Who works now: priorities, places, films, and the machine's cores."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.daemon.scheduler import CLEARLY, Job, decide, newest_cuts


def job(name: str, priority: int = 0, age: int = 0, film: str = "") -> Job:
    return Job(name, priority, age or ord(name[0]), film or f"/{name}.mov")


A, B, C, D = (job(name) for name in "abcd")


def test_as_many_work_as_there_are_places_the_oldest_first():
    now = decide([B, A, C], [], at_once=2, workers=8)
    assert (now.begin, now.interrupt, now.workers) == (("a", "b"), (), {"a": 4, "b": 4})


def test_one_alone_has_all_cores_and_gives_some_away_to_the_next():
    assert decide([], [A], at_once=3, workers=8).workers == {"a": 8}
    assert decide([B], [A], at_once=3, workers=8).workers == {"a": 4, "b": 4}


def test_an_odd_core_is_the_oldest_jobs():
    assert decide([], [B, A], at_once=2, workers=3).workers == {"a": 2, "b": 1}


def test_what_comes_first_has_the_cores_and_the_others_one_each():
    assert decide([], [A, job("b", 5), C], at_once=3, workers=8).workers == {"a": 1, "b": 6, "c": 1}


def test_no_more_jobs_than_workers():
    assert decide([A, B, C], [], at_once=3, workers=2).begin == ("a", "b")


@pytest.mark.parametrize(
    ("priority", "interrupts"), [(1, ()), (CLEARLY - 1, ()), (CLEARLY, ("a",)), (100, ("a",))]
)
def test_a_higher_priority_comes_next_and_a_clearly_higher_one_at_once(priority, interrupts):
    now = decide([B, job("c", priority)], [A], at_once=1, workers=2)
    assert (now.begin, now.interrupt) == ((), interrupts)
    assert decide([B, job("c", priority)], [], at_once=1, workers=2).begin == ("c",)


def test_the_last_in_order_yields_and_only_once():
    urgent = job("d", 50)
    assert decide([urgent], [A, job("b", 3), C], at_once=3, workers=3).interrupt == ("c",)
    now = decide([urgent], [A, job("b", 3), C], stopping={"c"}, at_once=3, workers=3)
    assert (now.begin, now.interrupt) == ((), ())
    assert decide([urgent, C], [A, job("b", 3)], at_once=3, workers=3).begin == ("d",)


def test_what_was_interrupted_does_not_interrupt_in_turn():
    assert decide([A], [job("b", CLEARLY)], at_once=1, workers=2).interrupt == ()


def test_fewer_places_than_before_the_last_in_order_go():
    now = decide([D], [A, B, C], at_once=1, workers=4)
    assert (set(now.interrupt), now.begin, now.workers) == ({"b", "c"}, (), {"a": 4})
    assert decide([D], [A, B, C], stopping={"b", "c"}, at_once=1, workers=4).interrupt == ()


def test_while_paused_none_begins_and_all_stop():
    now = decide([C], [A, B], stopping={"b"}, at_once=4, workers=4, paused=True)
    assert now == ((), ("a",), {})


def test_a_film_under_work_is_finished_before_its_next_cut():
    again = job("b", 100, film="/a.mov")
    assert decide([again], [A], at_once=4, workers=4) == ((), (), {"a": 4})
    assert decide([again], [A], stopping={"a"}, at_once=4, workers=4).begin == ()
    assert decide([again, C], [A], at_once=4, workers=4).begin == ("c",)


def test_of_several_cuts_that_wait_for_a_film_the_newest_is_made():
    assert newest_cuts([job("a", 5, film="/f.mov"), B, job("c", film="/f.mov")]) == [
        B,
        job("c", film="/f.mov"),
    ]


JOBS = st.lists(
    st.tuples(st.integers(-20, 20), st.sampled_from(["/x.mov", "/y.mov", ""])), max_size=12
)


@given(JOBS, st.integers(0, 4), st.integers(1, 5), st.integers(1, 9), st.booleans(), st.data())
def test_it_always_comes_to_rest_in_a_good_order(queue, under_work, at_once, workers, paused, data):
    jobs = [
        Job(f"j{n}", priority, n, film or f"/{n}.mov") for n, (priority, film) in enumerate(queue)
    ]
    working = [one for one in jobs if one in list({other.film: other for other in jobs}.values())][
        :under_work
    ]
    stopping: set[str] = set()
    for _ in range(60):
        now = decide(
            [one for one in jobs if one not in working],
            working,
            stopping=stopping,
            at_once=at_once,
            workers=workers,
            paused=paused,
        )
        assert not set(now.interrupt) & stopping, "asked twice"
        assert sum(now.workers.values()) <= workers and all(
            hands >= 1 for hands in now.workers.values()
        )
        stopping |= set(now.interrupt)
        working += [one for one in jobs if one.job in now.begin]
        assert len({one.film for one in working}) == len(working) and (
            not now.begin or len(working) <= min(at_once, workers)
        )
        if not now.begin and not stopping:
            break
        if stopping and data.draw(st.booleans()):
            working = [one for one in working if one.job not in stopping]
            stopping = set()
    else:
        working, now = [one for one in working if one.job not in stopping], None
    if now is None:
        return  # it was never let come to rest
    if paused:
        assert working == []
        return
    left = [
        one
        for one in newest_cuts([one for one in jobs if one not in working])
        if one.film not in {w.film for w in working}
    ]
    assert len(working) <= min(at_once, workers) and (
        not left or len(working) == min(at_once, workers)
    )
    assert all(one.priority - other.priority < CLEARLY for one in left for other in working)
