"""What is remembered across jobs: plans, sources as they were once seen, what cured a fault here, what a person prefers.

In the journal's file, but not the journal: losing all of it costs time and questions, never a film. Stays on this machine.
"""

from __future__ import annotations

import zlib
from typing import NamedTuple

from core.model import codec
from core.model.facts import Answered, Answers, SourceMoved
from core.model.segment import Plan
from core.record.journal import Journal


class Seen(NamedTuple):
    """A source as it was when last opened: `mark` is over its content alone (`hashing.content_mark`), not its dates."""

    path: str
    size: int
    mark: str
    fingerprint: str


class Cure(NamedTuple):
    """How often a change helped against a fault on this machine, and how often not."""

    code: str
    change: str
    cured: int
    failed: int


class Memory:
    """Reads and writes beside the facts, in the journal's own transactions."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def keep_plan(self, job: str, cut: str, plan: Plan) -> None:
        """The plan of a run, for reports and for finding earlier renders of a shot."""
        body = zlib.compress(codec.encode(plan))
        self._journal.write("INSERT OR REPLACE INTO plans VALUES (?, ?, ?)", [(job, cut, body)])

    def plan(self, job: str, cut: str) -> Plan | None:
        """A plan that was kept."""
        rows = self._journal.read("SELECT body FROM plans WHERE job = ? AND cut = ?", (job, cut))
        return codec.decode(zlib.decompress(rows[0][0]), Plan) if rows else None

    def plans_for(self, output: str) -> list[tuple[str, Plan]]:
        """(job, plan) of everything that was ever planned for a film, newest first."""
        rows = self._journal.read(
            "SELECT plans.job, plans.body FROM plans JOIN jobs ON jobs.id = plans.job WHERE jobs.output = ? "
            "ORDER BY plans.rowid DESC",
            (output,),
        )
        return [(job, codec.decode(zlib.decompress(body), Plan)) for job, body in rows]

    def see(self, seen: list[Seen]) -> None:
        """Remember sources as they are now."""
        self._journal.write("INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?)", [tuple(one) for one in seen])

    def seen(self, path: str) -> Seen | None:
        """A source as it was when last opened."""
        rows = self._journal.read("SELECT path, size, mark, fingerprint FROM sources WHERE path = ?", (path,))
        return Seen(*rows[0]) if rows else None

    def relinks(self, output: str) -> dict[str, str]:
        """Path to the file that a person gave for it, for a film. The newest answer about a path wins: another than a relink
        takes it back."""
        given: dict[str, str] = {}
        for entry, _ in self._journal.answers(output):
            answer = entry.fact
            if not isinstance(answer, Answered):
                continue
            if answer.path and answer.answer == "relink" and answer.to:
                given[answer.path] = answer.to
            elif answer.path:
                given.pop(answer.path, None)
        return given

    def moved(self, output: str) -> dict[str, str]:
        """Path to where the file was last found, for a film."""
        rows = self._journal.read(
            "SELECT facts.body FROM facts JOIN jobs ON jobs.id = facts.job WHERE facts.kind = 'SourceMoved' AND jobs.output = ? "
            "ORDER BY facts.seq",
            (output,),
        )
        found = [codec.decode(body, SourceMoved) for (body,) in rows]
        return {fact.path: fact.to for fact in found}

    def note_cure(self, code: str, change: str, *, cured: bool) -> None:
        """Count what a change did against a fault."""
        won, lost = int(cured), int(not cured)
        self._journal.write(
            "INSERT INTO cures VALUES (?, ?, ?, ?) ON CONFLICT (code, change) DO UPDATE SET "
            "cured = cured + excluded.cured, failed = failed + excluded.failed",
            [(code, change, won, lost)],
        )

    def cures(self) -> list[Cure]:
        """Everything that was counted, the most helpful first."""
        rows = self._journal.read("SELECT code, change, cured, failed FROM cures ORDER BY code, cured - failed DESC, change", ())
        return [Cure(*row) for row in rows]

    def forget_cures(self) -> None:
        """Begin anew."""
        self._journal.write("DELETE FROM cures", [()])

    def prefer(self, code: str, answer: Answers | None) -> None:
        """Always answer so to this fault; None: ask again."""
        if answer is None:
            self._journal.write("DELETE FROM preferences WHERE code = ?", [(code,)])
        else:
            self._journal.write("INSERT OR REPLACE INTO preferences VALUES (?, ?)", [(code, answer)])

    def preferences(self) -> dict[str, Answers]:
        """Fault code to answer."""
        return dict(self._journal.read("SELECT code, answer FROM preferences ORDER BY code", ()))
