"""The page in a real browser: Chromium, where there is one. Skipped, with a word, where there is none."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.report.view_model import JobView
from tests.core.report.pages import HOSTILE, Reader, hostile, long, page_of

CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    "",
)
pytestmark = pytest.mark.skipif(
    not CHROMIUM, reason="NO BROWSER HERE: the report was not looked at (install chromium)"
)
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--hide-scrollbars",
    "--disable-dev-shm-usage", "--force-device-scale-factor=1",
)  # fmt: skip
Browse = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def browse(tmp_path: Path) -> Browse:
    """Open a report with these switches; the browser's log is in stderr."""

    def opened(told: JobView, *switches: str) -> subprocess.CompletedProcess[bytes]:
        page = tmp_path / "report.html"
        page.write_text(page_of(told, pictures=True), encoding="utf-8")
        words = [
            CHROMIUM,
            *QUIET,
            f"--user-data-dir={tmp_path / 'profile'}",
            "--enable-logging=stderr",
            *switches,
            page.as_uri(),
        ]
        return subprocess.run(words, capture_output=True, check=True, timeout=120)

    return opened


def complaints(ran: subprocess.CompletedProcess[bytes]) -> list[str]:
    """What the page itself gave rise to: blocked styles, refused sources, errors."""
    return [
        line
        for line in ran.stderr.decode(errors="replace").splitlines()
        if "CONSOLE" in line or "Content Security" in line
    ]


@pytest.mark.parametrize("told", [hostile(), long()], ids=["hostile", "long"])
def test_the_browser_reads_the_page_as_it_was_meant(browse: Browse, told: JobView) -> None:
    ran = browse(told, "--dump-dom")
    read = Reader(ran.stdout.decode())
    meant = Reader(page_of(told, pictures=True))
    assert not complaints(ran), "the policy and the page agree"
    assert [tag for tag, _ in read.tags if tag != "tbody"] == [
        tag for tag, _ in meant.tags if tag != "tbody"
    ]
    assert read.text == meant.text


def test_no_script_runs(browse: Browse) -> None:
    dom = browse(hostile(), "--dump-dom").stdout.decode()
    assert (
        "<title>run</title>" not in dom
        and "<script" not in dom.lower()
        and HOSTILE[0].split(">")[1] not in Reader(dom).all("title")
    )


def _colours(ran_to: Path) -> np.ndarray:
    return np.asarray(Image.open(ran_to).convert("RGB")).astype(int)


def test_the_looks_are_applied_and_nothing_stands_out_of_the_window(
    browse: Browse, tmp_path: Path
) -> None:
    for width in (1400, 480):
        shot = tmp_path / f"{width}.png"
        ran = browse(hostile(), f"--screenshot={shot}", f"--window-size={width},1600")
        assert not complaints(ran)
        seen = _colours(shot)
        assert seen.shape[1] == width
        ground = seen[4, 2]
        assert tuple(ground) == (0xF6, 0xF6, 0xF4), (
            "the ground is ours, so the style was not blocked"
        )
        assert (seen[:, -6:] == ground).all(), (
            "long names break into lines instead of running out to the right"
        )


def test_it_is_dark_at_night(browse: Browse, tmp_path: Path) -> None:
    shot = tmp_path / "dark.png"
    browse(
        long(),
        f"--screenshot={shot}",
        "--window-size=1200,900",
        "--blink-settings=preferredColorScheme=0",
    )
    assert tuple(_colours(shot)[4, 2]) == (0x14, 0x15, 0x18)


def test_it_can_be_printed(browse: Browse, tmp_path: Path) -> None:
    paper = tmp_path / "report.pdf"
    browse(long(), f"--print-to-pdf={paper}", "--no-pdf-header-footer")
    data = paper.read_bytes()
    assert (
        data.startswith(b"%PDF")
        and 5 <= data.count(b"/Type /Page\n") + data.count(b"/Type /Page ") <= 60
    )
