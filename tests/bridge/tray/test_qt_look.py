"""How it looks, as far as that can be measured: contrast, shapes without colour, sharpness, both directions."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from PIL import Image
from PySide6.QtGui import QColor, QImage

from bridge.tray import icons, style
from bridge.tray.view import Icon
from tests.bridge.companions import ROOT

KINDS = ("idle", "working", "attention", "done", "absent")


def luminance(colour: str) -> float:
    """Of WCAG 2.2."""

    def linear(part: int) -> float:
        return (
            part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4
        )

    one = QColor(colour)
    return 0.2126 * linear(one.red()) + 0.7152 * linear(one.green()) + 0.0722 * linear(one.blue())


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("ground", [style.GROUND, style.PANEL, style.RAISED])
def test_text_can_be_read_on_every_ground(ground):
    for text in (style.TEXT, style.DIM):
        assert contrast(text, ground) >= 4.5, (text, ground)
    for role, colour in style.ROLES.items():
        assert contrast(colour, ground) >= 4.5, role
    assert contrast(style.FOCUS, ground) >= 3


def grey(image: QImage) -> bytes:
    """Without colour, and without more than a few tones: what is left is the shape."""
    image = image.convertToFormat(QImage.Format.Format_RGBA8888)
    whole = Image.frombytes("RGBA", (image.width(), image.height()), bytes(image.constBits()))
    return whole.convert("LA").convert("L").point(lambda tone: 255 if tone > 110 else 0).tobytes()


@pytest.mark.parametrize("side", [16, 22, 48])
def test_every_state_has_an_icon_of_its_own_shape(qapp, side):
    seen = {
        kind: grey(icons.tray_icon(Icon(kind, None, "")).pixmap(side, side).toImage())
        for kind in KINDS
    }
    for one in KINDS:
        for other in KINDS:
            if one < other:
                differ = sum(a != b for a, b in zip(seen[one], seen[other], strict=True))
                assert differ > side * side * 0.05, (one, other)


def test_progress_is_seen_on_the_icon(qapp):
    steps = [
        grey(icons.tray_icon(Icon("working", far, "")).pixmap(22, 22).toImage())
        for far in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    assert len(set(steps)) == 5


def test_every_state_of_a_shot_has_a_sign_of_its_own(qapp):
    from bridge.tray.page import _SHOTS

    drawn = {
        state: bytes(icons.pixmap(sign, "#ffffff", 16, 1.0).toImage().constBits())
        for state, (sign, _) in _SHOTS.items()
    }
    assert len(set(drawn.values())) == len(_SHOTS)


SHARP = """
import sys
from PySide6.QtWidgets import QApplication
from pathlib import Path
from tests.bridge.tray.displays import made
from tests.bridge.tray.samples import night
app = QApplication([])
shown = made(app, Path(sys.argv[1]), said=night())
shown.window.show_job("aaa111")
app.processEvents()
image = shown.window.grab().toImage()
print(shown.window.devicePixelRatioF(), image.width() / shown.window.width(), shown.window.job_page._sign.pixmap().devicePixelRatio())
"""


def test_at_twice_the_density_everything_is_drawn_twice_as_fine(tmp_path):
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "QT_SCALE_FACTOR": "2",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-c", SHARP, str(tmp_path)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["2.0", "2.0", "2.0"], done.stderr
