"""What commands print with `language: de`: no English word among it, whatever the system speaks; and the same JSON."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from zipfile import ZipFile

import msgspec
import pytest

from bridge.cli.i18n import say, spoken
from bridge.cli.main import main
from bridge.cli.parser import parser
from bridge.daemon import helper_requests
from bridge.protocol.keys import Keys
from core.errors.refusal import Refused
from core.job.events import JobFinished, ShotSlated
from core.messages import catalogue, refusal_text
from core.storage.history import History
from core.storage.journal import Journal
from otio_adapters.read import read_timeline
from tests.core.report.telling import ACCEPTED, RUN, failed, failure, planned, sealed
from tests.core.report.tongues import english_in

KEY = "ab" * 32
NAMES = (
    "A001",
    "B002",
    "Reel",
    "film",
    "studio",
    "H.264 by NVENC",
    "skip",
    "previous",
    "stop",
    "retry",
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with four jobs, one of them unfinished; its settings are in German, the system is not."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOTSPLICE_HOME", str(home))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    speak(home, "de")
    journal = Journal(home / "journal.db")
    lost = failure("network-lost")
    for name, end in (("jb1", "complete"), ("jb2", "incomplete"), ("jb3", "failed"), ("jb4", "")):
        journal.accept(
            name, msgspec.structs.replace(ACCEPTED, output=f"/films/{name}.mov"), b"{}", 1.0
        )
        told = [RUN, planned(), failed(1), sealed(1), sealed(3), ShotSlated(shot=2, failure=lost)]
        ended = (
            [JobFinished(outcome=end, code="scratch-full" if end == "failed" else "")]
            if end
            else []
        )  # type: ignore[arg-type]
        journal.append(name, [*told, *ended], 2.0)
    History(journal).prefer("network-lost", "skip")
    journal.close()
    return home


def speak(home: Path, language: str) -> None:
    (home / "settings.yaml").write_text(f"language: {language}\n", encoding="utf-8")


def german(text: str) -> None:
    """Nothing in it is English."""
    assert text.strip(), "it says something"
    assert english_in(text, names=NAMES) == set(), text


SAYS = (
    "stats", "doctor", "presets", "jobs", "show jb2", "checkpoints jb2", "preferences", "preferences network-lost ask", "cures",
    "clean --dry-run", "door", "pair --list", "pair --show", f"pair studio {KEY}", "answer jb2 2 skip --later",
    "answer jb2 all previous --later", "answer jb3 network-lost stop --always", "companion --at-login status",
    "report jb2", "diagnose jb2", "diagnose jb2 --mask", "cancel jb4", "pause", "unpause",
)  # fmt: skip


@pytest.mark.parametrize("words", SAYS)
def test_what_a_command_says_is_german(
    words: str, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    assert main(words.split()) in (0, 1)
    german(capsys.readouterr().out)


@pytest.mark.parametrize(
    "words", ["stats", "doctor", "presets", "preferences", "cures", "door", "pair --show"]
)
def test_english_would_be_found_out(
    words: str, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    speak(home, "en")
    main(words.split())
    assert len(english_in(capsys.readouterr().out, names=NAMES)) > 2


def test_stats_count_with_a_comma(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats"]) == 0
    said = capsys.readouterr().out
    assert "33,3 % von 3 beendeten ergaben den verlangten Film" in said and "." not in said.replace(
        "docs/", ""
    )


def test_figures_for_programs_are_the_same_in_every_language(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    told = []
    for language in ("de", "en"):
        speak(home, language)
        for words in ("stats --json", "jobs --json", "show jb2 --json", "checkpoints jb2 --json"):
            assert main(words.split()) == 0
        told.append(capsys.readouterr().out)
    assert told[0] == told[1] and all(json.loads(line) for line in told[0].splitlines())


def test_a_bundle_is_german_to_its_reader_and_the_same_to_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diagnose", "jb2", "-o", "b.zip"]) == 0
    with ZipFile(tmp_path / "b.zip") as packed:
        german(packed.read("README.txt").decode())
        german(packed.read("story.txt").decode())
        assert '<html lang="de">' in packed.read("report.html").decode()
        assert all("kind" in json.loads(line) for line in packed.read("journal.jsonl").splitlines())


def test_other_machines_in_german(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    Keys(home).prepare()
    for words in (
        f"pair studio {KEY}",
        f"pair studio {KEY} --with 192.168.1.5:5310",
        "pair --list",
        "pair --remove studio",
    ):
        assert main(words.split()) == 0
        german(capsys.readouterr().out)


NO = (
    "answer jb2 99 skip", "answer jb2 source-missing skip", "answer jb2 2 relink", "answer jb2 2 relink /none",
    "answer jb2 2 retry --always", "preferences none skip", "preferences network-lost retry", "pair", "pair a_b " + KEY,
    "pair client " + KEY, "pair x y", "pair --remove x", f"pair x {KEY} --with niemand",
)  # fmt: skip


@pytest.mark.parametrize("words", NO)
def test_why_something_is_refused_is_german(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words.split()) == 2
    german(capsys.readouterr().out)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "{",
        "[1, NaN]",
        '{"OTIO_SCHEMA": "Clip.2"}',
        '{"OTIO_SCHEMA": "Timeline.9"}',
        "folder",
        "none",
    ],
)
def test_why_a_timeline_is_turned_down_is_german(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.otio"
    if text == "folder":
        path.mkdir()
    elif text != "none":
        path.write_text(text, encoding="utf-8")
    assert main(["assemble", str(path), "-o", "film.mov"]) == 2
    german(capsys.readouterr().out)
    assert main(["assemble", str(path), "-o", "film.mov", "--json"]) == 2
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    german(
        f"{told['title']} {told['message']} {told['action']} {[one['do'] for one in told['actions']]}"
    )
    with pytest.raises(Refused) as caught:
        read_timeline(path)
    said = helper_requests.refusal(caught.value, "r", "de")
    assert (said.code, f"{said.title}.", said.message, said.action) == (
        told["code"],
        told["title"],
        told["message"],
        told["action"],
    )


def test_every_word_of_the_grammar_has_another_in_german() -> None:
    top = parser()
    (verbs,) = (action for action in top._actions if isinstance(action, argparse._SubParsersAction))
    grammars = [top, *verbs.choices.values()]
    said = {action.help for grammar in grammars for action in grammar._actions if action.help}
    said |= {grammar.description for grammar in grammars if grammar.description} | {
        "is not a number from 1 to 256"
    }
    with spoken("de"):
        assert sorted(text for text in said if say(text) == text) == []
    assert say("print the version") == "print the version", "nothing is spoken outside"


@pytest.mark.parametrize(
    "verb",
    ["", *next(a.choices for a in parser()._actions if isinstance(a, argparse._SubParsersAction))],
)
def test_help_is_german(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*filter(None, [verb]), "--help"])
    said = capsys.readouterr().out
    assert said.startswith("Aufruf: ") and "Rückgabewerte:" in said
    german(re.sub(r"--[a-z-]+|\{[a-z,]+\}|^ +[a-z]+(?=  )|^ +[a-z]+$|(retry|relink|skip|previous|stop|ask|all|resume|unpause)\b|[A-Z|]+\|\w+",
                  " ", said.partition("\n\n")[2], flags=re.MULTILINE))  # fmt: skip


def test_no_words_at_all_are_answered_with_german_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert capsys.readouterr().out.startswith("Aufruf: hotsplice")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("assemble", "Es fehlt: TIMELINE, -o/--output."), ("jobs x y", "Nicht bekannt: x y."), ("resume --s", "--search: hier fehlt eine Angabe."),
        ("resume -j 0", "-j/--jobs: '0' ist keine Zahl von 1 bis 256."), ("stats --json=3", "--json: '3' gehört nicht dazu."),
        ("answer j 2 burn", "'burn' gibt es nicht (möglich: "), ("nonsense", "'nonsense' gibt es nicht (möglich: "),
        ("assemble t -o f --wait soon", "'soon' ist keine Zahl von Sekunden von 0 bis 86400."),
        ("watch --a 3", "ist mehrdeutig: "), ("prioritise j 999", "'999' ist keine Zahl von -100 bis 100."), ("watch --after x", "'x' ist nicht die Nummer"),
    ],
)  # fmt: skip
def test_a_command_that_is_not_understood_is_told_why_in_german(
    words: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words.split()) == 2
    said = capsys.readouterr().err
    assert why in said, said


def test_a_wrong_ffmpeg_in_german(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    (home / "settings.yaml").write_text("language: de\nffmpeg: /none/ffmpeg\n", encoding="utf-8")
    assert main(["doctor"]) == 1
    german(capsys.readouterr().out)


def test_a_reason_of_a_system_is_said_as_it_is() -> None:
    error = Refused("keys-unusable", path="/k", detail="Permission denied")
    assert "Permission denied" in refusal_text.refusal(error, "de").message
    assert (
        refusal_text.refusal(error).message
        == catalogue.words("keys-unusable", path="/k", detail="Permission denied").message
    )
