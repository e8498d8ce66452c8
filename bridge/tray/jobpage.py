"""The page of a job: header, progress, strip of shots, and a card for each finding."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLayout, QProgressBar, QVBoxLayout, QWidget

from bridge.tray.flow import Flow
from bridge.tray.page import Act, Card, Legend, Page
from bridge.tray.strip import Strip
from bridge.tray.style import ROLES, UNIT
from bridge.tray.widgets import (
    Column,
    Shortened,
    Sign,
    across,
    button,
    down,
    emptied,
    plain,
    put,
    scrolled,
    wrapped,
)
from bridge.tray.words import joined, say
from core.messages.template import Language


class CardBox(QFrame):
    """A finding, with the actions that it offers."""

    def __init__(self, card: Card, do: Any, go_to: Any) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setAccessibleName(joined(card.kind, card.title, card.where))
        self.setAccessibleDescription(card.message)
        sign = Sign(18)
        sign.show_sign(card.sign, ROLES[card.role])
        title = wrapped("strong", card.title)
        kind = plain("dim", card.kind)
        where = (
            button(card.where, lambda: go_to(card.shot)) if card.shot else plain("dim", card.where)
        )
        if card.shot:
            where.setProperty("nav", True)
        body: list[Any] = [wrapped("", card.message)]
        if card.did:
            body.append(wrapped("dim", card.did))
        body += [wrapped("dim", f"•  {hint}") for hint in card.hints]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * UNIT, UNIT + 4, 2 * UNIT, UNIT + 4)
        head = across(sign, title, kind, where)
        head.setStretch(1, 1)
        layout.addLayout(head)
        layout.addLayout(_indented(down(*body, gap=4)))
        if card.acts:
            row = Flow()
            for act in card.acts:
                row.addWidget(button(act.label, partial(do, act), primary=act.primary))
            layout.addSpacing(2)
            layout.addLayout(_indented(row))


def _indented(layout: QLayout) -> QHBoxLayout:
    """Indent a layout to align with a title that follows a sign."""
    row = across(26, layout, gap=0)
    row.setStretch(1, 1)
    return row


class JobPage(QWidget):
    """Shows a `Page`. `act` is emitted with the action that the user chooses."""

    act = Signal(object)

    def __init__(self, language: Language) -> None:
        super().__init__()
        self.setObjectName("page")
        self._language = language
        self._shown: Page | None = None
        self._title, self._place = Shortened("title"), Shortened("dim")
        self._acts = Flow(trailing=True)
        self._sign, self._verdict, self._message = Sign(20), wrapped("strong"), wrapped("")
        self._safe = wrapped("dim")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 1000)
        self._far, self._left = plain("dim"), plain("dim")
        self._strip_head = plain("head", say("shots", language).upper())
        self._legend = Flow(gap=2 * UNIT, trailing=True)
        self.strip = Strip()
        self.strip.setAccessibleName(say("shots", language))
        self.strip.setAccessibleDescription(say("shots-words", language))
        self._shot_line = wrapped("dim")
        self._cards_head = plain("head")
        self._cards = QVBoxLayout()
        self._cards.setSpacing(UNIT)
        self._cards.setContentsMargins(0, 0, UNIT, UNIT)
        self._build()
        self.strip.chosen.connect(self._shot_chosen)

    def _build(self) -> None:
        holder = Column()
        holder.setLayout(self._cards)
        scroll = scrolled(holder)
        titles = down(self._title, self._place, gap=2)
        head = across(titles, self._acts, gap=2 * UNIT)
        head.setStretch(0, 1)
        verdict = across(self._sign, self._verdict)
        verdict.setAlignment(self._sign, Qt.AlignmentFlag.AlignTop)
        verdict.setStretch(1, 1)
        told = down(self._message, self._safe, gap=4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * UNIT, 3 * UNIT, 2 * UNIT, UNIT)
        layout.setSpacing(UNIT)
        for part in (
            head,
            UNIT,
            verdict,
            _indented(told),
            self._bar,
            across(self._far, None, self._left),
            UNIT,
        ):
            if isinstance(part, int):
                layout.addSpacing(part)
            elif isinstance(part, QWidget):
                layout.addWidget(part)
            else:
                layout.addLayout(part)
        above = across(self._strip_head, self._legend, gap=3 * UNIT)
        above.setStretch(1, 1)
        layout.addLayout(above)
        layout.addWidget(self.strip)
        layout.addWidget(self._shot_line)
        layout.addSpacing(UNIT)
        layout.addWidget(self._cards_head)
        layout.addWidget(scroll, 1)

    def show_page(self, page: Page) -> None:
        """Show a page. Unchanged parts are left alone, so that focus and selection remain."""
        before, self._shown = self._shown, page
        language = self._language
        if before is None or before.job != page.job:
            before = None
        self._title.say(page.title)
        self._place.say(joined(page.output, page.preset))
        self._sign.show_sign(page.sign, ROLES[page.role])
        put(self._verdict, page.verdict)
        put(self._message, page.message)
        put(self._safe, page.safe)
        self._bar.setVisible(page.progress is not None)
        self._bar.setValue(round(1000 * (page.progress or 0)))
        put(self._far, page.far)
        put(self._left, page.left)
        if before is None or before.acts != page.acts:
            emptied(self._acts)
            for act in page.acts:
                self._acts.addWidget(button(act.label, partial(self._do, act), primary=act.primary))
        if before is None or before.legend != page.legend:
            self._show_legend(page.legend)
        self.strip.show_tiles(page.tiles)
        if not page.tiles:
            put(self._shot_line, say("no-plan-yet" if page.known else "not-described", language))
        elif before is None or not before.tiles:
            self.strip.choose(
                page.cards[0].shot if page.cards and page.cards[0].shot else page.tiles[0].number
            )
        self._shot_chosen(self._chosen())
        if before is None or before.cards != page.cards or before.known != page.known:
            self._show_cards(page)

    def _show_legend(self, legend: tuple[Legend, ...]) -> None:
        emptied(self._legend)
        for part in legend:
            sign = Sign(14)
            sign.show_sign(part.sign, ROLES[part.role])
            box = QWidget()
            box.setLayout(across(sign, plain("dim", part.text), gap=5))
            self._legend.addWidget(box)

    def _show_cards(self, page: Page) -> None:
        emptied(self._cards)
        found = (
            say("findings", self._language, count=len(page.cards))
            if page.cards
            else say("nothing-found", self._language)
        )
        quiet = not page.known or (
            not page.cards and page.state in ("waiting", "working", "elsewhere")
        )
        put(self._cards_head, "" if quiet else found.upper())
        for card in page.cards:
            self._cards.addWidget(CardBox(card, self._do, self.go_to))
        self._cards.addStretch(1)

    def go_to(self, shot: int) -> None:
        """Show a shot on the strip."""
        self.strip.choose(shot)
        self.strip.setFocus(Qt.FocusReason.OtherFocusReason)

    def _do(self, act: Act) -> None:
        self.act.emit(act)

    def _chosen(self) -> int:
        tile = self.strip.items.at(self.strip.currentIndex())
        return tile.number if tile else 0

    def _shot_chosen(self, number: int) -> None:
        tiles = self._shown.tiles if self._shown else ()
        tile = next((one for one in tiles if one.number == number), None)
        if tile is not None:
            lines = tile.words.split("\n")
            put(self._shot_line, joined(*lines))
