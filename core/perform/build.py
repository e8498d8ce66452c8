"""Which ffmpeg: the one that comes with the installation, or the user's own."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import NamedTuple

from core.model.refusal import Refused
from core.perform import process


class Build(NamedTuple):
    """An ffmpeg: its absolute path, its version word, and an identity under which its output is known again."""

    path: str
    version: str
    identity: str


def find(chosen: str | None) -> Build:
    """The chosen ffmpeg (path or command name), else the bundled one. Refused(ffmpeg-missing) when it does not run."""
    if chosen:
        path = shutil.which(os.path.expanduser(chosen))
    else:
        import imageio_ffmpeg

        try:
            path = imageio_ffmpeg.get_ffmpeg_exe()
        except RuntimeError:
            path = None
    if path is None:
        raise Refused("ffmpeg-missing", path=chosen or "ffmpeg", why="ffmpeg-not-found" if chosen else "ffmpeg-not-bundled")
    path = os.path.abspath(path)
    try:
        said = process.output_of([path, "-version"])
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused("ffmpeg-missing", path=path, detail=str(error)) from error
    first = said.splitlines()[0] if said else ""
    words = first.split()
    if len(words) < 3 or words[0] != "ffmpeg":
        raise Refused("ffmpeg-missing", path=path, why="ffmpeg-strange")
    return Build(path, words[2], f"{first} {os.path.getsize(path)}")


def encoders(build: Build) -> set[str]:
    """Names of the encoders this build has."""
    lines = process.output_of([build.path, "-hide_banner", "-encoders"]).splitlines()
    return {line.split()[1] for line in lines if len(line.split()) > 1 and line[:1] == " "} - {"="}  # of the legend above them
