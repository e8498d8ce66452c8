"""The pictures of the window in the documents: `python -m tests.screens [FOLDER]`.

A real companion makes real films, one of them with a source that is missing and one that is damaged; the real window watches
it, is told what to do, and is grabbed on the way (on no screen: the toolkit's `offscreen`).
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PIL import Image
from PySide6.QtCore import QLocale, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QImage, QPainter
from PySide6.QtWidgets import QApplication

from bridge.cli.demo_media import REELS, make_reel, make_timeline
from bridge.protocol.requests import Answer
from bridge.tray import icons as signs
from bridge.tray.app import dress
from bridge.tray.presenter import Presenter
from bridge.tray.style import DIM, GROUND
from bridge.tray.submitting import Wanted
from bridge.tray.view import Icon, Kind
from bridge.tray.window import Window
from core.messages.template import Language
from tests.bridge.companions import Companions, companions

FRAMES = 240
SIZE = (1220, 820)
FONTS = ("Inter", "Segoe UI", "Noto Sans", "DejaVu Sans")
Shots = list[tuple[str, Path | None, int, int]]


class Stage:
    """A companion, its films, and a window that watches."""

    def __init__(self, place: Path, house: Companions, language: Language = "en") -> None:
        self.place, self.house = place, house
        self.app = QApplication.instance() or QApplication([])
        assert isinstance(self.app, QApplication)
        dress(self.app)
        known = [name for name in FONTS if name in QFontDatabase.families()]
        self.app.setFont(QFont(known[0] if known else "", 10))
        QLocale.setDefault(QLocale(language))
        presets = {"h264": ".mp4", "prores-hq": ".mov", "dnxhr-hq": ".mov"}
        self.shell = Presenter(house.home, "screens", lambda: None, presets, language, tray=False)
        self.shell.window.resize(*SIZE)
        self.shell.start()
        self.shell.open()

    def until(self, true: Callable[[], object], most_s: float = 120) -> None:
        """Let the window work until something is true."""
        end = time.monotonic() + most_s
        while not true():
            assert time.monotonic() < end, (
                f"{self.shell.model.link} {[(j.timeline, j.state) for j in self.shell.model.jobs]}"
            )
            self.app.processEvents()
            time.sleep(0.01)

    def submit(self, timeline: Path, film: Path, preset: str = "") -> str:
        """Hand a timeline over; its job."""
        before = {line.job for line in self.shell.model.jobs}
        self.shell.wishes.submit(Wanted(str(timeline), str(film), preset))
        self.until(lambda: {line.job for line in self.shell.model.jobs} - before)
        return ({line.job for line in self.shell.model.jobs} - before).pop()

    def state(self, job: str) -> str:
        """How a job stands."""
        line = self.shell.model.job(job)
        return line.state if line else ""

    def ended(self, job: str) -> str:
        """Wait for a job's end."""
        self.until(lambda: self.state(job) not in ("", "working", "waiting"))
        return self.state(job)

    def shown(self, job: str) -> None:
        """Show a job, and wait until its pictures are there."""
        self.shell.window.show_job(job)
        model = lambda: self.shell.model  # noqa: E731
        self.until(
            lambda: job in model().described and model().described[job].job.state == self.state(job)
        )
        have = {
            shot.number
            for shot in model().described[job].shots
            if shot.state in ("verified", "reused", "mended")
        }
        gaps = {shot.number for shot in model().described[job].shots if shot.gap}
        self.until(lambda: have - gaps <= set(model().pictures.get(job, {})))
        self.settle()

    def settle(self) -> None:
        """Let everything be drawn."""
        end = time.monotonic() + 0.5
        self.until(lambda: time.monotonic() > end)
        self.shell.draw()
        self.app.processEvents()

    def close(self) -> None:
        """The window goes."""
        self.shell.window.hide()
        self.shell.close()


def main() -> int:
    """Make all pictures."""
    target = (
        Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs" / "screens"
    )
    target.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="harbour-") as folder,
        companions(Path(folder) / "home") as house,
    ):
        place = Path(folder)
        house.start("-j", "1")
        stage = Stage(place, house)
        try:
            _play(stage, target)
        finally:
            stage.close()
    keep(icons(), target / "icons.png")
    return 0


