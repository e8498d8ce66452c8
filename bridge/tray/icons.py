"""Signs and icons, drawn by code.

They look the same on every platform and at every size, and each has its own shape.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF

from bridge.tray.style import INK, RAISED, ROLES, TEXT
from bridge.tray.view import Icon, Kind

SIZES = (16, 22, 24, 32, 48, 64, 128)
_KINDS: dict[Kind, str] = {
    "idle": "#aab2bc", "working": ROLES["work"], "attention": ROLES["warn"], "done": ROLES["good"], "absent": "#7d8691",
}  # fmt: skip


def draw(painter: QPainter, box: QRectF, sign: str, ink: QColor) -> None:
    """Draw a sign into a box."""
    side = min(box.width(), box.height())
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(box.center().x() - side / 2, box.center().y() - side / 2)
    painter.scale(side / 16, side / 16)
    painter.setPen(
        QPen(ink, 1.9, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    )
    painter.setBrush(Qt.BrushStyle.NoBrush)
    _SIGNS.get(sign, _dots)(painter, ink)
    painter.restore()


def _line(painter: QPainter, *points: tuple[float, float]) -> None:
    painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in points]))


def _solid(painter: QPainter, ink: QColor, *points: tuple[float, float]) -> None:
    painter.setBrush(ink)
    painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in points]))


def _check(painter: QPainter, ink: QColor) -> None:
    _line(painter, (3, 8.5), (6.5, 12), (13, 4.5))


def _cross(painter: QPainter, ink: QColor) -> None:
    _line(painter, (4, 4), (12, 12))
    _line(painter, (12, 4), (4, 12))


def _again(painter: QPainter, ink: QColor) -> None:
    painter.drawArc(QRectF(3, 3, 10, 10), 40 * 16, 285 * 16)
    _solid(painter, ink, (12.9, 2.6), (12.9, 6.4), (9.4, 5.4))


def _half(painter: QPainter, ink: QColor) -> None:
    painter.drawEllipse(QRectF(2.5, 2.5, 11, 11))
    painter.setBrush(ink)
    painter.drawPie(QRectF(2.5, 2.5, 11, 11), 90 * 16, 180 * 16)


def _back(painter: QPainter, ink: QColor) -> None:
    _line(painter, (7, 3.5), (2.8, 8), (7, 12.5))
    _line(painter, (3.2, 8), (13, 8))


def _slate(painter: QPainter, ink: QColor) -> None:
    painter.drawRect(QRectF(2.5, 6.5, 11, 7))
    _line(painter, (2.5, 6), (13.2, 2.6))
    _line(painter, (5.5, 10), (10.5, 10))


def _dots(painter: QPainter, ink: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink)
    for x in (3.5, 8.0, 12.5):
        painter.drawEllipse(QPointF(x, 8), 1.4, 1.4)


def _play(painter: QPainter, ink: QColor) -> None:
    _solid(painter, ink, (5, 3.5), (12.5, 8), (5, 12.5))


def _pause(painter: QPainter, ink: QColor) -> None:
    _line(painter, (5.5, 4), (5.5, 12))
    _line(painter, (10.5, 4), (10.5, 12))


def _stop(painter: QPainter, ink: QColor) -> None:
    _solid(
        painter,
        ink,
        (5.3, 2),
        (10.7, 2),
        (14, 5.3),
        (14, 10.7),
        (10.7, 14),
        (5.3, 14),
        (2, 10.7),
        (2, 5.3),
    )
    painter.setPen(QPen(QColor(INK), 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    _line(painter, (5.6, 5.6), (10.4, 10.4))
    _line(painter, (10.4, 5.6), (5.6, 10.4))


def _warning(painter: QPainter, ink: QColor) -> None:
    _solid(painter, ink, (8, 2), (14.4, 13.4), (1.6, 13.4))
    painter.setPen(QPen(QColor(INK), 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    _line(painter, (8, 6.2), (8, 9.2))
    painter.drawPoint(QPointF(8, 11.6))


def _note(painter: QPainter, ink: QColor) -> None:
    painter.drawEllipse(QRectF(2, 2, 12, 12))
    _line(painter, (8, 7.6), (8, 11))
    painter.drawPoint(QPointF(8, 5))


def _below(painter: QPainter, ink: QColor) -> None:
    _line(painter, (3.5, 6), (8, 10.5), (12.5, 6))


def _above(painter: QPainter, ink: QColor) -> None:
    _line(painter, (3.5, 10), (8, 5.5), (12.5, 10))


def _gate(painter: QPainter, ink: QColor) -> None:
    """Draw an hourglass, the sign of waiting."""
    painter.drawPolygon(
        QPolygonF([QPointF(x, y) for x, y in ((4, 2.5), (12, 2.5), (4, 13.5), (12, 13.5))])
    )


_SIGNS: dict[str, Callable[[QPainter, QColor], None]] = {
    "check": _check, "cross": _cross, "again": _again, "half": _half, "back": _back, "slate": _slate, "dots": _dots,
    "play": _play, "pause": _pause, "stop": _stop, "warning": _warning, "note": _note, "gate": _gate,
    "above": _above, "below": _below,
}  # fmt: skip


def pattern(sign: str) -> Qt.BrushStyle:
    """Return the fill pattern of a shot's band, so that colour is not the only cue."""
    return {
        "slate": Qt.BrushStyle.BDiagPattern, "cross": Qt.BrushStyle.DiagCrossPattern, "half": Qt.BrushStyle.FDiagPattern,
        "back": Qt.BrushStyle.HorPattern, "dots": Qt.BrushStyle.NoBrush,
    }.get(sign, Qt.BrushStyle.SolidPattern)  # fmt: skip


