"""What becomes of the film that stands in the place of the new one: kept, put aside, or the very same."""

from __future__ import annotations

from pathlib import Path

from core.model.facts import FilmJoined, FilmPublished
from core.perform import hashing
from core.record.journal import Film
from core.record.workspace import Workspace


def publish(joined: FilmJoined, output: Path, before: Film | None, workspace: Workspace) -> FilmPublished:
    """Put a joined film in its place, where `before` is on record. OSError: it is not there.

    Only one film is kept, so it must be a good one: when this very film stands there already nothing is moved, and what is
    not as it was published does not take the place of the film that is kept.
    """
    kept, replaced = _placed(joined, output, before, workspace)
    return FilmPublished(
        output=str(output),
        film_hash=joined.film_hash,
        kept=kept,
        cut=joined.cut,
        frames=joined.frames,
        samples=joined.samples,
        replaced=replaced,
    )


def _placed(joined: FilmJoined, output: Path, before: Film | None, workspace: Workspace) -> tuple[str, bool]:
    """(path of the film that is kept, whether that is the one it replaced)."""
    kept = workspace.kept(output)
    same = before is not None and before.film_hash == joined.film_hash
    if not output.exists() or not (same or kept.exists()):
        path = workspace.publish(Path(joined.staged), output)
        return path or (str(kept) if kept.exists() else ""), bool(path)
    found = hashing.tree_hash(output)
    if same and found == joined.film_hash:
        workspace.fresh(Path(joined.staged))
        return (str(kept) if kept.exists() else ""), False
    strange = kept.exists() and (before is None or found != before.film_hash)
    path = workspace.publish(Path(joined.staged), output, strange=strange)
    return (str(kept), False) if strange else (path, True)
