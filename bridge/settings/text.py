"""Parses and edits the text of `settings.yaml`. Pure.

Every mistake is found with its position, and an edit of one key leaves the rest of the text
untouched.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Any, NamedTuple

import msgspec
import yaml

from bridge.settings.options import OPTIONS
from core.messages.phrases import phrase
from core.messages.template import Language

_LONGEST = 60
"""Maximum number of characters shown of a wrong value."""
_NEAR = 0.7


class Mistake(NamedTuple):
    """A mistake, in any language, and its position, counted from 1 as in editors."""

    line: int
    column: int
    said: Callable[[Language], str]

    def told(self, language: Language) -> str:
        """Describe the mistake, without a full stop."""
        return phrase(
            "settings-place", language, line=self.line, column=self.column, said=self.said(language)
        )


class _Told(Exception):
    """Raised for a mistake that ends the parsing."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake)
        self.mistake = mistake


def read(text: str, types: Mapping[str, Any]) -> tuple[dict[str, Any], list[Mistake]]:
    """Return the valid values by key, and all mistakes in order of position.

    `types` maps each key to its type. A key without a value counts as absent.
    """
    try:
        root = _composed(text)
    except _Told as told:
        return {}, [told.mistake]
    if root is None or (isinstance(root, yaml.ScalarNode) and root.tag == "tag:yaml.org,2002:null"):
        return {}, []
    if not isinstance(root, yaml.MappingNode):
        return {}, [_at(root, lambda speak: phrase("settings-no-keys", speak, value=_shown(root)))]
    values: dict[str, Any] = {}
    mistakes: list[Mistake] = []
    seen: dict[str, int] = {}
    for key, node in root.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        if name not in types:
            mistakes.append(_unknown(key, name, types))
        elif name in seen:
            mistakes.append(_twice(key, name, seen[name]))
        else:
            seen[name] = key.start_mark.line + 1
            try:
                values |= _value(name, node, types[name])
            except _Told as told:
                mistakes.append(told.mistake)
    return values, mistakes


def _unknown(key: yaml.Node, name: str, types: Mapping[str, Any]) -> Mistake:
    near = "".join(difflib.get_close_matches(name.lower(), types, n=1, cutoff=_NEAR))
    known = "" if near else ", ".join(types)
    return _at(
        key,
        lambda speak: phrase("settings-unknown", speak, name=_shown(key), near=near, known=known),
    )


def _twice(key: yaml.Node, name: str, first: int) -> Mistake:
    return _at(key, lambda speak: phrase("settings-twice", speak, name=name, first=first))


def _unfit(node: yaml.Node, name: str) -> Mistake:
    shown = _shown(node)
    return _at(
        node,
        lambda speak: phrase(
            "settings-unfit", speak, name=name, right=phrase(f"right-{name}", speak), value=shown
        ),
    )


DEEPEST = 200
"""Maximum number of open brackets; beyond it the parser takes seconds before it fails."""


def _composed(text: str) -> yaml.Node | None:
    opened = accumulate(1 if found[0] in "[{" else -1 for found in re.finditer(r"[\[\]{}]", text))
    if max(opened, default=0) > DEEPEST:
        raise _Told(Mistake(1, 1, lambda speak: phrase("settings-deep", speak)))
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        detail = " ".join((", ".join(filter(None, (error.context, error.problem))) or "?").split())
        raise _Told(
            Mistake(line, column, lambda speak: phrase("settings-no-yaml", speak, detail=detail))
        ) from error
    except yaml.reader.ReaderError as error:
        before = text[: int(error.position)]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        code = f"U+{ord(text[int(error.position)]):04X}"
        raise _Told(
            Mistake(line, column, lambda speak: phrase("settings-no-character", speak, code=code))
        ) from error
    except RecursionError as error:
        raise _Told(Mistake(1, 1, lambda speak: phrase("settings-deep", speak))) from error


def _value(name: str, node: yaml.Node, kind: Any) -> dict[str, Any]:
    try:
        raw = yaml.SafeLoader("").construct_object(node, deep=True)  # type: ignore[no-untyped-call]
        if raw is None:
            return {}
        value = msgspec.convert(raw, kind, strict=True)
    # ValueError: an impossible date, or an error from msgspec.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _Told(_unfit(_wrong_part(node, kind), name)) from error
    if not OPTIONS[name].fits(value):
        raise _Told(_unfit(_wrong_part(node, kind, name), name))
    return {name: value}


