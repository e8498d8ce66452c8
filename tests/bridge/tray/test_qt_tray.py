"""Icon, menu and notices as the toolkit is given them; a tray host that shows them is in test_qt_desktop.py."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication, QScrollArea, QSystemTrayIcon

from bridge.protocol.requests import Pause
from bridge.tray import desktop
from tests.bridge.tray.samples import MISSING, described, job, jobs, night, progressed


@pytest.fixture
def notices(monkeypatch):
    shown: list[tuple[str, str]] = []
    monkeypatch.setattr(
        QSystemTrayIcon, "showMessage", lambda self, title, text, *rest: shown.append((title, text))
    )
    return shown


def lines(shown) -> list[str]:
    return [action.text() for action in shown._menu.actions() if action.text()]


def press(shown, text: str) -> None:
    next(action for action in shown._menu.actions() if action.text() == text).trigger()


def test_the_menu_has_the_jobs_and_what_can_be_done(display, notices):
    made = display(tray=True, said=night())
    assert lines(made)[:2] == ["Reel 4  ·  40 %  ·  4 s left", "Reel 1  ·  incomplete"]
    press(made, "Pause all jobs")
    assert made.asked(Pause)[0].paused is True
    press(made, "Reel 4  ·  40 %  ·  4 s left")
    assert made.window.job == "bbb222" and made.window.isVisible()
    assert notices == [], "what was so before it began is no news"


def test_a_notice_comes_once_and_its_click_leads_there(display, notices, monkeypatch):
    made = display(tray=True, said=(jobs(job(), job("bbb222", output="/films/b.mov")),))
    made.window.hide()
    made.hear(jobs(job(state="incomplete"), job("bbb222", output="/films/b.mov")))
    made.hear(progressed("bbb222"))
    assert [title for title, _ in notices] == ["Film incomplete"]
    made._notice_pressed()
    assert made.window.isVisible() and made.window.job == "aaa111"
    opened = []
    monkeypatch.setattr(desktop, "open_folder", opened.append)
    made.hear(jobs(job(state="incomplete"), job("bbb222", "complete", output="/films/b.mov")))
    assert notices[-1][0] == "Film done"
    made._notice_pressed()
    assert opened == ["/films/b.mov"]


def test_a_window_that_is_closed_leaves_the_icon_and_says_so_once(display, notices):
    made = display(tray=True, said=(jobs(),))
    made.window.close()
    made.window.show()
    made.window.close()
    assert [text for _, text in notices] == ["Hotsplice stays in the tray; jobs go on."]


def test_a_name_in_the_menu_is_no_key(display, notices):
    assert "Salt && Pepper  ·  Beginning" in lines(
        display(tray=True, said=(jobs(job(timeline="Salt & Pepper")),))
    )


def test_what_was_looked_at_is_remembered(display, notices, tmp_path):
    made = display(tray=True, said=(jobs(job(state="incomplete")),))
    made.model = type(made.model)(seen=frozenset({"aaa111"}))
    made.close()
    assert display(tray=True).model.seen == {"aaa111"}


def test_what_fits_is_not_scrolled(display):
    made = display(said=(jobs(job(state="incomplete")), described(findings=(MISSING,))))
    made.window.resize(1220, 820)
    for _ in range(3):
        QApplication.processEvents()
    assert made.window.job_page.findChild(QScrollArea).verticalScrollBar().maximum() == 0
