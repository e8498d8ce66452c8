"""Every code that can be met has words in every language, and the words keep their promises: short titles, no jargon, and
something to do, which says whether it is safe."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from bridge.cli.main import parser
from core.errors.failure import ErrorType, Evidence, Failure
from core.job.classify import TABLE
from core.messages import catalogue
from core.messages.catalogue import Action, Entry, explain, title_of, words
from core.messages.template import LANGUAGES, fields_of
from tests.laws.reading import tree

ROOT = Path(__file__).parents[3]
PRODUCT = sorted(
    path for part in ("core", "bridge", "otio_adapters") for path in (ROOT / part).rglob("*.py")
)
KEBAB = re.compile(r"[a-z]+(-[a-z]+)+")
ENTRIES = catalogue.entries()
GERMAN = catalogue.entries("de")
FAULTS = {row.code for row in TABLE} | {"unknown"}

AWAITED = {
    "scratch-quota", "output-quota", "source-growing", "source-slow", "source-truncated", "source-unlike-record", "source-refused",
    "source-name-invalid", "picture-too-large", "preset-unfit", "program-mismatch", "program-error", "pipe-broken",
    "decoder-device-gone", "memory-low", "too-many-processes", "render-too-fast", "film-changed", "sound-damaged",
    "scratch-hung", "output-hung", "worker-bloated", "source-relinked", "source-chosen", "source-proposed",
    "search-incomplete", "paper-in-the-way", "paper-unwritable", "paper-wrong-extension",
}  # fmt: skip
"""Codes that have their words before anything can meet them. Whoever brings one takes it from here."""

JARGON = (
    "errno", "stderr", "stdout", "stdin", "traceback", "exception", "null", "nonetype", "sigkill", "segfault",
    "exit code", "inode", "fsync",
    "syscall", "sqlite", "sql", "json", "yaml", "xxh", "hash", "digest", "packet", "demux", "mux", "pts", "dts",
    "argv", "subprocess", "boolean",
    "regex", "unicode", "utf-8", "callback", "thread", "mutex", "daemon", "kernel", "deprecated", "invalid", "illegal", "abort",
)  # fmt: skip
"""Words for those who write programs. An invalid user is nobody."""

VERBS = {
    "ask", "assemble", "change", "check", "choose", "close", "confirm", "connect", "copy", "correct", "decompose", "export",
    "free", "give", "lower", "make", "mend", "mount", "move", "name", "open", "please", "reconnect", "relink", "remove", "render", "run",
    "see", "set", "split", "start", "transcode", "trim", "try", "update", "use", "wait",
}  # fmt: skip
AT_REST = {"en": "Nothing needs to be done; ", "de": "Es ist nichts zu tun; "}
"""How an action begins where there is none."""
FAMILIAR = r"\b(du|dich|dir|dein\w*|euch|euer|eure\w*)\b"

FROM_EVIDENCE = {"path", "detail"}
"""What `explain` can always fill in."""
FROM_PLAN = {"path", "detail", "name"}
"""What a problem of the plan, and the end of a job, can fill in."""
FROM_SIZES = {"wanted": "wanted_text", "free": "free_text", "memory": "memory_text"}


class Call(ast.NodeVisitor):
    """Calls in a module that name codes, each with the codes and the fields it gives."""

    def __init__(self, path: Path) -> None:
        self.found: list[tuple[str, set[str], str]] = []
        self._path = path
        self._locals: dict[str, list[ast.expr]] = {}
        self.visit(tree(path))

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
        name = (
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        )
        given = {k.arg for k in node.keywords if k.arg}
        code: ast.expr | None = None
        if (
            name in ("Refused", "TimelineRefused", "problem", "too_short", "words", "Note")
            and node.args
        ):
            code = node.args[0]
        elif name == "Remark":
            code, given = next(k.value for k in node.keywords if k.arg == "code"), {"name"}
        elif name == "_end" and len(node.args) > 1:
            code, given = node.args[1], FROM_PLAN
        if name in ("problem", "too_short", "Note"):
            given = {"name"} if name == "Note" else FROM_PLAN
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
                yield "".join(
                    part.value if isinstance(part, ast.Constant) else "*" for part in node.values
                )
            case ast.Call(func=ast.Attribute(value=ast.Dict() as table, attr="get")):
                for value in (*table.values, *node.args[1:]):
                    yield from self._codes(value)
            case ast.Name() if node.id in self._locals:
                for value in self._locals[node.id]:
                    yield from self._codes(value)
            case _:
                return  # a code that is handed on: it was named elsewhere


CALLS = [
    call
    for path in PRODUCT
    for call in Call(path).found
    if KEBAB.fullmatch(call[0].replace("*", "x")) or call[0] in ENTRIES
]


def entries_like(code: str) -> list[str]:
    pattern = re.compile(re.escape(code).replace(r"\*", ".+"))
    return [known for known in ENTRIES if pattern.fullmatch(known)]


def sentences(entry: Entry) -> list[str]:
    return [entry.title, entry.message, entry.did, *(action.do for action in entry.actions)]


BOTH = pytest.mark.parametrize(
    ("language", "code"),
    [(language, code) for language in LANGUAGES for code in catalogue.entries(language)],
)


def test_the_search_for_codes_finds_them():
    found = {code for code, _, _ in CALLS}
    assert {
        "journal-busy",
        "film-not-there",
        "*-space",
        "output-is-source",
        "encoder-missing",
    } <= found  # Refused
    assert {
        "timeline-empty",
        "timeline-not-otio",
        "timeline-invalid",
        "timeline-missing",
        "timeline-no-file",
    } <= found  # TimelineRefused
    assert {
        "source-too-short",
        "sound-too-short",
        "sound-begins-late",
        "source-no-picture",
        "image-sequence-unsupported",
    } <= found  # problems
    assert {
        "title-not-rendered",
        "transition-as-cut",
        "rate-conformed",
        "timeline-rate-mixed",
    } <= found  # remarks
    assert {"nothing-to-show", "journal-failing", "sound-clipped", "unforeseen"} <= found
    assert len(found) > 50


@pytest.mark.parametrize(("code", "where"), sorted({(code, where) for code, _, where in CALLS}))
def test_every_code_that_is_named_has_an_entry(code, where):
    assert entries_like(code), f"{where} speaks of {code}, and catalogue.yaml has no words for it"


@pytest.mark.parametrize("code", sorted(FAULTS))
def test_every_code_of_the_diagnosis_has_an_entry(code):
    assert code in ENTRIES
    assert fields_of(ENTRIES[code].message)[0] <= FROM_EVIDENCE, (
        "its message has a hole that no evidence fills"
    )


@pytest.mark.parametrize(
    ("code", "given", "where"), CALLS, ids=[f"{code} {where}" for code, _, where in CALLS]
)
def test_whoever_names_a_code_fills_its_message(code, given, where):
    filled = (
        given
        | {text for field, text in FROM_SIZES.items() if field in given}
        | ({"detail"} if "why" in given else set())
    )
    for known in entries_like(code):
        assert fields_of(ENTRIES[known].message)[0] <= filled, (
            f"{where} leaves a hole in the message of {known}"
        )


def test_no_entry_waits_for_nobody():
    named = {known for code, _, _ in CALLS for known in entries_like(code)} | FAULTS
    named |= {catalogue.partly(code, sound=sound) for code in FAULTS for sound in (False, True)}
    assert sorted(set(ENTRIES) - named - AWAITED) == []
    assert set(ENTRIES) >= AWAITED


# Every entry, in every language ---------------------------------------------------------------------------------------


@BOTH
def test_an_entry_is_a_title_a_message_and_something_to_do(language, code):
    entry = catalogue.entries(language)[code]
    assert KEBAB.fullmatch(code) or code.isalpha()
    assert 3 <= len(entry.title) <= 30, "a title stands on a slate and in a tray"
    assert not entry.title.endswith(".")
    for text in (entry.title, entry.message, entry.did):
        assert not text or text[0].isupper() or text.startswith(("{", "[{", "ffmpeg"))
    assert not entry.did or entry.did.endswith(".")
    assert fields_of(entry.title) == fields_of(entry.did) == (set(), set()), (
        "they are said of all failures of the kind"
    )
    assert 1 <= len(entry.actions) <= 3
    for action in entry.actions:
        assert action.do.endswith((".", ")."))
        assert fields_of(action.do) == (set(), set()), "only messages are filled in"


@pytest.mark.parametrize("code", ENTRIES)
def test_an_action_begins_with_a_verb(code):
    for action in ENTRIES[code].actions:
        first = action.do.split()[0].rstrip(",;").lower()
        assert first in VERBS or action.do.startswith(AT_REST["en"]), (
            f"{action.do!r} does not say what to do"
        )


@pytest.mark.parametrize("code", GERMAN)
def test_a_german_action_asks_politely(code):
    for action in GERMAN[code].actions:
        assert re.match(r"[A-ZÄÖÜ]\w+e?n Sie\b", action.do) or action.do.startswith(
            AT_REST["de"]
        ), action.do
    assert [
        text for text in sentences(GERMAN[code]) if re.search(FAMILIAR, text, re.IGNORECASE)
    ] == []


@BOTH
def test_no_jargon(language, code):
    text = re.sub(r"\{\w+\}", "", " ".join(sentences(catalogue.entries(language)[code]))).lower()
    assert [word for word in JARGON if re.search(rf"\b{re.escape(word)}\b", text)] == []


@BOTH
def test_commands_that_are_advised_exist(language, code):
    (verbs,) = (a.choices for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    for text in sentences(catalogue.entries(language)[code]):
        for verb in re.findall(r"\bhotsplice ([a-z]+)\b", text):
            assert verb in verbs or verb in ("is", "stellt"), (
                f"{code} sends people to hotsplice {verb}"
            )


@pytest.mark.parametrize("file", ["catalogue.yaml", "catalogue.de.yaml", "phrases.yaml"])
def test_no_code_stands_twice_in_a_file(file):
    """YAML would take the last and say nothing of the other."""
    text = resources.files("core.messages").joinpath(file).read_text(encoding="utf-8")
    codes = re.findall(r"^([a-z-]+):", text, re.MULTILINE)
    assert len(codes) > 50 and len(codes) == len(set(codes)), sorted(
        code for code in set(codes) if codes.count(code) > 1
    )


def test_german_is_complete():
    assert list(GERMAN) == list(ENTRIES), (
        "the same codes in the same order, so that both files can be read side by side"
    )


@pytest.mark.parametrize("code", ENTRIES)
def test_german_says_the_same(code):
    english, german = ENTRIES[code], GERMAN[code]
    assert fields_of(german.message) == fields_of(english.message)
    assert bool(german.did) == bool(english.did)
    assert [action.safe for action in german.actions] == [action.safe for action in english.actions]
    assert english.title != german.title or code in ALIKE
    assert [a.do for a in english.actions] != [a.do for a in german.actions]
    commands = [
        re.findall(r"hotsplice [a-z]+|--[a-z-]+", " ".join(action.do for action in e.actions))
        for e in (english, german)
    ]
    assert commands[0] == commands[1]


ALIKE: set[str] = set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_may_lose_something_is_never_called_safe(language):
    risky = {
        "en": ("free some space", "close other", "changed on purpose", "replaced cuts", "--accept-folder", "move journal.db"),
        "de": ("schaffen sie platz", "schließen sie diese", "absichtlich geändert", "ersetzten fassungen", "--accept-folder",
               "verschieben sie journal.db"),
    }  # fmt: skip
    for code, entry in catalogue.entries(language).items():
        for action in entry.actions:
            assert action.safe != any(word in action.do.lower() for word in risky[language]), (
                f"{code}: {action.do}"
            )


# Filling in -----------------------------------------------------------------------------------------------------------


def failure(code: str, **seen: object) -> Failure:
    evidence = Evidence(operation="render", place="source", path="/media/a.mov", **seen)  # type: ignore[arg-type]
    return Failure(type=ErrorType.PERMANENT_FILE_CORRUPTION, code=code, evidence=evidence)


def test_a_failure_in_words():
    said = explain(failure("source-missing"))
    assert said[:3] == ("source-missing", "Media offline", "/media/a.mov is not there.")
    assert (
        said.did
        == "A slate or silence of exact length stands for what needs it; everything else is made."
    )
    assert (
        said.action
        == "Connect its drive or put the file back, then run the same command again; only its shots are made anew."
    )
    assert said.actions == (
        Action(said.action, True),
        Action("Relink the clip in your editor and export the timeline again.", True),
    )
    assert said.more == "docs/errors.md#source-missing"
    assert title_of("source-missing") == "Media offline"


def test_a_failure_in_german_words():
    said = explain(failure("source-missing"), "de")
    assert said[:3] == ("source-missing", "Medien offline", "/media/a.mov ist nicht vorhanden.")
    assert (
        said.action.startswith("Schließen Sie das Laufwerk an")
        and said.more == "docs/errors.md#source-missing"
    )
    assert title_of("source-missing", language="de") == "Medien offline"


def test_what_is_known_beside_the_evidence_is_said_where_it_helps():
    bare = explain(failure("source-damaged")).message
    told = explain(
        failure("source-damaged"),
        source_timecode="00:00:12:07",
        record_timecode="01:00:03:00",
        shot=3,
    ).message
    assert bare == "/media/a.mov is damaged in the part the cut uses."
    assert (
        told
        == "/media/a.mov is damaged in the part the cut uses, first at 00:00:12:07 of the file, 01:00:03:00 of the film."
    )
    assert explain(failure("scratch-full", free_bytes=1200), "de").message.endswith(
        " ist voll: 1,2 KB frei."
    )


def test_counts_are_said_where_something_is_short():
    said = explain(
        failure("source-too-short", note="too-few-frames", frames_wanted=48, frames_seen=40)
    )
    assert said.message == "/media/a.mov has less than the shot asks for: 40 of 48."
    said = explain(
        failure("source-too-short", note="too-few-frames", frames_wanted=48, frames_seen=40), "de"
    )
    assert said.message == "/media/a.mov hat weniger, als die Einstellung braucht: 40 von 48."


def test_what_nobody_knows_is_shown_with_the_first_line_ffmpeg_wrote():
    said = explain(failure("unknown", stderr=("[error] the first " + "x" * 300, "the second")))
    assert said.message.startswith("Something failed that has no name yet: ([error] the first xxx")
    assert len(said.message) < 260
    assert "second" not in said.message


def test_a_code_without_words_is_shown_with_its_name():
    said = words("code-of-tomorrow")
    assert said.title == "Unknown failure"
    assert "code-of-tomorrow" in said.message
    assert said.more == "docs/errors.md#unknown"
    assert (
        "code-of-tomorrow disk on fire"
        in words("code-of-tomorrow", "de", detail="disk on fire").message
    )


def test_names_are_text_and_never_a_form_to_fill():
    said = words("source-missing", path="/media/{name}{0}%s {path!r:>99}.mov", name="no")
    assert said.message == "/media/{name}{0}%s {path!r:>99}.mov is not there."


def test_a_field_that_nobody_gave_leaves_no_hole_of_braces():
    assert words("source-missing").message == " is not there.".strip()
    assert words("output-space", path="/films", wanted=3_000_000_000, free=1200).message == (
        "/films has 1.2 KB free; this film needs about 3.0 GB there."
    )


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"path": "/m", "detail": "d", "name": "n"},
        {"path": "a\nb\x1b", "free": None, "x": object()},
    ],
)
def test_words_are_one_line_without_double_spaces_and_braces_whatever_is_known(fields):
    for language in LANGUAGES:
        for code in ENTRIES:
            said = words(code, language, **fields)
            for text in (
                said.title,
                said.message,
                said.did,
                *(action.text for action in said.actions),
            ):
                assert text.isprintable() and "{" not in text and "[" not in text
                assert "  " not in text, "a hole leaves two spaces"


def test_plain_data_is_all_a_catalogue_may_hold(monkeypatch):
    monkeypatch.setattr(catalogue.resources, "files", lambda _: Path(__file__).parent)
    with pytest.raises(catalogue.yaml.YAMLError):
        catalogue.read("unsafe.yaml")
