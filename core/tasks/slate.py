"""Draw a slate: a card that names the missing shot and the reason, in place of its pictures."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

_GROUND, _INK, _MUTED, _BAR = (24, 24, 28), (235, 235, 235), (160, 160, 168), (200, 70, 50)

_SPELT = str.maketrans(
    {
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "Ä": "Ae",
        "Ö": "Oe",
        "Ü": "Ue",
        "ß": "ss",
        "–": "-",
        "—": "-",
        "…": "...",
    }
)


def drawable(text: str) -> str:
    """Convert text to ASCII, which is all that Pillow's own font has.

    Umlauts get their German substitutes, other letters lose their accents. A letter without an
    ASCII form stays and is drawn as a box.
    """
    spelt = unicodedata.normalize("NFC", text).translate(_SPELT)
    return "".join(
        unicodedata.normalize("NFD", c).encode("ascii", "ignore").decode() or c for c in spelt
    )


def _wrapped(
    draw: ImageDraw.ImageDraw,
    text: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    width: int,
) -> list[str]:
    lines, line = [], ""
    for word in text.split() or [""]:
        while draw.textlength(word, font=font) > width and len(word) > 4:  # a path without spaces
            cut = len(word) - 1
            while cut > 1 and draw.textlength(word[:cut], font=font) > width:
                cut -= 1
            if line:
                lines.append(line)
            lines.append(word[:cut])
            line, word = "", word[cut:]
        longer = f"{line} {word}".strip()
        if draw.textlength(longer, font=font) <= width or not line:
            line = longer
        else:
            lines.append(line)
            line = word
    return [*lines, line]


def draw(path: str | Path, lines: tuple[str, ...], width: int, height: int) -> None:
    """Write a PNG of width x height pixels with the first line large.

    Names stay text and never reach a filter graph.
    """
    image = Image.new("RGB", (width, height), _GROUND)
    pen = ImageDraw.Draw(image)
    margin = max(8, width // 16)
    pen.rectangle((0, 0, width, max(4, height // 40)), fill=_BAR)
    y = height // 5
    for place, text in enumerate(lines):
        size = max(10, height // (11 if place == 0 else 20))
        font = ImageFont.load_default(size)
        for line in _wrapped(pen, drawable(text), font, width - 2 * margin):
            if y + size > height - margin // 2:
                break
            pen.text((margin, y), line, font=font, fill=_INK if place < 2 else _MUTED)
            y += round(size * 1.35)
        y += size // 3
    image.save(path, format="PNG")
