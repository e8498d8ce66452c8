"""Bring user decisions to a running job: earlier ones at its start, new ones as they are made."""

from __future__ import annotations

from core.job.decisions import happened_again, last_run
from core.job.events import Answered, Fact, FilmPlanned, PreviousUsed
from core.job.fallback_render import earlier_render
from core.job.state import JobState
from core.storage.history import History
from core.storage.journal import Journal
from core.system import machine

_ASK_EVERY_S = 0.5
STOPPED_AT = "stop at "
"""Prefix of the stop reason of a run that a preference ended; the failure code follows."""


class UserDecisions:
    """The decisions for one job.

    Answers about one shot hold for the identical request only, because another cut has other
    shots. A decision to leave something as it is holds in every cut of the film for as long as its
    terms do.
    """

    def __init__(self, journal: Journal, *, output: str, digest: str) -> None:
        self._journal, self._output, self._digest = journal, output, digest
        self._memory = History(journal)
        self._last, self._asked = 0, 0.0
        self._waiting_since: float | None = None
        self._tried: set[int] = set()
        self._left: dict[str, str] = {}
        """Terms of everything left as it is, each with the job in which that was decided."""

    def said_before(self, state: JobState) -> None:
        """Apply the decisions about this film from earlier runs, the newest one last."""
        for entry, digest in self._journal.answers(self._output):
            self._last = entry.seq
            fact = entry.fact
            if not isinstance(fact, Answered) or (
                fact.answer == "skip" and not fact.terms
            ):  # recorded without terms, so its subject is unknown
                continue
            for term in fact.terms:
                self._left.pop(term, None)
                if fact.answer == "skip":
                    self._left[term] = entry.job
            if digest != self._digest:
                state.decisions.settle(fact)
            elif fact.answer in ("skip", "previous", "retry"):
                state.fold(fact)

    def left_as_it_is(self, state: JobState) -> list[Fact]:
        """Return the events of shots and sounds that are left as they are.

        What happened to them before happens again, without another attempt.
        """
        left: dict[str, set[str]] = {}
        for term in (*state.terms.shots.values(), *state.terms.clips.values()):
            if term in self._left:
                left.setdefault(self._left[term], set()).add(term)
        facts: list[Fact] = []
        for job, terms in left.items():
            planned = self._journal.last(job, "FilmPlanned")
            plan = (
                self._memory.plan(job, planned.fact.cut)
                if planned and isinstance(planned.fact, FilmPlanned)
                else None
            )
            if plan is not None:
                said = [entry.fact for entry in self._journal.facts(job)]
                facts += happened_again(last_run(said), plan, state.plan, terms)
        return facts

    def news(self) -> list[Answered]:
        """Return answers recorded since the last call, no matter who gave them.

        They are in the journal already and only have to be applied to the state.
        """
        now = machine.monotonic()
        if now - self._asked < _ASK_EVERY_S:
            return []
        self._asked = now
        found = self._journal.answers(self._output, after=self._last)
        if found:
            self._last = found[-1][0].seq
        return [
            entry.fact
            for entry, digest in found
            if digest == self._digest and isinstance(entry.fact, Answered)
        ]

    def stop(self, state: JobState) -> str:
        """Return why the job has to stop, or "".

        The reason is a preference to stop whenever a shot fails with a certain code.
        """
        wishes = {
            code for n, code in state.shots_missing().items() if state.wish(n, code) == "stop"
        }
        return f"{STOPPED_AT}{min(wishes)}" if wishes else ""

    def stand_ins(self, state: JobState) -> list[Fact]:
        """Return earlier renders for the missing shots for which the user asked for them."""
        wanted = [
            n
            for n, code in state.shots_missing().items()
            if state.wish(n, code) == "previous" and n not in self._tried
        ]
        self._tried.update(wanted)
        found: list[Fact] = []
        for number in wanted:
            used = self._earlier(state, number)
            if used is not None:
                found.append(used)
        return found

    def _earlier(self, state: JobState, number: int) -> PreviousUsed | None:
        plans = self._memory.plans_for(self._output)
        keys = {segment.key for _, plan in plans for segment in plan.segments}
        return earlier_render(
            state.plan.shots[number - 1], state.plan, plans, self._journal.seals(keys)
        )

    def still_waited_for(self, state: JobState) -> bool:
        """Whether the user may still decide about missing shots before the film is joined."""
        if not state.questions() or state.joined is not None:
            return False
        now = machine.monotonic()
        self._waiting_since = now if self._waiting_since is None else self._waiting_since
        return now - self._waiting_since < state.policy.answer_patience_s
