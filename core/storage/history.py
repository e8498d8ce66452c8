"""Knowledge that outlives a job: plans, sources as last seen, cures for faults, preferences.

It is stored in the journal's file but is not part of the journal: losing all of it costs time and
questions, never a film. It stays on this machine.
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
"""Number of contents whose packet hashes are kept.

The least recently used contents are forgotten first. If a file with a forgotten content is moved,
its shots are rendered again.
"""
_ALL = (-(1 << 62), 1 << 62)
_OF = "(SELECT file FROM marked WHERE identity = ?)"
_ONE_FILE = "UPDATE sources SET inode = '' WHERE identity = ? AND (inode != ? OR fingerprint != ?)"
"""Statement that clears the inode of all other files with a content.

Only one file holds a content at a time; the others are compared before they are accepted again.
"""
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
    """A source as it was when last opened.

    The fields are those of `core.timeline.source.Source`. `volume` is the source's mount point,
    `inode` its number on that volume.
    """

    path: str
    size: int
    mark: str
    fingerprint: str
    volume: str = ""
    identity: str = ""
    inode: str = ""
    modified_ns: int = 0


class Cure(NamedTuple):
    """How often a change cured a fault on this machine, and how often it failed to."""

    code: str
    change: str
    cured: int
    failed: int


_ENDED_SINCE = (
    "SELECT 1 FROM facts AS later WHERE later.job = facts.job AND later.seq > facts.seq AND later.kind = 'JobFinished' "
    "AND json_extract(later.body, '$.outcome') != 'failed'"
)


class History:
    """Reads and writes records beside the events, in the journal's own transactions."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def keep_plan(self, job: str, cut: str, plan: Plan) -> None:
        """Store the plan of a run, for reports and for finding earlier renders of a shot."""
        body = zlib.compress(codec.encode(plan))
        self._journal.write("INSERT OR REPLACE INTO plans VALUES (?, ?, ?)", [(job, cut, body)])

    def plan(self, job: str, cut: str) -> Plan | None:
        """Return a stored plan, or None."""
        rows = self._journal.read("SELECT body FROM plans WHERE job = ? AND cut = ?", (job, cut))
        return codec.decode(zlib.decompress(rows[0][0]), Plan) if rows else None

    def plans_of(self, job: str) -> list[Plan]:
        """Return the plans of a job's cuts."""
        rows = self._journal.read("SELECT body FROM plans WHERE job = ?", (job,))
        return [codec.decode(zlib.decompress(body), Plan) for (body,) in rows]

    def planned_for(self, output: str) -> list[tuple[str, str]]:
        """Return (job, cut) of every plan for a film, newest first."""
        rows = self._journal.read(
            "SELECT plans.job, plans.cut FROM plans JOIN jobs ON jobs.id = plans.job WHERE jobs.output = ? "
            "ORDER BY plans.rowid DESC",
            (output,),
        )
        return [(job, cut) for job, cut in rows]

    def plans_for(self, output: str) -> list[tuple[str, Plan]]:
        """Return (job, plan) of every plan for a film, newest first."""
        rows = self._journal.read(
            "SELECT plans.job, plans.body FROM plans JOIN jobs ON jobs.id = plans.job WHERE jobs.output = ? "
            "ORDER BY plans.rowid DESC",
            (output,),
        )
        return [(job, codec.decode(zlib.decompress(body), Plan)) for job, body in rows]

    def see(self, seen: list[SourceRecord]) -> None:
        """Record sources in their current state.

        If a path has a new content but its modification time is unchanged, the new content inherits
        the old content's packet hashes, so that the file is checked against them: either the file
        is damaged, or somebody set its date.
        """
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
        """Add sources as another record knew them, oldest first, with the next transaction.

        Paths already on record stay unchanged.
        """
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
        # The file differs from the content on record, so the new content counts as incomparable.
        streams = copied.format("marked_streams", "o.stream, o.header, o.unmarked + 1")
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
        """Return a source as it was when last opened, or None."""
        rows = self._journal.read(
            "SELECT path, size, mark, fingerprint, volume, identity, inode, modified_ns FROM sources WHERE path = ?",
            (path,),
        )
        return SourceRecord(*rows[0]) if rows else None

    def volumes(self) -> list[str]:
        """Return the mount points on which a source was ever opened."""
        return [
            volume
            for (volume,) in self._journal.read(
                "SELECT DISTINCT volume FROM sources WHERE volume != ''", ()
            )
        ]

    def alike(self, size: int, mark: str) -> list[str]:
        """Return the identities of contents with this size and content mark, last used first."""
        rows = self._journal.read(
            "SELECT identity FROM contents WHERE size = ? AND mark = ? ORDER BY used DESC",
            (size, mark),
        )
        return [identity for (identity,) in rows]

    def holders(self, identity: str) -> list[str]:
        """Return the paths of the files that had this content when they were last opened."""
        return [
            path
            for (path,) in self._journal.read(
                "SELECT path FROM sources WHERE identity = ?", (identity,)
            )
        ]

    def holds(self, path: str, identity: str) -> bool:
        """Return whether, according to the record, the file at a path still has this content.

        False if another file was given the content since. True for a path without a record.
        """
        seen = self.seen(path)
        return seen is None or not seen.identity or (seen.identity == identity and bool(seen.inode))

    def on_record(self, identity: str) -> bool:
        """Return whether an identity was ever assigned."""
        return bool(self._journal.read("SELECT 1 FROM contents WHERE identity = ?", (identity,)))

    def known(self, identity: str) -> tuple[Known, ...] | None:
        """Return everything on record of a content.

        Empty if nothing was rendered from it. None if packets without a hash on record were used:
        no comparison can then be conclusive.
        """
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
        """Return, for a film, the files that users chose for paths.

        The newest answer about a path wins; an answer other than a relink revokes an earlier
        relink.
        """
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
        """Return, for a film, where the file of each moved path was last found."""
        rows = self._journal.read(
            "SELECT facts.body FROM facts JOIN jobs ON jobs.id = facts.job WHERE facts.kind = 'SourceMoved' AND jobs.output = ? "
            "ORDER BY facts.seq",
            (output,),
        )
        found = [codec.decode(body, SourceMoved) for (body,) in rows]
        return {fact.path: fact.to for fact in found}

    def folders(self, *, job: str = "", output: str = "", role: str = "") -> list[FolderRecorded]:
        """Return recorded folders, newest first.

        The parameters select the folders of a job that has not ended well since, of every job for a
        film, and with a role; empty parameters select everything.
        """
        rows = self._journal.read(
            "SELECT facts.body FROM facts JOIN jobs ON jobs.id = facts.job WHERE facts.kind = 'FolderRecorded' "
            f"AND (? = '' OR (facts.job = ? AND NOT EXISTS ({_ENDED_SINCE}))) "
            "AND (? IN ('', jobs.output)) AND (? IN ('', json_extract(facts.body, '$.role'))) "
            "ORDER BY facts.seq DESC",
            (job, job, output, role),
        )
        return [codec.decode(body, FolderRecorded) for (body,) in rows]

    def keep_marks(self, taken: Iterable[tuple[str, Marks]]) -> None:
        """Store packet hashes of the parts of contents that were used, with the next transaction.

        `taken` pairs the identity of a content with its hashes. Hashes already on record are kept.
        """
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
        """Return the packet hashes on record for one stream of a content, or none."""
        return Marks(path=path, stream=stream, marks=self._marks(identity, stream, *_ALL))

    def all_marks(self, path: str, identity: str) -> tuple[Marks, ...]:
        """Return everything on record of a content, as belonging to the file at `path`.

        This includes the number of packets that were used without leaving a hash (`unmarked`).
        """
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
        """Return the places at which a file differs from the record of its content, sorted.

        Such a file has decayed, or was damaged in a way that hides the change. Empty if nothing is
        on record.
        """
        if not marks.marks:
            return []
        known = self._marks(identity, marks.stream, min(marks.marks), max(marks.marks))
        return sorted(
            place for place, mark in marks.marks.items() if known.get(place, mark) != mark
        )

    def forget_marks(self, path: str) -> None:
        """Forget the packet hashes of a file, because a user vouches for its current state.

        What was rendered from the file so far can then no longer be compared.
        """
        seen = self.seen(path)
        identity = seen.identity if seen is not None and seen.identity else path
        self._journal.write(f"DELETE FROM marks WHERE file = {_OF}", [(identity,)])
        self._journal.write(
            f"UPDATE marked_streams SET unmarked = unmarked + 1 WHERE file = {_OF}", [(identity,)]
        )

    def modified_ns(self, path: str) -> int:
        """Return a file's modification time when it was last opened, in Unix nanoseconds, or 0."""
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
        """Count whether a change cured a fault."""
        won, lost = int(cured), int(not cured)
        self._journal.write(
            "INSERT INTO cures VALUES (?, ?, ?, ?) ON CONFLICT (code, change) DO UPDATE SET "
            "cured = cured + excluded.cured, failed = failed + excluded.failed",
            [(code, change, won, lost)],
        )

    def cures(self) -> list[Cure]:
        """Return all counts; for each fault, the most helpful change first."""
        rows = self._journal.read(
            "SELECT code, change, cured, failed FROM cures ORDER BY code, cured - failed DESC, change",
            (),
        )
        return [Cure(*row) for row in rows]

    def forget_cures(self) -> None:
        """Reset all counts."""
        self._journal.write("DELETE FROM cures", [()])

    def prefer(self, code: str, answer: Answers | None) -> None:
        """Always give this answer to this fault; None asks the user again."""
        if answer is None:
            self._journal.write("DELETE FROM preferences WHERE code = ?", [(code,)])
        else:
            self._journal.write(
                "INSERT OR REPLACE INTO preferences VALUES (?, ?)", [(code, answer)]
            )

    def preferences(self) -> dict[str, Answers]:
        """Return the preferred answer for each fault code."""
        return dict(self._journal.read("SELECT code, answer FROM preferences ORDER BY code", ()))