@lru_cache(maxsize=128)
def pixmap(sign: str, ink: str, side: int, ratio: float = 1.0) -> QPixmap:
    """Return a sign as a picture of `side` device-independent pixels."""
    made = QPixmap(round(side * ratio), round(side * ratio))
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    draw(painter, QRectF(0, 0, side, side), sign, QColor(ink))
    painter.end()
    return made


# The tray icon ------------------------------------------------------------------------------------


def tray_icon(shown: Icon) -> QIcon:
    """Return the icon in all sizes that trays request.

    Progress is drawn in steps of two per cent.
    """
    step = None if shown.progress is None else round(shown.progress * 50)
    return _tray_icon(shown.kind, step)


@lru_cache(maxsize=260)
def _tray_icon(kind: Kind, step: int | None) -> QIcon:
    icon = QIcon()
    for side in SIZES:
        made = QPixmap(side, side)
        made.fill(Qt.GlobalColor.transparent)
        painter = QPainter(made)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(side / 32, side / 32)
        _draw_tray(painter, kind, step)
        painter.end()
        icon.addPixmap(made)
    return icon


def _draw_tray(painter: QPainter, kind: Kind, step: int | None) -> None:
    """Draw the icon on a grid of 32 by 32 units.

    A dark plate keeps it visible on bright panels, and each state has its own shape.
    """
    ink = QColor(_KINDS[kind])
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(RAISED))
    painter.drawRoundedRect(QRectF(0.5, 0.5, 31, 31), 7, 7)
    ring = QRectF(5, 5, 22, 22)
    thick = QPen(ink, 3.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap, Qt.PenJoinStyle.RoundJoin)
    match kind:
        case "attention":
            if step is not None:
                _ring(painter, QRectF(3, 3, 26, 26), step, QColor(ROLES["work"]), 2.4)
            box = QRectF(7, 6, 18, 18) if step is not None else QRectF(3, 2.5, 26, 26)
            draw(painter, box, "warning", ink)
        case "working":
            _ring(painter, ring, step or 0, ink, 3.6)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(TEXT))
            painter.drawPolygon(QPolygonF([QPointF(13, 11), QPointF(21.5, 16), QPointF(13, 21)]))
        case "done":
            painter.setBrush(ink)
            painter.drawEllipse(QRectF(3.5, 3.5, 25, 25))
            draw(painter, QRectF(7, 7, 18, 18), "check", QColor(INK))
        case "absent":
            painter.setPen(thick)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for start in (20, 110, 200, 290):
                painter.drawArc(ring, start * 16, 50 * 16)
            draw(painter, QRectF(11, 11, 10, 10), "cross", ink)
        case _:
            painter.setPen(thick)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(ring)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ink)
            painter.drawEllipse(QPointF(16, 16), 3.4, 3.4)


def _ring(painter: QPainter, ring: QRectF, step: int, ink: QColor, width: float) -> None:
    painter.setBrush(QBrush(Qt.BrushStyle.NoBrush))
    painter.setPen(QPen(QColor("#4a525c"), width))
    painter.drawEllipse(ring)
    painter.setPen(QPen(ink, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
    painter.drawArc(ring, 90 * 16, -round(360 * 16 * step / 50))
