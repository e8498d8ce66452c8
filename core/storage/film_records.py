"""Published films on record, by hash: the job of each, when it was published, if it is complete."""

from __future__ import annotations

from typing import NamedTuple

from core.job.events import FilmPublished
from core.storage.journal import Journal
from core.system import codec


class KnownFilm(NamedTuple):
    """A film that was once published.

    `at` is in Unix seconds. `complete` comes from the film's own record; for films of older
    versions, which lack it, from the outcome of the job.
    """

    job: str
    at: float
    film: FilmPublished
    complete: bool


def known(journal: Journal, digits: str) -> KnownFilm | None:
    """Return the newest film whose hash is or begins with `digits`; None if none is on record."""
    digits = digits.rpartition(":")[2]
    if not digits.isalnum():
        return None
    rows = journal.read(
        "SELECT seq, job, at, body FROM facts WHERE kind = 'FilmPublished' AND (json_extract(body, '$.film_hash') LIKE ? "
        "OR json_extract(body, '$.film_hash') LIKE ?) ORDER BY seq DESC LIMIT 1",
        (f"{digits}%", f"%:{digits}%"),
    )
    if not rows:
        return None
    seq, job, at, body = rows[0]
    film = codec.decode(body, FilmPublished)
    complete = (
        _ended_complete(journal, job, seq)
        if film.complete is None
        else film.complete or _accepted(journal, job, seq)
    )
    return KnownFilm(job, at, film, complete)


def _accepted(journal: Journal, job: str, seq: int) -> bool:
    """Return whether a user later accepted an incomplete film as complete.

    This is so if its job ended as complete after `seq` and published no other film before that end.
    """
    rows = journal.read(
        "SELECT 1 FROM facts AS ends WHERE job = ? AND seq > ? AND kind = 'JobFinished' "
        "AND json_extract(body, '$.outcome') = 'complete' AND NOT EXISTS (SELECT 1 FROM facts "
        "WHERE job = ends.job AND kind = 'FilmPublished' AND seq > ? AND seq < ends.seq)",
        (job, seq, seq),
    )
    return bool(rows)


def _ended_complete(journal: Journal, job: str, seq: int) -> bool:
    """Return whether the job of a film from an older version ended complete.

    Such a film does not record its completeness itself.
    """
    rows = journal.read(
        "SELECT json_extract(body, '$.outcome') FROM facts "
        "WHERE job = ? AND seq > ? AND kind = 'JobFinished' ORDER BY seq LIMIT 1",
        (job, seq),
    )
    return not rows or rows[0][0] != "incomplete"


def is_complete(journal: Journal, film_hash: str) -> bool:
    """Return whether a film is complete.

    A film that is not on record counts as complete, so that an incomplete film does not replace it.
    """
    film = known(journal, film_hash)
    return film is None or film.complete
