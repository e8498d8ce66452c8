"""Which ffmpeg."""

from __future__ import annotations

import os
from pathlib import Path

import imageio_ffmpeg
import pytest

from core.model.refusal import Refused
from core.perform import build


def _program(path: Path, words: str) -> Path:
    path.write_text(f"#!/bin/sh\n{words}\n")
    path.chmod(0o755)
    return path


def test_the_bundled_one() -> None:
    found = build.find(None)
    assert found.path == os.path.abspath(imageio_ffmpeg.get_ffmpeg_exe())
    assert found.version and found.identity.startswith(f"ffmpeg version {found.version} ")


def test_the_chosen_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = _program(tmp_path / "my-ffmpeg", "echo ffmpeg version 5.1.2-own Copyright; echo built with care")
    for chosen in (str(own), "my-ffmpeg", "./my-ffmpeg", "~/my-ffmpeg"):
        with monkeypatch.context() as here:
            here.setenv("PATH", str(tmp_path), prepend=os.pathsep)
            here.setenv("HOME", str(tmp_path))
            here.chdir(tmp_path)
            found = build.find(chosen)
        assert (found.path, found.version) == (str(own), "5.1.2-own")


def test_another_build_of_the_same_version_is_another(tmp_path: Path) -> None:
    words = "echo ffmpeg version 5 Copyright"
    one, same = (build.find(str(_program(tmp_path / name, words))) for name in ("one", "same"))
    other = build.find(str(_program(tmp_path / "other", words + " # built again")))
    assert one.identity == same.identity != other.identity


@pytest.mark.parametrize(
    ("words", "detail"),
    [("echo avconv version 9", "ffmpeg-strange"), ("true", "ffmpeg-strange"), ("echo ffmpeg", "ffmpeg-strange")],
)
def test_what_is_no_ffmpeg_is_refused(tmp_path: Path, words: str, detail: str) -> None:
    with pytest.raises(Refused) as refused:
        build.find(str(_program(tmp_path / "ffmpeg", words)))
    assert refused.value.code == "ffmpeg-missing" and detail in str(vars(refused.value))


def test_what_is_not_there_or_does_not_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("no program")
    (tmp_path / "broken").write_bytes(b"\x7fELF nothing behind it")
    (tmp_path / "broken").chmod(0o755)
    for name in ("none", "plain", "broken", "."):
        with pytest.raises(Refused) as refused:
            build.find(str(tmp_path / name))
        assert refused.value.code == "ffmpeg-missing"


def test_a_bundle_without_ffmpeg_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise RuntimeError("No ffmpeg exe could be found")

    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", none)
    with pytest.raises(Refused) as refused:
        build.find(None)
    assert refused.value.code == "ffmpeg-missing"


def test_encoders_by_name() -> None:
    names = build.encoders(build.find(None))
    assert {"prores_ks", "dnxhd", "libx264", "ffv1", "mjpeg", "aac", "pcm_s24le"} <= names
    assert not {"=", "Encoders:", "------", "Video", "V....."} & names, "nothing of the legend"
