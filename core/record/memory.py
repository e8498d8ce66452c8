"""What is remembered across jobs: plans, sources as they were once seen and used, what cured a fault here, what a person prefers.

In the journal's file, but not the journal: losing all of it costs time and questions, never a film. Stays on this machine.
"""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

from core.model import codec
from core.model.facts import Answered, Answers, FolderRecorded, SourceMoved
from core.model.orders import Marks
from core.model.segment import Plan
from core.record.journal import Journal

_FORGET = "DELETE FROM marks WHERE file IN (SELECT file FROM marked WHERE path = ?)"
_BEGIN = (
    "INSERT INTO marked (path, modified_ns) VALUES (?, ?) ON CONFLICT (path) DO UPDATE SET modified_ns = excluded.modified_ns"
)
_MARK = "INSERT OR REPLACE INTO marks SELECT file, ?, ?, ? FROM marked WHERE path = ?"


class Seen(NamedTuple):
    """A source as it was when last opened: `mark` is over its content alone (`hashing.content_mark`), not its dates.
    `volume` is the mount point it was on."""

    path: str
    size: int
    mark: str
    fingerprint: str
    volume: str = ""


class Cure(NamedTuple):
    """How often a change helped against a fault on this machine, and how often not."""

    code: str
    change: str
    cured: int
    failed: int


_ENDED_SINCE = (
    "SELECT 1 FROM facts AS later WHERE later.job = facts.job AND later.seq > facts.seq AND later.kind = 'JobFinished' "
    "AND json_extract(later.body, '$.outcome') != 'failed'"
)


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

    def plans_of(self, job: str) -> list[Plan]:
        """The plans of a job's cuts."""
        rows = self._journal.read("SELECT body FROM plans WHERE job = ?", (job,))
        return [codec.decode(zlib.decompress(body), Plan) for (body,) in rows]

    def planned_for(self, output: str) -> list[tuple[str, str]]:
        """(job, cut) of everything that was ever planned for a film, newest first."""
        rows = self._journal.read(
            "SELECT plans.job, plans.cut FROM plans JOIN jobs ON jobs.id = plans.job WHERE jobs.output = ? "
            "ORDER BY plans.rowid DESC",
            (output,),
        )
        return [(job, cut) for job, cut in rows]

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
        self._journal.write("INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?, ?)", [tuple(one) for one in seen])

    def seen(self, path: str) -> Seen | None:
        """A source as it was when last opened."""
        rows = self._journal.read("SELECT path, size, mark, fingerprint, volume FROM sources WHERE path = ?", (path,))
        return Seen(*rows[0]) if rows else None

    def volumes(self) -> list[str]:
        """Mount points on which a source was ever opened."""
        return [volume for (volume,) in self._journal.read("SELECT DISTINCT volume FROM sources WHERE volume != ''", ())]

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

    def folders(self, *, job: str = "", output: str = "", role: str = "") -> list[FolderRecorded]:
        """Folders on record, newest first: those of a job that has not ended well since, of every job for a film, or all that had
        a role."""
        rows = self._journal.read(
            "SELECT facts.body FROM facts JOIN jobs ON jobs.id = facts.job WHERE facts.kind = 'FolderRecorded' "
            f"AND (? = '' OR (facts.job = ? AND NOT EXISTS ({_ENDED_SINCE}))) "
            "AND (? IN ('', jobs.output)) AND (? IN ('', json_extract(facts.body, '$.role'))) "
            "ORDER BY facts.seq DESC",
            (job, job, output, role),
        )
        return [codec.decode(body, FolderRecorded) for (body,) in rows]

    def keep_marks(self, *taken: Marks) -> None:
        """Remember, with the next fact, what sources were like where they were used. A file changed since then begins anew."""
        rows: list[tuple[str, list[tuple[Any, ...]]]] = []
        anew: dict[str, int] = {}
        for marks in taken:
            if anew.get(marks.path, marks.modified_ns) != marks.modified_ns:
                continue  # changed while it was used: the latter part is of another file
            if marks.path not in anew and self.modified_ns(marks.path) != marks.modified_ns:
                anew[marks.path] = marks.modified_ns
                rows += [(_FORGET, [(marks.path,)]), (_BEGIN, [(marks.path, marks.modified_ns)])]
            known = {}
            if marks.path not in anew:
                known = self._marks(marks.path, marks.stream, min(marks.marks, default=0), max(marks.marks, default=0))
            fresh = {place: mark for place, mark in marks.marks.items() if place not in known}
            if fresh:
                fields = [(marks.stream, place, mark.to_bytes(8, "little"), marks.path) for place, mark in fresh.items()]
                rows.append((_MARK, fields))
        for statement, fields in rows:
            self._journal.later(statement, fields)

    def marks(self, path: str, stream: int) -> Marks:
        """What a stream of a file was like when it was last used; empty where that is not on record."""
        known = self._marks(path, stream, -(1 << 62), 1 << 62)
        return Marks(path=path, modified_ns=self.modified_ns(path), stream=stream, marks=known)

    def unlike(self, marks: Marks) -> list[int]:
        """The places at which a file of the same name and modification time was another one when it was last used: it has
        decayed, or was damaged by something that hides it. Sorted; empty where nothing is on record."""
        if not marks.marks or self.modified_ns(marks.path) != marks.modified_ns:
            return []
        known = self._marks(marks.path, marks.stream, min(marks.marks), max(marks.marks))
        return sorted(place for place, mark in marks.marks.items() if known.get(place, mark) != mark)

    def forget_marks(self, path: str) -> None:
        """A person vouches for a file as it is now: what was known of its content before is not held against it."""
        self._journal.write("DELETE FROM marks WHERE file IN (SELECT file FROM marked WHERE path = ?)", [(path,)])
        self._journal.write("DELETE FROM marked WHERE path = ?", [(path,)])

    def modified_ns(self, path: str) -> int:
        """When a file was last changed that was used (unix nanoseconds); 0 where none of it was."""
        rows = self._journal.read("SELECT modified_ns FROM marked WHERE path = ?", (path,))
        return int(rows[0][0]) if rows else 0

    def _marks(self, path: str, stream: int, first: int, last: int) -> dict[int, int]:
        rows = self._journal.read(
            "SELECT place, mark FROM marks WHERE file = (SELECT file FROM marked WHERE path = ?) AND stream = ? "
            "AND place BETWEEN ? AND ?",
            (path, stream, first, last),
        )
        return {place: int.from_bytes(mark, "little") for place, mark in rows}

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
