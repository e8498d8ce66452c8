"""A desktop of its own: an X server without a screen, and a tray on it. Real programs; skipped where they are not installed."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image, ImageGrab

NEEDED = ("Xvfb", "trayer", "xdotool")
WIDE, HIGH, PANEL = 1280, 860, 32


@dataclass
class Desktop:
    """`display` is its name; `environment` has programs show themselves there."""

    display: str
    log: Path
    environment: dict[str, str] = field(default_factory=dict)

    def look(self) -> Image.Image:
        """What is to be seen."""
        return ImageGrab.grab(xdisplay=self.display).convert("RGB")

    def panel(self) -> Image.Image:
        """The corner where the tray stands."""
        return self.look().crop((WIDE - 2 * PANEL, HIGH - PANEL, WIDE, HIGH))

    def shows(self, colour: str) -> bool:
        """Whether the tray shows an icon in this colour."""
        red, green, blue = (int(colour[n : n + 2], 16) for n in (1, 3, 5))
        near = [
            pixel for pixel in self.panel().get_flattened_data()
            if max(abs(pixel[0] - red), abs(pixel[1] - green), abs(pixel[2] - blue)) < 12
        ]  # fmt: skip
        return len(near) >= 12

    def windows(self, name: str) -> list[str]:
        """Visible windows of more than a few pixels."""
        found = self._tell("search", "--onlyvisible", "--name", name).split()
        return [one for one in found if "Geometry: 1x1" not in self._tell("getwindowgeometry", one)]

    def click_tray(self) -> None:
        """Press the icon."""
        self._tell("mousemove", str(WIDE - PANEL // 2), str(HIGH - PANEL // 2), "click", "1")

    def until(self, true: Callable[[], object], most_s: float = 40) -> None:
        """Wait for it."""
        end = time.monotonic() + most_s
        while not true():
            assert time.monotonic() < end, self.log.read_text(encoding="utf-8", errors="replace")
            time.sleep(0.1)

    def _tell(self, *words: str) -> str:
        done = subprocess.run(
            ["xdotool", *words], env=self.environment, capture_output=True, text=True, check=False
        )
        return done.stdout


@contextlib.contextmanager
def desktop(folder: Path, *, tray: bool = True) -> Iterator[Desktop]:
    """One with a tray, or without."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        pytest.skip(
            f"a desktop of its own needs {', '.join(missing)}: apt install xvfb trayer xdotool"
        )
    log = folder / "desktop.txt"
    running: list[subprocess.Popen[bytes]] = []
    with log.open("ab") as said:
        reader, writer = os.pipe()
        argv = [
            "Xvfb",
            "-displayfd",
            str(writer),
            "-screen",
            "0",
            f"{WIDE}x{HIGH}x24",
            "-nolisten",
            "tcp",
        ]
        running.append(subprocess.Popen(argv, pass_fds=(writer,), stdout=said, stderr=said))
        os.close(writer)
        with os.fdopen(reader) as told:
            display = f":{told.readline().strip()}"
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY")
        }
        environment = {**kept, "DISPLAY": display, "DBUS_SESSION_BUS_ADDRESS": "disabled:"}
        made = Desktop(display, log, environment)
        if tray:
            argv = [
                "trayer",
                "--edge",
                "bottom",
                "--align",
                "right",
                "--widthtype",
                "request",
                "--height",
                str(PANEL),
            ]
            running.append(
                subprocess.Popen(
                    [*argv, "--margin", "0"], env=environment, stdout=said, stderr=said
                )
            )
        try:
            yield made
        finally:
            for child in reversed(running):
                child.terminate()
                child.wait(10)
