"""Slates: whatever a shot is called, a card of exact size comes out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from core.tasks import slate


def _drawn(path: Path, *lines: str, size: tuple[int, int] = (640, 360)) -> np.ndarray:
    slate.draw(path, lines, *size)
    with Image.open(path) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", size)
        return np.asarray(image)


def _inked(card: np.ndarray) -> np.ndarray:
    """Where there is writing: brighter than the ground, below the bar."""
    inked = card.min(axis=2) > 100
    inked[: max(4, card.shape[0] // 40) + 1] = False
    return inked


def _rows(inked: np.ndarray) -> int:
    """How many lines of writing there are."""
    rows = inked.any(axis=1).astype(int)
    return int(np.count_nonzero(np.diff(rows, prepend=0) == 1))


def test_a_slate_has_a_bar_and_ink(tmp_path: Path) -> None:
    empty, card = (
        _drawn(tmp_path / "a.png"),
        _drawn(tmp_path / "b.png", "Shot 12", "IMG_0042.mov", "not found"),
    )
    assert tuple(card[0, 0]) == (200, 70, 50)
    assert not _inked(empty).any()
    assert 200 < np.count_nonzero(_inked(card)) < card.shape[0] * card.shape[1] // 4
    assert _rows(_inked(card)) >= 3


def test_what_it_says_is_what_was_asked(tmp_path: Path) -> None:
    one, again, other = (_drawn(tmp_path / "s.png", f"Shot {word}") for word in ("12", "12", "13"))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_the_first_line_is_large(tmp_path: Path) -> None:
    rows = [
        np.flatnonzero(_inked(_drawn(tmp_path / "s.png", *lines)).any(axis=1))
        for lines in (("HHH",), ("", "HHH"))
    ]
    assert np.ptp(rows[0]) > 1.4 * np.ptp(rows[1])


@pytest.mark.parametrize(
    "text", ["/Volumes/" + "archive" * 40 + "/a.mov", "a long tale of many words " * 8]
)
def test_long_lines_are_wrapped_inside_the_margins(tmp_path: Path, text: str) -> None:
    inked = _inked(_drawn(tmp_path / "s.png", "Shot", text))
    assert not inked[:, : 640 // 16 - 2].any() and not inked[:, 640 - 640 // 16 + 2 :].any()
    assert _rows(inked) >= 4
    assert inked[:, 640 * 3 // 4 :].any(), "the lines are filled"


def test_what_does_not_fit_is_left_out_below(tmp_path: Path) -> None:
    inked = _inked(_drawn(tmp_path / "s.png", *["one more line"] * 100))
    assert not inked[-8:].any()
    assert _rows(inked) > 5


@settings(max_examples=40)
@given(
    st.lists(st.text(max_size=60), max_size=5), st.sampled_from([(16, 16), (320, 180), (90, 400)])
)
@example(["tab\tand\nnew\r\nline", "\0\x1b[31m\x07", "'; rm -rf /", "%{pts}:expr\\"], (320, 180))
@example(
    [
        "\N{FILM FRAMES}\N{MAN}\u200d\N{WOMAN}",
        "سلام",
        "映画の題名" * 30,
        "e\u0301" * 90,
        "\u202eabc",
    ],
    (320, 180),
)
@example(["a name that is no UTF-8: \udcff\udce9.mov" + "\udcff" * 80], (320, 180))
def test_any_text_can_be_drawn(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], size: tuple[int, int]
) -> None:
    _drawn(tmp_path_factory.getbasetemp() / "any.png", *lines, size=size)


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("Größe Ä Öl Übung", "Groesse Ae Oel Uebung"),
        ("u\u0308ber", "ueber"),  # as macOS writes it
        ("café – naïve…", "cafe - naive..."),
        ("景.mov", "景.mov"),
        ("a\ud83d", "a\ud83d"),
        ("plain [x] {y}", "plain [x] {y}"),
    ],
)
def test_letters_that_the_font_lacks_are_spelt(text, drawn):
    assert slate.drawable(text) == drawn
