"""What people decided, brought to a running job: at its beginning what was said before, later what is said meanwhile."""

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
"""How the reason begins of a run that a preference ended; the fault's code follows."""


class UserDecisions:
    """Listens for one job. Answers to one shot hold for the very same request only; the shots of another cut are others. What is
    left as it is holds in every cut of the film, as long as its terms do."""

    def __init__(self, journal: Journal, *, output: str, digest: str) -> None:
        self._journal, self._output, self._digest = journal, output, digest
        self._memory = History(journal)
        self._last, self._asked = 0, 0.0
        self._waiting_since: float | None = None
        self._tried: set[int] = set()
        self._left: dict[str, str] = {}
        """Terms of what is left as it is, with the job in which that was decided."""

    def said_before(self, state: JobState) -> None:
        """Remember what was said of this film in earlier runs, the newest word last."""
        for entry, digest in self._journal.answers(self._output):
            self._last = entry.seq
            fact = entry.fact
            if not isinstance(fact, Answered) or (
                fact.answer == "skip" and not fact.terms
            ):  # on record without what it is about
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
        """What happened to shots and sounds that are left as they are: it happens to them again, and nothing is tried."""
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
        """Answers that were put on record since, by whoever; they are there already and only need to be folded."""
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
        """Why the job shall stop: somebody always wants that where something fails so. Empty: it shall not."""
        wishes = {
            code for n, code in state.shots_missing().items() if state.wish(n, code) == "stop"
        }
        return f"{STOPPED_AT}{min(wishes)}" if wishes else ""

    def stand_ins(self, state: JobState) -> list[Fact]:
        """Earlier renders for the shots that are missing and about which that was wished."""
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
        """Whether a person may still say something about what is missing before the film is joined."""
        if not state.questions() or state.joined is not None:
            return False
        now = machine.monotonic()
        self._waiting_since = now if self._waiting_since is None else self._waiting_since
        return now - self._waiting_since < state.policy.answer_patience_s
