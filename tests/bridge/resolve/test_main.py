"""The hand's own boundary: whatever happens inside, the Console is told in words, and the pipe holds nothing but lines."""

from __future__ import annotations

import io
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from bridge.resolve import main as hand
from bridge.resolve.pipe import Editor, Failed, Gone, Missing, constant
from core.errors.refusal import Part, Refused
from otio_adapters.refuse import TimelineRefused


class Script:
    """The other end of the pipe: answers calls as a test wishes, keeps what is said."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers, self.lines = list(answers), []
        heard, self._write = os.pipe()
        self._read, said = os.pipe()
        self.stdin, self.stdout = os.fdopen(heard, "rb"), os.fdopen(said, "wb")
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with os.fdopen(self._read, "rb") as orders, os.fdopen(self._write, "wb") as answers:
            for line in orders:
                self.lines.append(json.loads(line))
                if "call" in self.lines[-1]:
                    if not self.answers:
                        return
                    answers.write(json.dumps(self.answers.pop(0)).encode() + b"\n")
                    answers.flush()
                if self.lines[-1].get("end"):
                    return

    def main(self, monkeypatch: pytest.MonkeyPatch, home: Path) -> list[dict[str, Any]]:
        """Run the hand with this script; every line it wrote."""
        monkeypatch.setenv("HOTSPLICE_HOME", str(home))
        self.kept = (
            io.TextIOWrapper(self.stdin),
            io.TextIOWrapper(self.stdout),
        )  # as sys.__stdin__ does
        monkeypatch.setattr(sys, "stdin", self.kept[0])
        monkeypatch.setattr(sys, "stdout", self.kept[1])
        assert hand.main() == 0
        self.stdout.close()
        self._thread.join(10)
        return self.lines


def test_a_failure_that_nobody_foresaw_is_said_and_kept(monkeypatch, tmp_path):
    def broken(*_: object) -> None:
        print("a stray word")
        raise ValueError("what nobody foresaw")

    monkeypatch.setattr(hand, "run", broken)
    first, second, end = Script().main(monkeypatch, tmp_path)
    assert (
        first["say"].startswith("Unforeseen failure.") and "what nobody foresaw" not in first["say"]
    )
    assert second["say"] and end == {"end": True}
    assert "what nobody foresaw" in (tmp_path / "logs" / "hotsplice.log").read_text()
    assert str(tmp_path / "logs" / "hotsplice.log") in first["say"]


def test_a_refusal_is_two_lines(monkeypatch, tmp_path):
    def refused(*_: object) -> None:
        raise Refused("editor-silent")

    monkeypatch.setattr(hand, "run", refused)
    first, second, end = Script().main(monkeypatch, tmp_path)
    assert (
        first["say"].startswith("The editor does not answer.")
        and second["say"].startswith("Close the window")
        and end["end"]
    )


def test_an_export_that_is_damaged_is_said_in_the_language(monkeypatch, tmp_path):
    (tmp_path / "settings.yaml").write_text("language: de\n", encoding="utf-8")

    def damaged(*_: object) -> None:
        raise TimelineRefused("timeline-invalid", why="no-length", where=Part(kind="gap", name="Ü"))

    monkeypatch.setattr(hand, "run", damaged)
    first, second, _ = Script().main(monkeypatch, tmp_path)
    assert first["say"] == "Timeline widersprüchlich. Lücke „Ü“ auf einer Spur hat keine Länge."
    assert second["say"].startswith("Exportieren Sie die Timeline erneut")


def test_a_script_that_is_gone_ends_the_hand(monkeypatch, tmp_path):
    assert [line["call"] for line in Script().main(monkeypatch, tmp_path)] == [
        ["resolve", "GetProductName"]
    ]


def editor(*answers: dict[str, Any]) -> Editor:
    script = Script(*answers)
    return Editor(script.stdin, script.stdout)


def test_calls_and_their_answers():
    one = editor(
        {"got": 3},
        {"missing": True},
        {"got": True},
        {"got": False},
        {"missing": True},
        {"failed": "E: x"},
        {"missing": True},
    )
    assert one.call("o", "M") == 3 and one.call("o", "M") is None
    assert (
        one.keep("k", "o", "M") is True
        and one.keep("k", "o", "M") is False
        and one.keep("k", "o", "M") is False
    )
    with pytest.raises(Failed, match=r"o\.M: E: x"):
        one.call("o", "M", constant("o", "X"))
    with pytest.raises(Missing):
        one.must("o", "M")
    with pytest.raises(Gone):
        one.call("o", "M")
    assert one.gone.wait(5)