def _wrong_part(node: yaml.Node, kind: Any, name: str = "") -> yaml.Node:
    """Return the first part of a list that is wrong by itself, otherwise the whole node."""
    if isinstance(node, yaml.SequenceNode) and kind == tuple[str, ...]:
        for part in node.value:
            if not isinstance(part, yaml.ScalarNode) or part.tag != "tag:yaml.org,2002:str":
                return part  # type: ignore[no-any-return]
            if name and not OPTIONS[name].fits((part.value,)):
                return part
    return node


def _shown(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        value = str(node.value)
        return value if len(value) <= _LONGEST else value[:_LONGEST] + "…"
    return "[…]" if isinstance(node, yaml.SequenceNode) else "{…}"


def _at(node: yaml.Node, said: Callable[[Language], str]) -> Mistake:
    return Mistake(node.start_mark.line + 1, node.start_mark.column + 1, said)


# Changing -----------------------------------------------------------------------------------------


def changed(text: str, name: str, value: Any) -> str:
    """Return the text with one key set; None as `value` comments the key out.

    Everything else stays unchanged, byte for byte. Raises ValueError if the text has no place for
    the key. The caller must parse the result again.
    """
    try:
        root = _composed(text)
    except _Told as told:
        raise ValueError(str(told)) from told
    found = (
        next((pair for pair in root.value if pair[0].value == name), None)
        if isinstance(root, yaml.MappingNode)
        else None
    )
    flow = isinstance(root, yaml.MappingNode) and root.flow_style
    if value is None:
        return text if found is None else _covered(text, *found)
    words = yaml.safe_dump(
        [value], default_flow_style=True, allow_unicode=True, width=1 << 20
    ).strip()[1:-1]
    if found is not None:
        return _replaced(text, found[0], found[1], words)
    if flow:
        assert root is not None
        place = root.start_mark.index + 1
        return f"{text[:place]}{name}: {words}{', ' if root.value else ''}{text[place:]}"
    return _added(text, name, words)


def _replaced(text: str, key: yaml.Node, node: yaml.Node, words: str) -> str:
    start, end = node.start_mark.index, _end(text, node)
    if "\n" not in text[key.end_mark.index : end]:
        gap = "" if text[start - 1 : start].isspace() else " "  # `jobs:` and nothing more
        return f"{text[:start]}{gap}{words}{text[end:]}"
    colon = text.index(":", key.end_mark.index) + 1
    tail, newline, after = text[end:].partition("\n")
    comments = "".join(f"{comment}\n" for comment in _comments(text, colon, end, node))
    return f"{text[:colon]} {words}{tail}{newline or chr(10)}{comments}{after}"


def _comments(text: str, start: int, end: int, node: yaml.Node) -> list[str]:
    """Return the comments within a value of several lines.

    Outside of scalars, a # always starts a comment.
    """
    found = []
    for first, last in [*_texts(node), (end, end)]:
        found += re.findall(r"#[^\n]*", text[start : max(start, first)])
        start = max(start, last)
    return found


def _texts(node: yaml.Node) -> list[tuple[int, int]]:
    if isinstance(node, yaml.ScalarNode):
        return [(node.start_mark.index, node.end_mark.index)]
    parts = [part for pair in node.value for part in (pair if isinstance(pair, tuple) else (pair,))]
    return [span for part in parts for span in _texts(part)]


def _covered(text: str, key: yaml.Node, node: yaml.Node) -> str:
    start = text.rfind("\n", 0, key.start_mark.index) + 1
    end = text.find("\n", _end(text, node))
    end = len(text) if end < 0 else end
    lines = text[start:end].split("\n")
    return (
        text[:start]
        + "\n".join(line if line.lstrip().startswith("#") else f"# {line}" for line in lines)
        + text[end:]
    )


def _added(text: str, name: str, words: str) -> str:
    """Add the key below the template's commented line, if there is one; otherwise at the end."""
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    place = next(
        (number + 1 for number, line in enumerate(lines) if line.startswith(f"# {name}:")),
        len(lines),
    )
    while place < len(lines) and lines[place].startswith("#  "):
        place += 1
    if lines and place == len(lines) and not lines[-1].endswith("\n"):
        lines[-1] += newline
    lines.insert(place, f"{name}: {words}{newline}")
    return "".join(lines)


def _end(text: str, node: yaml.Node) -> int:
    """Return where a value ends.

    PyYAML reports the end of a block list, or of a text with |, at the beginning of the next key.
    """
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    return len(text[: node.end_mark.index].rstrip())
