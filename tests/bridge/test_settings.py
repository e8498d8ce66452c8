"""The user's settings: a default for everything, and every mistake in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge import settings
from bridge.settings import Settings
from core.model.refusal import Refused


def refused(folder: Path) -> str:
    with pytest.raises(Refused) as error:
        settings.load(folder)
    assert error.value.code == "settings-invalid"
    assert error.value.fields["path"] == str(folder / "settings.yaml")
    return str(error.value.fields["detail"])


@pytest.mark.parametrize("text", [None, "", "# nothing\n", "{}"])
def test_everything_has_a_default(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "settings.yaml").write_text(text)
    assert settings.load(tmp_path).media_folders == ()
    assert settings.load(tmp_path) == Settings(ffmpeg=None, scratch=None, jobs=None)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text("ffmpeg: /opt/ffmpeg\nscratch: /fast/ä\njobs: 3\n", encoding="utf-8")
    assert settings.load(tmp_path) == Settings(ffmpeg="/opt/ffmpeg", scratch="/fast/ä", jobs=3)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("job: 3", "`job`"),
        ("jobs: many", "$.jobs"),
        ("language: fr", "$.language"),
        ("language: no", "$.language"),
        ("jobs: true", "$.jobs"),
        ("jobs: 0", "from 1 to 256"),
        ("jobs: -1", "from 1 to 256"),
        ("ffmpeg: 3", "$.ffmpeg"),
        ("films: here", "films must be a whole path"),
        ("films_preset: 3", "$.films_preset"),
        ("scratch: [a]", "$.scratch"),
        ("media_folders: /one", "$.media_folders"),
        ("media_folders: [3]", "$.media_folders[0]"),
        ("media_folders: [Rushes]", "whole paths"),
        ("media_folders: ['']", "whole paths"),
        ("door: inbox", "door must be a whole path"),
        ("door: 3", "$.door"),
        ("listen: 192.168.1.5", "listen must be"),
        ("listen: 192.168.1.5:80", "listen must be"),
        ("listen: studio.local:5310", "listen must be"),
        ("listen: '*:5310'", "listen must be"),
        ("listen: 192.168.1.5:5310/x", "listen must be"),
        ("listen: 5310", "$.listen"),
        ("- jobs", "object"),
        ("jobs: [", "line 1"),
        ("jobs: 2020-99-99", "month"),
        ("jobs: \x00", "special characters"),
        ("a: " + "[" * 1500, "deep"),
    ],
)
def test_each_mistake_is_named(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "settings.yaml").write_text(text)
    detail = refused(tmp_path)
    assert named in detail and "\n" not in detail


def test_media_folders_are_whole_paths_wherever_home_is(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text("media_folders:\n  - /Volumes/A\n  - ~/Rushes\n")
    assert settings.load(tmp_path).media_folders == ("/Volumes/A", "~/Rushes")


def test_what_is_no_text_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_bytes(b"jobs: \xff")
    assert "UTF-8" in refused(tmp_path)


def test_a_folder_in_its_place_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").mkdir()
    assert "directory" in refused(tmp_path)


def test_the_template_changes_nothing_until_a_line_is_uncovered(tmp_path: Path) -> None:
    settings.write_template(tmp_path)
    path = tmp_path / "settings.yaml"
    assert settings.load(tmp_path) == Settings()
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line.removeprefix("# ") for line in lines if ": " in line and line.startswith("# ")))
    assert settings.load(tmp_path) == Settings(
        ffmpeg="/usr/bin/ffmpeg", scratch="/Volumes/Fast/hotsplice", jobs=2, decode_with="cuda", wait=60, language="de",
        media_folders=("/Volumes/Archive", "~/Rushes"), films="~/Movies/Hotsplice", films_preset="prores-hq", door="/Volumes/Jobs/inbox", listen="192.168.1.5:5310",
    )  # fmt: skip


ENVIRONMENTS = (
    ({}, "en"),
    ({"LANG": "de_DE.UTF-8"}, "de"),
    ({"LANG": "de"}, "de"),
    ({"LANG": "de_AT@euro"}, "de"),
    ({"LANG": "C"}, "en"),
    ({"LANG": "C.UTF-8"}, "en"),
    ({"LANG": "fr_FR.UTF-8"}, "en"),
    ({"LANG": "den_CA"}, "en"),  # a language of its own that begins alike
    ({"LANG": "fr_FR.UTF-8", "LC_MESSAGES": "de_CH.UTF-8"}, "de"),
    ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, "en"),
    ({"LANG": "de_DE.UTF-8", "LC_ALL": "", "LC_MESSAGES": ""}, "de"),  # set to nothing is not set
    ({"LANG": "en_GB.UTF-8", "LC_MESSAGES": "en_GB.UTF-8", "LC_ALL": "de_DE.UTF-8"}, "de"),
)


@pytest.mark.parametrize(("environment", "spoken"), ENVIRONMENTS, ids=[str(given) for given, _ in ENVIRONMENTS])
def test_the_language_is_that_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], spoken: str
) -> None:
    for name in ("LANG", "LC_MESSAGES", "LC_ALL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert settings.load(tmp_path).language == spoken
    (tmp_path / "settings.yaml").write_text("language: en")
    assert settings.load(tmp_path).language == "en", "what is written goes before what the system says"


def test_a_language_is_spoken_even_where_the_settings_are_the_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTSPLICE_HOME", str(tmp_path))
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    (tmp_path / "settings.yaml").write_text("job: 3")
    assert settings.language() == "de"
    (tmp_path / "settings.yaml").write_text("language: en")
    assert settings.language() == "en"


def test_the_template_never_replaces_what_someone_wrote(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text("jobs: 3")
    settings.write_template(tmp_path)
    assert settings.load(tmp_path).jobs == 3


def test_a_folder_that_takes_no_template_is_no_reason_to_stop(tmp_path: Path) -> None:
    settings.write_template(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_the_data_folder_is_the_one_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOTSPLICE_HOME", "here")
    assert settings.home() == tmp_path / "here"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HOTSPLICE_HOME", "~/there")
    assert settings.home() == tmp_path / "there"


def test_without_a_choice_it_is_the_platforms_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTSPLICE_HOME", "")
    assert settings.home().is_absolute() and settings.home().name == "Hotsplice"
