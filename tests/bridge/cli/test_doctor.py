"""`doctor` and `presets`: what this machine can do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bridge.cli.main import main


def test_the_doctor_finds_this_machine_well(
    capsys: pytest.CaptureFixture[str], home: Path, tmp_path: Path
) -> None:
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    marks = re.findall(r"^(ok|note|bad) ", said, re.MULTILINE)
    assert "bad" not in marks and marks.count("ok") >= 10
    for what in (
        "ffmpeg",
        "prores-hq",
        "data folder",
        "scratch folder",
        "timelines",
        "media library",
        "journal",
    ):
        assert re.search(rf"^(ok|note)\s+{what}\s", said, re.MULTILINE), what
    assert re.search(r"^ok    ffmpeg +\S+, bundled: /\S+$", said, re.MULTILINE), (
        "the whole path of what is started"
    )
    assert said.endswith("This machine can assemble films.\n")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["home", "scratch"], (
        "nothing is left of what was tried"
    )


@pytest.mark.parametrize("ffmpeg", ["/none/ffmpeg", "/bin/true", "/"])
def test_the_doctor_finds_a_wrong_ffmpeg(
    capsys: pytest.CaptureFixture[str], home: Path, ffmpeg: str
) -> None:
    home.mkdir()
    (home / "settings.yaml").write_text(f"ffmpeg: {ffmpeg}\n")
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert re.search(r"^bad   ffmpeg .* cannot be used as ffmpeg", said, re.MULTILINE)
    assert (
        "Name an ffmpeg that runs in the settings" in said
        and "1 of these must be mended first." in said
    )
    assert re.search(r"^ok    journal ", said, re.MULTILINE), (
        "the other findings are told all the same"
    )


def test_the_doctor_finds_a_folder_that_cannot_be_used(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    home.write_text("a file")
    assert main(["doctor"]) == 1
    assert re.search(r"^bad   data folder ", capsys.readouterr().out, re.MULTILINE)


def test_presets_are_listed_with_the_users_own(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    (home / "presets").mkdir(parents=True)
    (home / "presets" / "mine.yaml").write_text(
        "name: '[/]mine'\ntitle: 'Mine [bold]:cat:'\ncontainer: mov\nextension: .mov\n"
        "video: {encoder: prores_ks, pixel_format: yuv422p10le}\naudio: {}\n"
    )
    assert main(["presets"]) == 0
    said = capsys.readouterr().out
    for name in ("prores-hq", "dnxhr-hq", "h264", "ffv1", "mjpeg"):
        assert re.search(rf"^{name}\s+\.m", said, re.MULTILINE), name
    assert re.search(r"^\[/\]mine +\.mov +Mine \[bold\]:cat:", said, re.MULTILINE)
    assert str(home / "presets") in said
    assert main(["doctor"]) == 0
    assert "  [/]mine" in capsys.readouterr().out


def test_a_preset_that_is_not_understood_is_named(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    (home / "presets").mkdir(parents=True)
    (home / "presets" / "mine.yaml").write_bytes(b"\xff")
    assert main(["presets"]) == 2
    assert "mine.yaml" in capsys.readouterr().out
