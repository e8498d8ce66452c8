"""The user's settings: a default for everything, and every mistake in words."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.settings import options, settings
from bridge.settings import text as settings_text
from bridge.settings.options import OPTIONS
from bridge.settings.settings import Settings
from core.errors.refusal import Refused
from core.messages.phrases import phrase


def refused(folder: Path) -> str:
    with pytest.raises(Refused) as error:
        settings.load(folder)
    assert error.value.code == "settings-invalid"
    assert error.value.fields["path"] == str(folder / "settings.yaml")
    return str(error.value.fields["detail"])


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")


@pytest.mark.parametrize("text", [None, "", "# nothing\n", "{}"])
def test_everything_has_a_default(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "settings.yaml").write_text(text)
    assert settings.load(tmp_path).media_folders == ()
    assert settings.load(tmp_path) == Settings(ffmpeg=None, scratch=None, jobs=None)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text(
        "ffmpeg: /opt/ffmpeg\nscratch: /fast/ä\njobs: 3\n", encoding="utf-8"
    )
    assert settings.load(tmp_path) == Settings(ffmpeg="/opt/ffmpeg", scratch="/fast/ä", jobs=3)


MISTAKES = [
    ("job: 3", 1, 1, "perhaps “jobs” is meant"),
    ("wait: 3\nJobs_At_Once: 3", 2, 1, "perhaps “jobs_at_once” is meant"),
    ("colour: red", 1, 1, "there are ffmpeg, scratch, scratch_budget, jobs"),
    ("? [a]\n: 3", 1, 3, "no setting “[…]”"),
    ("<<: {jobs: 2}", 1, 1, "no setting “<<”"),
    ("jobs: many", 1, 7, "a whole number from 1 to 256, not “many”"),
    ("# mine\n\njobs:   true", 3, 9, "not “true”"),
    ("jobs: 0", 1, 7, "from 1 to 256"),
    ("jobs: -1", 1, 7, "from 1 to 256"),
    ("jobs: 2.5", 1, 7, "whole number"),
    ("jobs: 2\njobs: 3", 2, 1, "a second time, first in line 1"),
    ("jobs_at_once: 17", 1, 15, "from 1 to 16"),
    ("low_priority: 3", 1, 15, "true or false"),
    ("scratch_budget: 200", 1, 17, "a size such as 200 GB"),
    ("scratch_budget: on", 1, 17, "a size such as 200 GB"),
    ("scratch_budget: 0%", 1, 17, "a share of the disk"),
    ("language: fr", 1, 11, "en or de, not “fr”"),
    ("language: no", 1, 11, "en or de, not “no”"),
    ("decode_with: warp", 1, 14, "one of cuda, vaapi"),
    ("wait: 90000", 1, 7, "from 0 to 86400"),
    ("wait: .nan", 1, 7, "from 0 to 86400"),
    ("ffmpeg: 3", 1, 9, "the path or the name of a program"),
    ("ffmpeg: ' '", 1, 9, "the path or the name of a program"),
    ("scratch: [a]", 1, 10, "a whole path"),
    ("scratch: films", 1, 10, "a whole path, from the root on, not “films”"),
    ("media_folders: /one", 1, 16, "a list of whole paths"),
    ("media_folders:\n  - /a\n  - 3", 3, 5, "a list of whole paths"),
    ("media_folders: [/a, Rushes]", 1, 21, "not “Rushes”"),
    ("media_folders: ['']", 1, 17, "not “”"),
    ("films: here", 1, 8, "a whole path"),
    ("films_preset: 3", 1, 15, "the name of a preset"),
    ("door: inbox", 1, 7, "a whole path, from the root on, or false"),
    ("door: 3", 1, 7, "or false"),
    ("listen: 192.168.1.5", 1, 9, "numeric address"),
    ("listen: 192.168.1.5:80", 1, 9, "from 1024 to 65535"),
    ("listen: studio.local:5310", 1, 9, "numeric address"),
    ("listen: '*:5310'", 1, 9, "numeric address"),
    ("listen: 192.168.1.5:5310/x", 1, 9, "numeric address"),
    ("listen: 5310", 1, 9, "numeric address"),
    ("- jobs", 1, 1, "lines like “jobs: 2”"),
    ("jobs", 1, 1, "lines like “jobs: 2”, not “jobs”"),
    ("jobs: [", 1, 8, "not YAML"),
    ("jobs: 2\n---\njobs: 3", 2, 1, "not YAML"),
    ("jobs: &a [*a]", 1, 7, "whole number"),
    ("jobs: 2020-99-99", 1, 7, "not “2020-99-99”"),
    ("wait: 3\njobs: \x00", 2, 7, "U+0000"),
    ("jobs: !!python/object:os.system 3", 1, 7, "whole number"),
    ("a: " + "[" * 1500, 1, 1, "deep"),
    ("jobs: " + "9" * 200, 1, 7, "…”"),
]


@pytest.mark.parametrize(
    ("text", "line", "column", "named"), MISTAKES, ids=[text[:30] for text, *_ in MISTAKES]
)
def test_each_mistake_is_named_with_its_place_and_what_would_be_right(
    tmp_path: Path, text: str, line: int, column: int, named: str
) -> None:
    (tmp_path / "settings.yaml").write_text(text)
    detail = refused(tmp_path)
    assert (
        detail.startswith(f"line {line}, column {column}: ")
        and named in detail
        and "\n" not in detail
        and len(detail) < 400
    )


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text("job: 3\nwait: 5\nlanguage: fr\n")
    assert refused(tmp_path).count("line") == 2


def test_mistakes_are_named_in_the_language_that_the_file_asks_for(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text("job: 3\nlanguage: de\n")
    assert "Zeile 1, Spalte 1" in refused(tmp_path) and "vielleicht ist „jobs“ gemeint" in refused(
        tmp_path
    )


def test_a_key_without_a_value_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text("".join(f"{name}:\n" for name in OPTIONS))
    assert settings.load(tmp_path) == Settings()


def test_a_file_that_cannot_be_settings_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_bytes(b"#" * (settings.LARGEST + 1))
    assert "longer" in refused(tmp_path)


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
    path.write_text(
        "\n".join(
            line.removeprefix("# ") for line in lines if ": " in line and line.startswith("# ")
        )
    )
    assert settings.load(tmp_path) == Settings(
        ffmpeg="/usr/bin/ffmpeg", scratch="/Volumes/Fast/hotsplice", scratch_budget="200 GB", jobs=2, jobs_at_once=2, low_priority=True, decode_with="cuda",
        wait=60, language="de", media_folders=("/Volumes/Archive", "~/Rushes"), films="~/Movies/Hotsplice",
        films_preset="prores-hq", door="/Volumes/Jobs/inbox", listen="192.168.1.5:5310",
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


@pytest.mark.parametrize(
    ("environment", "spoken"), ENVIRONMENTS, ids=[str(given) for given, _ in ENVIRONMENTS]
)
def test_the_language_is_that_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], spoken: str
) -> None:
    for name in ("LANG", "LC_MESSAGES", "LC_ALL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert settings.load(tmp_path).language == spoken
    (tmp_path / "settings.yaml").write_text("language: en")
    assert settings.load(tmp_path).language == "en", (
        "what is written goes before what the system says"
    )


def test_a_language_is_spoken_even_where_the_settings_are_the_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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


# What can be set ------------------------------------------------------------------------------------------------------


def test_struct_template_manual_and_words_are_about_the_same_keys() -> None:
    assert list(OPTIONS) == list(Settings.__struct_fields__)
    written = re.findall(r"^# ([a-z_]+): (.+?)  +#", options.template(), re.MULTILINE)
    assert written == [(name, option.example) for name, option in OPTIONS.items()]
    manual = (Path(__file__).parents[3] / "docs" / "settings.md").read_text(encoding="utf-8")
    assert manual == options.page(), "python -m bridge.settings.options > docs/settings.md"


def test_what_is_said_to_be_right_is_right() -> None:
    for name, (least, most) in {
        "jobs": (1, options.MOST_JOBS),
        "jobs_at_once": (1, options.MOST_AT_ONCE),
        "wait": (0, options.MOST_WAIT_S),
    }.items():
        assert phrase(f"right-{name}").endswith(f"from {least} to {most}")
        assert [OPTIONS[name].fits(value) for value in (least - 1, least, most, most + 1)] == [
            False,
            True,
            True,
            False,
        ]
    assert phrase("right-decode_with") == f"one of {', '.join(options.DEVICES)}"


# Changing -------------------------------------------------------------------------------------------------------------

CHANGES = [
    ("jobs: 2   # mine\r\nwait: 3\r\n", "jobs", 4, "jobs: 4   # mine\r\nwait: 3\r\n"),
    ("jobs:   # why\nwait: 3", "jobs", 4, "jobs: 4   # why\nwait: 3"),
    ("'jobs' : \"2\"\n", "jobs", 4, None),  # it has a mistake: a text
    ("wait: 3", "jobs", 4, "wait: 3\njobs: 4\n"),
    ("wait: 3\r\n", "jobs", 4, "wait: 3\r\njobs: 4\r\n"),
    ("\ufeffwait: 3\n", "jobs", 4, "\ufeffwait: 3\njobs: 4\n"),
    ("{jobs: 2, wait: 3}  # so\n", "jobs", 4, "{jobs: 4, wait: 3}  # so\n"),
    ("{jobs: 2}", "language", "de", "{language: de, jobs: 2}"),
    ("{}", "language", "de", "{language: de}"),
    ("", "low_priority", True, "low_priority: true\n"),
    ("jobs: 2 # a\nwait: 3", "jobs", None, "# jobs: 2 # a\nwait: 3"),
    ("wait: 3", "jobs", None, "wait: 3"),
    ("scratch: /a # b\n", "scratch", "/ä # c: d", "scratch: '/ä # c: d' # b\n"),
    ("scratch: |-\n  /a\njobs: 2\n", "scratch", "/b", "scratch: /b\njobs: 2\n"),
    (
        "media_folders:  # mine\n  - /a # one\n  # two\n  - '/b # no'\n\n# next\njobs: 2\n", "media_folders", ("/c, d", "/e"),
        "media_folders: ['/c, d', /e]\n# mine\n# one\n# two\n\n# next\njobs: 2\n",
    ),
    (
        "media_folders:\n  - /a # one\n# two\n  - /b\n\njobs: 2\n", "media_folders", None,
        "# media_folders:\n#   - /a # one\n# two\n#   - /b\n\njobs: 2\n",
    ),
    ("media_folders: [\n  /a,  # one\n  /b]  # all\n", "media_folders", ("/c",), "media_folders: [/c]  # all\n# one\n"),
    ("door: false\n", "door", True, "door: true\n"),
    ("door: false\n", "door", "/in", "door: /in\n"),
    ("", "listen", "10.0.0.1:5310", "listen: '10.0.0.1:5310'\n"),
    ("jobs: 2\n", "jobs", 0, None),
    ("jobs: 2\n", "job", 3, None),
    ("job: 2\n", "wait", 3, None),
    ("---\njobs: 2\n...\n", "wait", 3, None),
    ("{jobs: 2, wait: 3}", "jobs", None, None),
    ("jobs: &n 2\njobs_at_once: *n\n", "jobs", 3, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "name", "value", "after"),
    CHANGES,
    ids=[f"{text[:24]!r} {name}" for text, name, *_ in CHANGES],
)
def test_one_key_is_changed_and_nothing_else(
    tmp_path: Path, text: str, name: str, value: object, after: str | None
) -> None:
    path = tmp_path / "settings.yaml"
    path.write_bytes(text.encode())
    path.chmod(0o640)
    if after is None:
        with pytest.raises(Refused):
            settings.change(tmp_path, **{name: value})
        assert path.read_bytes() == text.encode()
        return
    before = settings.load(tmp_path)
    made = settings.change(tmp_path, **{name: value})
    assert path.read_bytes().decode() == after and path.stat().st_mode & 0o777 == 0o640
    assert (
        settings.load(tmp_path)
        == made
        == msgspec.structs.replace(
            before, **{name: getattr(Settings(), name) if value is None else value}
        )
    )
    assert [found.name for found in tmp_path.iterdir()] == ["settings.yaml"]


def test_in_the_template_a_value_is_put_below_its_own_line(tmp_path: Path) -> None:
    made = settings.change(tmp_path, decode_with="cuda", wait=5.5)
    assert made == Settings(decode_with="cuda", wait=5.5)
    lines = (tmp_path / "settings.yaml").read_text().splitlines()
    template = options.template().splitlines()
    assert [line for line in lines if line not in ("decode_with: cuda", "wait: 5.5")] == template
    assert lines[lines.index("decode_with: cuda") + 1].startswith("# wait:") and lines[
        lines.index("wait: 5.5") + 1
    ].startswith("# kept_films:")


def test_a_file_that_is_kept_elsewhere_is_changed_there(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "kept.yaml").write_text("jobs: 2\n")
    (tmp_path / "home" / "settings.yaml").symlink_to(tmp_path / "kept.yaml")
    settings.change(tmp_path / "home", jobs=3)
    assert (tmp_path / "kept.yaml").read_text() == "jobs: 3\n" and (
        tmp_path / "home" / "settings.yaml"
    ).is_symlink()


VALUES = {
    "ffmpeg": st.text(
        st.characters(
            exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\ufeff\ufffe\uffff"
        ),
        min_size=1,
    ).filter(lambda text: text.strip() != ""),
    "jobs": st.integers(1, options.MOST_JOBS),
    "low_priority": st.booleans(),
    "scratch_budget": st.sampled_from(["off", "20%", "1.5 TiB", False]),
    "wait": st.floats(0, options.MOST_WAIT_S),
    "language": st.sampled_from(["en", "de"]),
    "media_folders": st.lists(
        st.text("ab#:,[]{}'\"!&*%@` -é", max_size=8).map(lambda text: "/" + text), max_size=3
    ).map(tuple),
}


@given(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=8), st.data())
def test_after_any_changes_all_is_as_was_said_and_every_comment_is_there(
    names: list[str], data: st.DataObject
) -> None:
    text, wanted = options.template(), {}
    for name in names:
        value = data.draw(st.none() | VALUES[name])
        text = settings_text.changed(text, name, list(value) if isinstance(value, tuple) else value)
        wanted[name] = value
        if value is None:
            del wanted[name]
    assert settings_text.read(text, settings._TYPES) == (wanted, [])
    kept = iter(text.splitlines())
    assert all(line in kept for line in options.template().splitlines()), "in their order"


# While it changes -----------------------------------------------------------------------------------------------------


def test_a_change_is_seen_once_it_is_still_and_said_once(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    watched = settings.Watched(tmp_path, settings.load(tmp_path))
    assert [watched.look() for _ in range(3)] == [None] * 3
    path.write_text("jobs: 3")
    assert watched.look() is None, "somebody may still be writing it"
    assert [watched.look(), watched.look()] == [Settings(jobs=3), None]
    path.write_text("jobs: 3\njob: 4")
    assert watched.look() is None
    wrong = watched.look()
    assert (
        isinstance(wrong, Refused)
        and "line 2" in str(wrong.fields["detail"])
        and watched.settings == Settings(jobs=3)
    )
    assert [watched.look() for _ in range(3)] == [None] * 3, "said once"
    path.write_text("# as before\njobs: 3")
    assert [watched.look(), watched.look()] == [None, Settings(jobs=3)], "the mistake is mended"
    path.write_text("# once more\njobs: 3")
    assert [watched.look(), watched.look()] == [None, None]
    path.unlink()
    assert [watched.look(), watched.look(), watched.look()] == [None, Settings(), None]