def _play(stage: Stage, target: Path) -> None:
    place, window = stage.place, stage.shell.window
    media = place / "Media"
    media.mkdir()
    a, b, c, d, e = (make_reel(media, reel, FRAMES) for reel in REELS)
    stage.until(lambda: stage.shell.model.link == "here")
    for name, shots in (
        ("Titles", [("Card", a, 0, 40), ("Name", c, 20, 30)]),
        ("Trailer", [("Harbour", b, 10, 50), ("Rain", c, 60, 40), ("Farewell", a, 100, 40)]),
    ):
        assert (
            stage.ended(stage.submit(cut(place, name, shots), place / f"{name}.mov")) == "complete"
        )
    away = place / "D004.mp4"
    shutil.move(d, away)
    whole = e.read_bytes()
    with e.open("r+b") as handle:
        handle.seek(len(whole) // 2)
        handle.write(bytes(96 * 1024))
    reel = cut(place, "Reel 1", SHOTS(a, b, c, d, e))
    job = stage.submit(reel, place / "Reel 1.mp4")
    stage.submit(cut(place, "Reel 2", SHOTS(c, a, b, a, c)), place / "Reel 2.mp4")
    stage.settle()
    window.show_job(job)
    _grab_at_work(stage, job, target)
    assert stage.ended(job) == "incomplete"
    stage.until(
        lambda: all(
            stage.state(line.job) not in ("working", "waiting") for line in stage.shell.model.jobs
        )
    )
    stage.shown(job)
    keep_window(window, target / "attention.png")
    QApplication.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    other = Presenter(stage.house.home, "screens", lambda: None, {}, "de", tray=False)
    other.window.resize(*SIZE)
    other.model = stage.shell.model
    other.window.show()
    other.window.show_job(job)
    other.draw()
    stage.settle()
    keep_window(other.window, target / "rtl.png")
    other.window.hide()
    QApplication.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
    e.write_bytes(whole)
    window.activateWindow()
    stage.shell.link.post(
        Answer(request="answer-d", job=job, about="4", answer="relink", file=str(away))
    )
    # The answer continues the job that it was given to.
    stage.until(lambda: stage.state(job) == "complete")
    stage.shown(job)
    keep_window(window, target / "done.png")
    window.go("history")
    stage.until(lambda: stage.shell.model.figures is not None)
    stage.settle()
    keep_window(window, target / "history.png")
    window.go("settings")
    stage.settle()
    keep_window(window, target / "settings.png")


def SHOTS(a: Path, b: Path, c: Path, d: Path, e: Path) -> Shots:
    """A reel."""
    return [
        ("Opening", a, 12, 48), ("Harbour", b, 10, 40), ("Close-up", c, 24, 36), ("Night train", d, 0, 48), ("Window", a, 90, 60),
        ("", None, 0, 12), ("Argument", b, 60, 72), ("Letter", e, 96, 48), ("Rain", c, 70, 80), ("Reverse", a, 30, 50),
        ("Platform", b, 5, 55), ("Farewell", c, 100, 60), ("Credits", a, 100, 40), ("Harbour, evening", b, 80, 70),
        ("Pier", a, 60, 64), ("Waves", c, 10, 90), ("Gulls", b, 100, 44), ("Last train", c, 40, 72),
    ]  # fmt: skip


def _grab_at_work(stage: Stage, job: str, target: Path) -> None:
    model = lambda: stage.shell.model  # noqa: E731

    def far() -> bool:
        doing = model().doing.get(job)
        return bool(
            doing
            and doing.now
            and doing.now.frames
            and doing.now.frames_done >= 0.4 * doing.now.frames
            and doing.now.shots_now
        )

    stage.until(lambda: far() or stage.state(job) not in ("", "working", "waiting"))
    stage.until(
        lambda: len(model().pictures.get(job, {})) >= 3 or stage.state(job) not in ("working",)
    )
    stage.shell.draw()
    stage.app.processEvents()
    keep_window(stage.shell.window, target / "working.png")


def cut(place: Path, name: str, shots: Shots) -> Path:
    """A timeline of these shots."""
    path = make_timeline(place / f"{name}.otio", shots, FRAMES)
    path.write_text(
        path.read_text(encoding="utf-8").replace("Hotsplice demo", name), encoding="utf-8"
    )
    return path


def keep_window(window: Window, path: Path) -> None:
    """A picture of the window, without what it says in passing."""
    window.quiet()
    QApplication.processEvents()
    keep(window.grab().toImage(), path)


def keep(image: QImage, path: Path) -> None:
    """As a small PNG: 256 colours are enough for it."""
    image.save(str(path))
    with Image.open(path) as full:
        small = full.convert("RGB").quantize(256, kmeans=2, dither=Image.Dither.NONE)
    small.save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size // 1024} KiB")


def icons() -> QImage:
    """The icon of the tray in all its states, large and as small as on a panel."""
    states: list[tuple[str, Kind, float | None]] = [
        ("nothing to do", "idle", None), ("working", "working", 0.4), ("needs you", "attention", None),
        ("needs you, working", "attention", 0.4), ("done", "done", None), ("no companion", "absent", None),
    ]  # fmt: skip
    image = QImage(150 * len(states), 120, QImage.Format.Format_RGB32)
    image.fill(QColor(GROUND))
    painter = QPainter(image)
    for number, (words, kind, progress) in enumerate(states):
        icon = signs.tray_icon(Icon(kind, progress, ""))
        painter.drawPixmap(150 * number + 30, 20, icon.pixmap(48, 48))
        painter.drawPixmap(150 * number + 94, 34, icon.pixmap(22, 22))
        painter.setPen(QColor(DIM))
        painter.drawText(QRectF(150 * number, 80, 150, 24), Qt.AlignmentFlag.AlignCenter, words)
    painter.end()
    return image


if __name__ == "__main__":
    sys.exit(main())
