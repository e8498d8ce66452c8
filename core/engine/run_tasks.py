"""Run tasks outside the engine's loop.

Before anything is rendered, they open every source and prove the encoder, so that all problems are
reported at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import inf

from core.errors.failure import Evidence, Failure
from core.executors.worker_pool import WorkerPool
from core.job.classify import diagnose
from core.job.retry_policy import recover
from core.plan.policy import Policy
from core.system import machine
from core.tasks.spec import Assignment, Examined, ExamineSource, Outcome, Progress
from core.timeline.source import Source


class Stopped(Exception):
    """A stop was requested."""


def run_all(
    crew: WorkerPool,
    assignments: Mapping[str, Assignment],
    *,
    policy: Policy,
    stopped: Callable[[], bool],
    on_done: Callable[[str, Outcome], None] = lambda name, outcome: None,
) -> dict[str, Outcome | Failure]:
    """Perform tasks that do not belong to a job yet; return an outcome or a failure for each name.

    Tasks that fail temporarily are tried again. `on_done` receives each final reply. Raises
    Stopped when asked to stop.
    """
    waiting = dict.fromkeys(assignments, -inf)
    tries: dict[str, list[tuple[str, float]]] = {}
    results: dict[str, Outcome | Failure] = {}
    while len(results) < len(assignments):
        if stopped():
            raise Stopped
        now = (
            machine.monotonic()
        )  # monotonic, because nothing here is recorded and clock changes must not matter
        for name in [n for n, at in waiting.items() if at <= now][: crew.idle]:
            del waiting[name]
            crew.give(name, assignments[name])
        soonest = min(waiting.values(), default=now + 1.0)
        for name, reply in crew.listen(
            max(0.0, min(1.0, soonest - now)) if crew.idle and waiting else 1.0
        ):
            if (
                isinstance(reply, Progress) or name not in assignments
            ):  # a probe of an earlier run may come back late
                continue
            if isinstance(reply, Evidence):
                failure = diagnose(reply)
                failed = tries.setdefault(name, [])
                failed.append((failure.code, machine.monotonic()))
                decision = recover(
                    failure,
                    attempt=sum(
                        code == failure.code for code, _ in failed
                    ),  # each kind of failure has attempts of its own
                    first_failed_at=failed[0][1],
                    now=failed[-1][1],
                    chance=machine.chance(),
                    policy=policy,
                )
                if decision.retry_at is not None:
                    waiting[name] = decision.retry_at
                    continue
                results[name] = failure
            else:
                results[name] = reply
            on_done(name, reply)
    return results


def examine(
    crew: WorkerPool,
    paths: list[str],
    *,
    policy: Policy,
    stopped: Callable[[], bool],
    on_done: Callable[[str, Outcome], None] = lambda name, outcome: None,
    count: bool = False,
) -> dict[str, Source | Failure]:
    """Open every path; return for each the source, or the failure that says why there is none.

    `count` reads the files to their end.
    """
    orders = {
        path: Assignment(order=ExamineSource(path=path, count=count), rate=Fraction(25))
        for path in paths
    }
    results = run_all(crew, orders, policy=policy, stopped=stopped, on_done=on_done)
    sources: dict[str, Source | Failure] = {}
    for path, result in results.items():
        assert isinstance(result, Examined | Failure)
        sources[path] = result.source if isinstance(result, Examined) else result
    return sources
