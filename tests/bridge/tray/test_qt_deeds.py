"""What the display does with our own commands: the real program, in a process of its own."""

from __future__ import annotations

from pathlib import Path

from bridge.services.locations import Locations
from bridge.settings.settings import Settings
from bridge.tray import desktop
from core.job.events import FilmPublished, JobFinished
from core.storage import locks
from core.storage.workspace import Workspace
from tests.core.report.telling import ACCEPTED


def test_a_film_is_rolled_back_by_the_real_command_but_not_while_somebody_works_at_it(
    qtbot, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("HOTSPLICE_HOME", str(tmp_path / "home"))
    film = tmp_path / "film.mov"
    kept = Workspace.kept(film)
    kept.parent.mkdir()
    film.write_bytes(b"new")
    kept.write_bytes(b"old")
    where = Locations(tmp_path / "home", Settings(language="en"))
    journal = where.journal()
    journal.accept("abc", ACCEPTED, b"", 1.0)
    published = FilmPublished(output=str(film), film_hash="new", kept=str(kept))
    journal.append("abc", [published, JobFinished(outcome="complete")], 2.0)
    ends: list[tuple[str, str]] = []

    def roll_back() -> tuple[str, str]:
        ends.clear()
        desktop.command(["rollback", str(film)], lambda said, why: ends.append((said, why)))
        qtbot.waitUntil(lambda: bool(ends), timeout=20_000)
        return ends[0]

    with locks.film(where.home, str(film)):
        _, why = roll_back()
        assert (
            why.partition("\n")[0]
            == f"Already under work. Another hotsplice is assembling {film} now."
        )
        assert film.read_bytes() == b"new"
    assert roll_back()[1] == "" and (film.read_bytes(), kept.read_bytes()) == (b"old", b"new")
    journal.close()
