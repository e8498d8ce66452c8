"""Every code that can be met has words, and the words keep their promises: short titles, no jargon, and something to do."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from core.decide.diagnosis import TABLE
from core.explain import catalogue
from core.explain.catalogue import explain, human_bytes, title_of, words
from core.model.failure import ErrorType, Evidence, Failure

ROOT = Path(__file__).parents[3]
PRODUCT = sorted(path for part in ("core", "bridge", "otio_adapters") for path in (ROOT / part).rglob("*.py"))
KEBAB = re.compile(r"[a-z]+(-[a-z]+)+")
ENTRIES = catalogue.entries()

JARGON = (
    "errno", "stderr", "stdout", "stdin", "traceback", "exception", "null", "nonetype", "sigkill", "segfault",
    "exit code", "inode", "fsync",
    "syscall", "sqlite", "sql", "json", "yaml", "xxh", "hash", "digest", "packet", "demux", "mux", "pts", "dts",
    "argv", "subprocess", "boolean",
    "regex", "unicode", "utf-8", "callback", "thread", "mutex", "daemon", "kernel", "deprecated", "invalid", "illegal", "abort",
)  # fmt: skip
"""Words for those who write programs. An invalid user is nobody."""

VERBS = {
    "assemble", "change", "check", "choose", "close", "connect", "copy", "correct", "decompose", "free", "give",
    "lower", "make", "mount", "move", "name", "please", "reconnect", "relink", "render", "run", "see", "set",
    "start", "transcode", "trim", "try", "use", "wait",
}  # fmt: skip
AT_REST = "Nothing needs to be done; "
"""How an action begins where there is none."""

FROM_EVIDENCE = {"path", "detail", "name"}
"""What `explain` and a problem of the plan can fill in."""
FROM_SIZES = {"wanted": "wanted_text", "free": "free_text"}


class Call(ast.NodeVisitor):
    """Calls in a module that name codes, each with the codes and the fields it gives."""

    def __init__(self, path: Path) -> None:
        self.found: list[tuple[str, set[str], str]] = []
        self._path = path
        self._locals: dict[str, list[ast.expr]] = {}
        self.visit(ast.parse(path.read_text(encoding="utf-8")))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        before, self._locals = self._locals, {}
        for child in ast.walk(node):
            if isinstance(child, ast.Assign):
                for target in child.targets:
                    self._assigned(target, child.value)
        self.generic_visit(node)
        self._locals = before

    def _assigned(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._locals.setdefault(target.id, []).append(value)
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one, other in zip(target.elts, value.elts, strict=False):
                self._assigned(one, other)

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        given = {k.arg for k in node.keywords if k.arg}
        code: ast.expr | None = None
        if name in ("Refused", "problem", "words", "Note") and node.args:
            code = node.args[0]
        elif name == "Remark":
            code, given = next(k.value for k in node.keywords if k.arg == "code"), {"name"}
        elif name == "_end" and len(node.args) > 1:
            code, given = node.args[1], FROM_EVIDENCE
        if name in ("problem", "Note"):
            given = FROM_EVIDENCE if name == "problem" else {"name"}
        for text in self._codes(code) if code is not None else ():
            self.found.append((text, given, f"{self._path.relative_to(ROOT)}:{node.lineno}"))
        self.generic_visit(node)

    def _codes(self, node: ast.expr) -> Iterator[str]:
        match node:
            case ast.Constant(value=str(text)):
                yield text
            case ast.IfExp():
                yield from self._codes(node.body)
                yield from self._codes(node.orelse)
            case ast.JoinedStr():
                yield "".join(part.value if isinstance(part, ast.Constant) else "*" for part in node.values)
            case ast.Call(func=ast.Attribute(value=ast.Dict() as table, attr="get")):
                for value in (*table.values, *node.args[1:]):
                    yield from self._codes(value)
            case ast.Name() if node.id in self._locals:
                for value in self._locals[node.id]:
                    yield from self._codes(value)
            case _:
                return  # a code that is handed on: it was named elsewhere


CALLS = [call for path in PRODUCT for call in Call(path).found if KEBAB.fullmatch(call[0].replace("*", "x"))]


def entries_like(code: str) -> list[str]:
    pattern = re.compile(re.escape(code).replace(r"\*", ".+"))
    return [known for known in ENTRIES if pattern.fullmatch(known)]


def fields_of(message: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(message) if name}


def test_the_search_for_codes_finds_them():
    found = {code for code, _, _ in CALLS}
    assert {"journal-busy", "film-not-there", "*-space", "output-is-source", "encoder-missing"} <= found  # Refused
    assert {"source-too-short", "sound-too-short", "source-no-picture", "image-sequence-unsupported"} <= found  # problems
    assert {"title-not-rendered", "transition-as-cut", "rate-conformed", "timeline-rate-mixed"} <= found  # remarks
    assert {"nothing-to-show", "journal-failing", "sound-clipped"} <= found
    assert len(found) > 50


@pytest.mark.parametrize(("code", "where"), sorted({(code, where) for code, _, where in CALLS}))
def test_every_code_that_is_named_has_an_entry(code, where):
    assert entries_like(code), f"{where} speaks of {code}, and catalogue.yaml has no words for it"


@pytest.mark.parametrize("code", sorted({row.code for row in TABLE} | {"unknown"}))
def test_every_code_of_the_diagnosis_has_an_entry(code):
    assert code in ENTRIES
    assert fields_of(ENTRIES[code]["message"]) <= FROM_EVIDENCE, "its message has a hole that no evidence fills"


@pytest.mark.parametrize(("code", "given", "where"), CALLS, ids=[f"{code} {where}" for code, _, where in CALLS])
def test_whoever_names_a_code_fills_its_message(code, given, where):
    filled = given | {text for field, text in FROM_SIZES.items() if field in given}
    for known in entries_like(code):
        assert fields_of(ENTRIES[known]["message"]) <= filled, f"{where} leaves a hole in the message of {known}"


def test_no_entry_waits_for_nobody():
    named = {known for code, _, _ in CALLS for known in entries_like(code)} | {row.code for row in TABLE} | {"unknown"}
    assert sorted(set(ENTRIES) - named) == []


@pytest.mark.parametrize("code", ENTRIES)
def test_an_entry_is_a_title_a_message_and_something_to_do(code):
    entry = ENTRIES[code]
    assert set(entry) == {"title", "message", "action"}
    assert KEBAB.fullmatch(code) or code == "unknown" or code.isalpha()
    assert 3 <= len(entry["title"]) <= 28, "a title stands on a slate and in a tray"
    for text in (entry["title"], entry["message"]):
        assert text[0].isupper() or text.startswith(("{", "ffmpeg"))
    assert not entry["title"].endswith(".")
    assert entry["action"].endswith((".", ")."))
    first = entry["action"].split()[0].rstrip(",").lower()
    assert first in VERBS or entry["action"].startswith(AT_REST), f"{entry['action']!r} does not say what to do"
    assert fields_of(entry["action"]) == set(), "only messages are filled in"


@pytest.mark.parametrize("code", ENTRIES)
def test_no_jargon(code):
    text = re.sub(r"\{\w+\}", "", " ".join(ENTRIES[code].values())).lower()
    assert [word for word in JARGON if re.search(rf"\b{re.escape(word)}\b", text)] == []


# Filling in -----------------------------------------------------------------------------------------------------------


def failure(code: str, **seen: object) -> Failure:
    evidence = Evidence(operation="render", place="source", path="/media/a.mov", **seen)  # type: ignore[arg-type]
    return Failure(type=ErrorType.PERMANENT_FILE_CORRUPTION, code=code, evidence=evidence)


def test_a_failure_in_words():
    said = explain(failure("source-missing"))
    assert said == (
        "source-missing", "Media offline", "/media/a.mov is not there.",
        "Connect its drive or put the file back, then run the same command again; only its shots are made anew.",
    )  # fmt: skip
    assert title_of("source-missing") == "Media offline"


def test_counts_are_said_where_something_is_short():
    said = explain(failure("source-too-short", note="too-few-frames", frames_wanted=48, frames_seen=40))
    assert said.message == "/media/a.mov ends before the shot does: 40 of 48."


def test_what_nobody_knows_is_shown_with_the_first_line_ffmpeg_wrote():
    said = explain(failure("unknown", stderr=("[error] the first " + "x" * 300, "the second")))
    assert said.message.startswith("Something failed that has no name yet: ([error] the first xxx")
    assert len(said.message) < 260
    assert "second" not in said.message


def test_a_code_without_words_is_shown_with_its_name():
    said = words("code-of-tomorrow")
    assert said.title == "Unknown failure"
    assert "code-of-tomorrow" in said.message


def test_names_are_text_and_never_a_form_to_fill():
    said = words("source-missing", path="/media/{name}{0}%s {path!r:>99}.mov", name="no")
    assert said.message == "/media/{name}{0}%s {path!r:>99}.mov is not there."


def test_a_field_that_nobody_gave_leaves_no_hole_of_braces():
    assert words("source-missing").message == " is not there.".strip()
    assert words("output-space", path="/films", wanted=3_000_000_000, free=1200).message == (
        "/films has 1.2 KB free; this film needs about 3.0 GB there."
    )


def test_words_are_one_line_without_double_spaces():
    for code in ENTRIES:
        said = words(code, path="/m", detail="d", name="n")
        for text in said:
            assert "\n" not in text and "  " not in text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 KB"), (1_500_000, "1.5 MB"), (20_000_000_000, "20.0 GB"),
        (999_949, "999.9 KB"),
        (999_950, "1.0 MB"), (3_200_000_000_000, "3.2 TB"), (-1500, "-1.5 KB"), (5e15, "5000.0 TB"),
    ],
)  # fmt: skip
def test_sizes_as_they_stand_on_the_box_of_a_drive(count, text):
    assert human_bytes(count) == text
