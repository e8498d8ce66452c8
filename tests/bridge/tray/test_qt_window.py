"""The window: shown from a model, worked with keys and mouse, and never lost for words that are long or strange."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QAccessible, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QMessageBox, QPushButton, QWidget

from bridge.protocol.requests import (
    Answer,
    Cancel,
    Describe,
    Pause,
    Pictures,
    Prioritise,
    Resume,
    Stats,
    Submit,
)
from bridge.protocol.responses import Accepted, Done, KeptFilm, Noticed
from bridge.tray import desktop
from bridge.tray.jobpage import CardBox
from bridge.tray.link import Declining, Linked
from bridge.tray.submitdialog import SubmitDialog
from tests.bridge.tray.samples import (
    FIGURES,
    described,
    job,
    jobs,
    night,
    pictured,
    progressed,
    shots,
)


def buttons(within: QWidget) -> dict[str, QPushButton]:
    QApplication.processEvents()
    return {
        one.text().replace("&", ""): one
        for one in within.findChildren(QPushButton)
        if one.isVisible()
    }


def texts(within: QWidget) -> str:
    QApplication.processEvents()
    return "\n".join(one.text() for one in within.findChildren(QLabel) if one.isVisible())


def cards(shown) -> list[CardBox]:
    QApplication.sendPostedEvents(
        None, 52
    )  # QEvent.DeferredDelete: cards that were replaced are gone
    return [one for one in shown.window.job_page.findChildren(CardBox) if not one.isHidden()]


@pytest.fixture
def shown(display):
    made = display(said=night())
    made.window.show_job("aaa111")
    made.draw()
    return made


def test_what_is_shown_is_asked_for(shown):
    shown.window.show_job("bbb222")
    shown.draw()
    assert [one.job for one in shown.asked(Describe)] == ["bbb222"]
    shown.draw()
    assert len(shown.asked(Describe)) == 1, "it is asked once, until it is answered"
    shown.hear(described("bbb222", "working", last=9))
    assert shown.asked(Pictures)[-1].job == "bbb222"


def test_a_job_stands_with_its_verdict_its_strip_and_its_messages(shown):
    page = shown.window.job_page
    assert "Published, but incomplete." in texts(page) and "6 verified" in texts(page)
    assert page.strip.model().rowCount() == 12
    assert len(cards(shown)) == 3
    assert "Media offline" in texts(cards(shown)[0])


def test_the_strip_fits_and_is_walked_with_keys(shown, qtbot):
    strip = shown.window.job_page.strip
    assert strip.horizontalScrollBar().maximum() == 0
    assert strip.currentIndex().row() == 3, "it begins where something is wrong"
    strip.setFocus()
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    assert strip.currentIndex().row() == 4 and "Shot 5: Window" in texts(shown.window.job_page)
    qtbot.keyClick(strip, Qt.Key.Key_End)
    assert strip.currentIndex().row() == 11
    qtbot.keyClick(strip, Qt.Key.Key_Plus)
    QApplication.processEvents()
    assert strip.horizontalScrollBar().maximum() > 0
    qtbot.keyClick(strip, Qt.Key.Key_Minus)
    QApplication.processEvents()
    assert strip.horizontalScrollBar().maximum() == 0


def test_widths_are_lengths(shown):
    strip = shown.window.job_page.strip
    wide = [strip.visualRect(strip.model().index(row, 0)).width() for row in range(12)]
    assert wide[8] > wide[6] > wide[0] > wide[5]
    assert wide[8] / wide[0] == pytest.approx(80 / 48, rel=0.05)


def test_answers_are_one_click_away(shown, qtbot):
    first = buttons(cards(shown)[0])
    qtbot.mouseClick(first["Try again"], Qt.MouseButton.LeftButton)
    (said,) = shown.asked(Answer)
    assert (said.job, said.about, said.answer) == ("aaa111", "4", "retry")


def test_after_an_answer_the_new_job_is_shown(shown):
    shown.hear(
        Done(re="answer-x-4", job="ddd444"),
        jobs(job(state="incomplete"), job("ddd444", "waiting", timeline="Reel 1")),
    )
    assert shown.window.job == "ddd444" and shown.window.list.current() == "ddd444"
    assert "Noted" in texts(shown.window)


def test_another_file_is_chosen_in_a_dialog(shown, qtbot, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("/backup/D004.mp4", ""))
    qtbot.mouseClick(buttons(cards(shown)[0])["Use another file …"], Qt.MouseButton.LeftButton)
    assert [(one.answer, one.file, one.about) for one in shown.asked(Answer)] == [
        ("relink", "/backup/D004.mp4", "4")
    ]
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    qtbot.mouseClick(buttons(cards(shown)[0])["Use another file …"], Qt.MouseButton.LeftButton)
    assert len(shown.asked(Answer)) == 1, "a dialog that is closed decides nothing"


def test_a_message_leads_to_its_shot(shown, qtbot):
    qtbot.mouseClick(buttons(cards(shown)[1])["Shot 8  ·  01:00:13:04"], Qt.MouseButton.LeftButton)
    assert shown.window.job_page.strip.currentIndex().row() == 7


def test_the_diagnosis_is_in_the_clipboard(shown, qtbot):
    qtbot.mouseClick(buttons(shown.window.job_page)["Copy diagnosis"], Qt.MouseButton.LeftButton)
    assert "[error, source-missing" in QGuiApplication.clipboard().text()


def test_jobs_are_stopped_taken_up_and_put_first(shown, qtbot):
    shown.window.show_job("bbb222")
    qtbot.mouseClick(buttons(shown.window.job_page)["Cancel"], Qt.MouseButton.LeftButton)
    assert shown.asked(Cancel)[0].job == "bbb222"
    shown.window.show_job("ccc333")
    qtbot.mouseClick(buttons(shown.window.job_page)["Make it next"], Qt.MouseButton.LeftButton)
    assert (shown.asked(Prioritise)[0].job, shown.asked(Prioritise)[0].priority) == ("ccc333", 1)
    shown.window.show_job("old3")
    qtbot.mouseClick(buttons(shown.window.job_page)["Go on"], Qt.MouseButton.LeftButton)
    assert shown.asked(Resume)[0].job == "old3"


@pytest.fixture
def commands(monkeypatch):
    """Commands that the display would run, each with what it is to be told of its end."""
    begun: list[tuple[list[str], Callable[[str, str], None]]] = []
    monkeypatch.setattr(desktop, "command", lambda words, done, **_: begun.append((words, done)))
    return begun


def test_any_kept_film_is_brought_back_by_its_number(display, qtbot, commands):
    kept = tuple(
        KeptFilm(number=number, at=86400.0 * number, complete=True) for number in (1, 2, 3)
    )
    told = described(state="complete", findings=(), rollback="before", kept=kept)
    made = display(
        said=(jobs(job(state="complete", film="/films/reel1.incomplete.mov")), told, pictured())
    )
    press = next(
        button for text, button in buttons(made.window.job_page).items() if "1970-01-04" in text
    )
    qtbot.mouseClick(press, Qt.MouseButton.LeftButton)
    asked = made.window.findChild(QMessageBox)
    assert "in the place of reel1.incomplete.mov?" in asked.text()
    qtbot.mouseClick(buttons(asked)["Bring back this film"], Qt.MouseButton.LeftButton)
    assert commands[0][0] == ["rollback", "/films/reel1.incomplete.mov", "--to", "3"]


def test_the_film_before_is_brought_back_when_a_person_confirms_it(display, qtbot, commands):
    told = described(state="complete", findings=(), rollback="before")
    made = display(said=(jobs(job(state="complete")), told, pictured()))
    press = buttons(made.window.job_page)["Bring back the film before …"]
    qtbot.mouseClick(press, Qt.MouseButton.LeftButton)
    asked = made.window.findChild(QMessageBox)
    assert (
        "in place of reel1.mov?" in asked.text() and "is kept beside it" in asked.informativeText()
    )
    qtbot.keyClick(asked, Qt.Key.Key_Escape)
    assert commands == [], "nothing is done by who only looked"
    qtbot.mouseClick(press, Qt.MouseButton.LeftButton)
    asked = next(one for one in made.window.findChildren(QMessageBox) if one.isVisible())
    assert asked.defaultButton().text() == "&Leave it as it is"
    qtbot.mouseClick(buttons(asked)["Bring back the film before"], Qt.MouseButton.LeftButton)
    ((words, done),) = commands
    assert words == [
        "rollback",
        "/films/reel1.mov",
    ] and "is read through before anything is moved" in texts(made.window)
    done("Rolled back.", "")
    qtbot.waitUntil(
        lambda: (
            "/films/reel1.mov is the film before again; the one that stood there is kept."
            in texts(made.window)
        )
    )
    done(
        "",
        "Already under work. Another hotsplice is assembling /films/reel1.mov now.\nWait for it, or stop it first.",
    )
    qtbot.waitUntil(lambda: "It could not be done: Already under work" in texts(made.window))


def test_what_the_companion_declines_is_said_in_its_words(shown):
    shown.hear(
        Declining(
            "cancel",
            "job-finished",
            "Job has ended",
            "aaa111 has ended already.",
            "Nothing needs to be done.",
        )
    )
    assert "Job has ended. aaa111 has ended already. Nothing needs to be done." in texts(
        shown.window
    )
    shown.hear(Declining("describe-aaa111", "request-unanswered", "No answer", "m", "a"))
    assert "No answer" not in texts(shown.window), "what nobody asked for is not complained about"


def test_what_the_companion_notices_is_said_once(shown):
    new = Noticed(
        at=1.5, code="settings-taken", title="Settings read again", message="jobs = 3 at once."
    )
    shown.hear(new)
    assert "Settings read again: jobs = 3 at once." in texts(shown.window)
    shown.window.quiet()
    shown.hear(new)
    assert "Settings read again" not in texts(shown.window), (
        "it is told again to who begins to watch anew"
    )


def test_a_mistake_in_the_settings_stays_in_sight_until_it_is_mended(shown, qtbot, monkeypatch):
    opened = []
    monkeypatch.setattr(desktop, "open_file", lambda path: opened.append(path.name))
    shown.hear(
        Noticed(
            at=1.5,
            code="settings-invalid",
            title="Settings not understood",
            message="line 2: jobs must be a number.",
        )
    )
    assert "Settings not understood: line 2: jobs must be a number." in texts(shown.window)
    banner = shown.window._banner
    qtbot.mouseClick(buttons(banner)["Open the file"], Qt.MouseButton.LeftButton)
    assert opened == ["settings.yaml"]
    shown.hear(
        Noticed(
            at=2.5,
            code="settings-taken",
            title="Settings read again",
            message="the mistake is mended.",
        )
    )
    assert not banner.isVisible() and "Settings read again" in texts(shown.window)


def test_how_a_job_was_found_is_said_on_its_page_until_it_ends(shown):
    shown.window.show_job("bbb222")
    shown.hear(
        Noticed(
            at=1.5,
            code="job-taken-up",
            title="Job taken up again",
            message="Reel 4: it was cut off.",
            job="bbb222",
        )
    )
    assert "Job taken up again: Reel 4: it was cut off." in texts(shown.window.job_page)
    shown.hear(jobs(job("bbb222", "complete", timeline="Reel 4")))
    assert "Job taken up again" not in texts(shown.window.job_page)


def test_a_companion_that_is_not_running_can_be_started(shown, qtbot):
    shown.hear(Linked("absent"))
    assert "The companion is not running" in texts(shown.window)
    qtbot.mouseClick(buttons(shown.window)["Start the companion"], Qt.MouseButton.LeftButton)
    assert shown.model.link == "looking" and "not running" not in texts(shown.window)


def test_a_rest_is_shown_and_ended(shown, qtbot):
    shown.hear(jobs(job(state="waiting"), paused=True))
    assert "Paused: no job is begun" in texts(shown.window)
    qtbot.mouseClick(buttons(shown.window)["Go on"], Qt.MouseButton.LeftButton)
    assert shown.asked(Pause)[0].paused is False


def test_what_a_person_is_at_stays_where_it_is(shown, qtbot):
    strip = shown.window.job_page.strip
    button = buttons(cards(shown)[1])["Try again"]
    button.setFocus()
    shown.window.list.verticalScrollBar().setValue(7)
    before = cards(shown)
    strip.choose(9)
    shown.hear(*night()[:1], described(last=5), pictured(), progressed("bbb222", frames_done=120))
    assert strip.currentIndex().row() == 8
    assert cards(shown) == before and QApplication.focusWidget() is button


def test_a_timeline_is_dropped_and_becomes_a_film(shown, qtbot, tmp_path: Path):
    line = tmp_path / "cut.otio"
    line.write_bytes(b'{"OTIO_SCHEMA": "Timeline.1"}')
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(line)), QUrl.fromLocalFile(str(tmp_path / "other.txt"))])
    drop = QDropEvent(
        QPoint(50, 50).toPointF(),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    shown.window.dropEvent(drop)
    dialog = shown.window.findChild(SubmitDialog)
    assert dialog.wanted == (str(line), str(tmp_path / "cut.mov"), "")
    dialog._preset.setCurrentIndex(dialog._preset.findData("h264"))
    assert dialog.wanted == (str(line), str(tmp_path / "cut.mp4"), "h264")
    dialog.accept()
    ((said, timeline),) = [one for one in shown.posted if isinstance(one[0], Submit)]
    assert (said.output, said.preset, timeline) == (
        str(tmp_path / "cut.mp4"),
        "h264",
        line.read_bytes(),
    )
    shown.hear(
        Accepted(re=said.request, submission=said.submission, job="eee555"), jobs(job("eee555"))
    )
    assert shown.window.job == "eee555"


def test_a_film_that_stands_there_is_said_to_be_kept(shown, tmp_path: Path):
    (tmp_path / "cut.mov").write_bytes(b"film")
    dialog = SubmitDialog(shown.window, "en", {}, str(tmp_path / "cut.otio"))
    assert "cut.mov stands there already" in "\n".join(
        one.text() for one in dialog.findChildren(QLabel)
    )


def test_a_timeline_that_cannot_be_read_is_said(shown, tmp_path: Path):
    from bridge.tray.submitting import Wanted

    shown.wishes.submit(Wanted(str(tmp_path / "gone.otio"), str(tmp_path / "f.mov"), ""))
    assert "gone.otio cannot be read" in texts(shown.window) and not shown.asked(Submit)


def test_history_is_asked_for_and_plotted(shown, qtbot):
    shown.model = msgspec.structs.replace(shown.model, figures=None)
    qtbot.mouseClick(buttons(shown.window)["History"], Qt.MouseButton.LeftButton)
    shown.draw()
    assert len(shown.asked(Stats)) == 1
    shown.hear(FIGURES)
    assert "96.6 %" in texts(shown.window.history)
    assert "Media offline: 6 of 9 cured" in shown.window.history._faults.accessibleDescription()


def test_everything_can_be_reached_with_the_tab_key(shown, qtbot):
    shown.window.list.setFocus()
    reached, at = [], QApplication.focusWidget()
    for _ in range(60):
        qtbot.keyClick(at, Qt.Key.Key_Tab)
        at = QApplication.focusWidget()
        if at in reached:
            break
        reached.append(at)
    names = {one.text().replace("&", "") for one in reached if isinstance(one, QPushButton)}
    assert {
        "New film …",
        "Jobs",
        "History",
        "Settings",
        "Report",
        "Use another file …",
        "Leave the slate",
    } <= names
    assert shown.window.job_page.strip in reached and shown.window.list in reached


def test_shortcuts_reach_the_pages(shown, qtbot):
    qtbot.keyClick(shown.window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    assert shown.window.place == "history"
    qtbot.keyClick(shown.window, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    assert shown.window.place == "settings"
    qtbot.keyClick(shown.window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    assert shown.window.place == "jobs"


def test_a_screen_reader_is_told_everything(shown):
    strip = shown.window.job_page.strip
    index = strip.model().index(3, 0)
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "Shot 4: Night train"
    assert "slate" in index.data(Qt.ItemDataRole.AccessibleDescriptionRole)
    assert QAccessible.queryAccessibleInterface(strip).text(QAccessible.Text.Name) == "Shots"
    assert (
        cards(shown)[0].accessibleName()
        == "Missing in the film  ·  Media offline  ·  Shot 4  ·  01:00:05:04"
    )
    for one in shown.window.findChildren(QPushButton):
        assert one.text() or not one.isVisible(), "every button has a name"


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(
    "direction",
    [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft],
    ids=["ltr", "rtl"],
)
def test_nothing_is_cut_off_in_the_smallest_window(display, language, direction):
    QApplication.setLayoutDirection(direction)
    try:
        long = "A name that somebody thought about for a whole afternoon " * 8
        told = described(title=long, message=long, findings=tuple(
            msgspec.structs.replace(one, title=long, message=f"/{'x' * 300}/{long}") for one in described().findings
        ))  # fmt: skip
        made = display(
            language=language,
            said=(
                jobs(job(state="incomplete", timeline=long, output=f"/films/{long}.mov")),
                told,
                pictured(),
            ),
        )
        made.window.resize(made.window.minimumSize())
        QApplication.processEvents()
        assert made.window.width() <= 900 and made.window.height() <= 620
        for one in made.window.job_page.findChildren(QPushButton):
            if one.isVisible():
                assert one.width() >= one.fontMetrics().horizontalAdvance(
                    one.text().replace("&", "")
                ), one.text()
                assert (
                    made.window.rect().contains(one.mapTo(made.window, QPoint(0, 1)))
                    or one.mapTo(made.window, QPoint()).y() > 0
                )
    finally:
        QApplication.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


def test_names_are_no_markup(display):
    made = display(
        said=(
            jobs(job(timeline="<h1>Reel</h1> & <img src=x>")),
            described(state="working", title="<b>bold</b>"),
        )
    )
    assert "<h1>Reel</h1> & <img src=x>" in texts(made.window.job_page)


def test_a_long_film_is_shown_whole(display):
    pattern = tuple((f"Shot {n}", "a.mov", 12 + n % 90, "verified") for n in range(1500))
    made = display(
        said=(
            jobs(job(state="complete")),
            described(state="complete", shots=shots(pattern), findings=()),
        )
    )
    strip = made.window.job_page.strip
    QApplication.processEvents()
    assert strip.model().rowCount() == 1500
    assert strip.visualRect(strip.model().index(0, 0)).width() >= 6, (
        "even the shortest can be seen and clicked"
    )
    strip.choose(1400)
    assert strip.visualRect(strip.currentIndex()).intersects(strip.viewport().rect())
