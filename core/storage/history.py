"""What is remembered across jobs: plans, sources as they were once seen and used, what cured a fault here, what a person prefers.

In the journal's file, but not the journal: losing all of it costs time and questions, never a film. Stays on this machine.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any, NamedTuple

from core.graph.nodes import Plan
from core.job.events import Answered, Answers, FolderRecorded, SourceMoved
from core.media.content import Known, Marks
from core.storage.journal import Journal
from core.system import codec

_MOST_CONTENTS = 5_000
"""Contents of which marks are kept. The longest unused are forgotten first: a file of theirs that is moved is rendered again."""
_ALL = (-(1 << 62), 1 << 62)
_OF = "(SELECT file FROM marked WHERE identity = ?)"
_ONE_FILE = "UPDATE sources SET inode = '' WHERE identity = ? AND (inode != ? OR fingerprint != ?)"
"""One file has a content at a time: the others are compared before they are taken for it again."""
_BEGIN = "INSERT OR IGNORE INTO marked (identity, modified_ns) VALUES (?, 0)"
_MARK = "INSERT OR IGNORE INTO marks SELECT file, ?, ?, ? FROM marked WHERE identity = ?"
_STREAM = (
    "INSERT INTO marked_streams SELECT file, ?, ?, ? FROM marked WHERE identity = ? ON CONFLICT (file, stream) DO UPDATE SET "
    "unmarked = unmarked + excluded.unmarked + (header != excluded.header)"
)
_FORGET = (
    f"DELETE FROM marks WHERE file = {_OF}", f"DELETE FROM marked_streams WHERE file = {_OF}",
    "DELETE FROM contents WHERE identity = ?", "DELETE FROM marked WHERE identity = ?",
)  # fmt: skip


class SourceRecord(NamedTuple):
    """A source as it was when last opened; the fields are those of `core.timeline.source.Source`. `volume` is the mount point it
    was on, `inode` its number there."""

    path: str
    size: int
    mark: str
    fingerprint: str
    volume: str = ""
    identity: str = ""
    inode: str = ""
    modified_ns: int = 0


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


class History:
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

    def see(self, seen: list[SourceRecord]) -> None:
        """Remember sources as they are now. What is on record of a file's content is held against another file of its name and
        date: one of them is damaged, or somebody set the date."""
        rows: list[tuple[str, list[tuple[Any, ...]]]] = []
        for one in seen:
            before = self.seen(one.path)
            if (
                before is not None
                and before.identity != one.identity
                and one.modified_ns == self.modified_ns(one.path)
            ):
                rows += self._inherited(before.identity or one.path, one.identity)
        rows.append(
            (
                _ONE_FILE,
                [(one.identity, one.inode, one.fingerprint) for one in seen if one.identity],
            )
        )
        rows.append(
            (
                "INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [tuple(one) for one in seen],
            )
        )
        kept = [(one.identity, one.size, one.mark) for one in seen if one.identity]
        rows.append(
            ("INSERT OR REPLACE INTO contents (identity, size, mark) VALUES (?, ?, ?)", kept)
        )
        for statement, fields in rows:
            self._journal.later(statement, fields)
        self._forget_unused()

    def recall(self, seen: Iterable[SourceRecord]) -> None:
        """Remember, with what is written next, sources as another record knew them, the oldest first. What is known of a path
        stays."""
        newest = {one.path: one for one in seen if one.identity}
        known = [one for path, one in newest.items() if self.seen(path) is None]
        kept = [(one.identity, one.size, one.mark) for one in known]
        self._journal.later(
            "INSERT OR IGNORE INTO sources VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [tuple(one) for one in known],
        )
        self._journal.later(
            "INSERT OR IGNORE INTO contents (identity, size, mark) VALUES (?, ?, ?)", kept
        )
        self._journal.later(
            _ONE_FILE, [(one.identity, one.inode, one.fingerprint) for one in known]
        )

    def _inherited(self, before: str, now: str) -> list[tuple[str, list[tuple[Any, ...]]]]:
        copied = (
            "INSERT OR IGNORE INTO {0} SELECT m.file, {1} FROM {0} o, marked m WHERE m.identity = ? AND o.file = "
            + _OF
        )
        streams = copied.format(
            "marked_streams", "o.stream, o.header, o.unmarked + 1"
        )  # it is not what is on record
        marks = copied.format("marks", "o.stream, o.place, o.mark")
        return [(_BEGIN, [(now,)]), (marks, [(now, before)]), (streams, [(now, before)])]

    def _forget_unused(self) -> None:
        ((count,),) = self._journal.read("SELECT count(*) FROM contents", ())
        if count > _MOST_CONTENTS:
            rows = self._journal.read(
                "SELECT identity FROM contents ORDER BY used LIMIT ?",
                (count - _MOST_CONTENTS * 9 // 10,),
            )
            for statement in _FORGET:
                self._journal.write(statement, rows)

    def seen(self, path: str) -> SourceRecord | None:
        """A source as it was when last opened."""
        rows = self._journal.read(
            "SELECT path, size, mark, fingerprint, volume, identity, inode, modified_ns FROM sources WHERE path = ?",
            (path,),
        )
        return SourceRecord(*rows[0]) if rows else None

    def volumes(self) -> list[str]:
        """Mount points on which a source was ever opened."""
        return [
            volume
            for (volume,) in self._journal.read(
                "SELECT DISTINCT volume FROM sources WHERE volume != ''", ()
            )
        ]

    def alike(self, size: int, mark: str) -> list[str]:
        """Identities of the contents of a size and content mark, the last used first."""
        rows = self._journal.read(
            "SELECT identity FROM contents WHERE size = ? AND mark = ? ORDER BY used DESC",
            (size, mark),
        )
        return [identity for (identity,) in rows]

    def holders(self, identity: str) -> list[str]:
        """Paths of the files that had this content when they were last opened."""
        return [
            path
            for (path,) in self._journal.read(
                "SELECT path FROM sources WHERE identity = ?", (identity,)
            )
        ]

    def holds(self, path: str, identity: str) -> bool:
        """Whether a content is still that of the file at a path, as far as is on record; no other file was given it since."""
        seen = self.seen(path)
        return seen is None or not seen.identity or (seen.identity == identity and bool(seen.inode))

    def on_record(self, identity: str) -> bool:
        """Whether an identity was ever given."""
        return bool(self._journal.read("SELECT 1 FROM contents WHERE identity = ?", (identity,)))

    def known(self, identity: str) -> tuple[Known, ...] | None:
        """Everything on record of a content; empty where nothing was made of it. None where something was used of which there
        is no record: no comparison can tell then."""
        streams = self._journal.read(
            f"SELECT stream, header, unmarked FROM marked_streams WHERE file = {_OF}", (identity,)
        )
        if any(unmarked for _, _, unmarked in streams):
            return None
        return tuple(
            Known(
                stream=stream,
                header=int.from_bytes(header, "little"),
                marks=self._marks(identity, stream, *_ALL),
            )
            for stream, header, _ in streams
        )

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

    def keep_marks(self, taken: Iterable[tuple[str, Marks]]) -> None:
        """Remember, with the next fact, what contents (by identity) were like where they were used. What is on record stays."""
        for identity, marks in taken:
            fields = [
                (marks.stream, place, mark.to_bytes(8, "little"), identity)
                for place, mark in (
                    marks.marks | {p: m for p, m in marks.before.items() if p not in marks.marks}
                ).items()
            ]
            header = (marks.stream, marks.header.to_bytes(8, "little"), marks.unmarked, identity)
            for statement, rows in ((_BEGIN, [(identity,)]), (_MARK, fields), (_STREAM, [header])):
                self._journal.later(statement, rows)

    def marks(self, path: str, identity: str, stream: int) -> Marks:
        """What a stream of a content was like when it was used; empty where that is not on record."""
        return Marks(path=path, stream=stream, marks=self._marks(identity, stream, *_ALL))

    def all_marks(self, path: str, identity: str) -> tuple[Marks, ...]:
        """Everything on record of a content, as of a file that has it; with what was used and left no mark."""
        streams = self._journal.read(
            f"SELECT stream, header, unmarked FROM marked_streams WHERE file = {_OF}", (identity,)
        )
        return tuple(
            Marks(
                path=path, stream=stream, marks=self._marks(identity, stream, *_ALL), unmarked=unmarked,
                header=int.from_bytes(header, "little"), identity=identity,
            )
            for stream, header, unmarked in streams
        )  # fmt: skip

    def unlike(self, identity: str, marks: Marks) -> list[int]:
        """The places at which a file is not as on record of its content: it has decayed, or was damaged by something that hides
        it. Sorted; empty where nothing is on record."""
        if not marks.marks:
            return []
        known = self._marks(identity, marks.stream, min(marks.marks), max(marks.marks))
        return sorted(
            place for place, mark in marks.marks.items() if known.get(place, mark) != mark
        )

    def forget_marks(self, path: str) -> None:
        """A person vouches for a file as it is now: what was known of its content before is not held against it. What was
        made of it so far can then not be compared any more."""
        seen = self.seen(path)
        identity = seen.identity if seen is not None and seen.identity else path
        self._journal.write(f"DELETE FROM marks WHERE file = {_OF}", [(identity,)])
        self._journal.write(
            f"UPDATE marked_streams SET unmarked = unmarked + 1 WHERE file = {_OF}", [(identity,)]
        )

    def modified_ns(self, path: str) -> int:
        """The modification time of a file when it was last opened (unix nanoseconds); 0 where it never was."""
        rows = self._journal.read(
            "SELECT max(modified_ns) FROM (SELECT modified_ns FROM sources WHERE path = ?1 AND modified_ns != 0 UNION ALL "
            "SELECT modified_ns FROM marked WHERE identity = ?1)", (path,)
        )  # fmt: skip
        return int(rows[0][0] or 0)

    def _marks(self, identity: str, stream: int, first: int, last: int) -> dict[int, int]:
        rows = self._journal.read(
            f"SELECT place, mark FROM marks WHERE file = {_OF} AND stream = ? AND place BETWEEN ? AND ?",
            (identity, stream, first, last),
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
        rows = self._journal.read(
            "SELECT code, change, cured, failed FROM cures ORDER BY code, cured - failed DESC, change",
            (),
        )
        return [Cure(*row) for row in rows]

    def forget_cures(self) -> None:
        """Begin anew."""
        self._journal.write("DELETE FROM cures", [()])

    def prefer(self, code: str, answer: Answers | None) -> None:
        """Always answer so to this fault; None: ask again."""
        if answer is None:
            self._journal.write("DELETE FROM preferences WHERE code = ?", [(code,)])
        else:
            self._journal.write(
                "INSERT OR REPLACE INTO preferences VALUES (?, ?)", [(code, answer)]
            )

    def preferences(self) -> dict[str, Answers]:
        """Fault code to answer."""
        return dict(self._journal.read("SELECT code, answer FROM preferences ORDER BY code", ()))
