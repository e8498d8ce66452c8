"""Redact names and paths: equal names get equal masks, and known file extensions stay.

There are two methods, and both fail closed. In values, every string that is not known to be one of
our own words is masked as a whole. In running text (stderr, argv, messages), every known name is
found, and everything that looks like a path or file name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from itertools import groupby
from typing import Any
from unicodedata import normalize
from urllib.parse import quote, unquote


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_KINDS = _words(
    "mov mp4 m4v mxf mkv webm avi mpg mpeg ts mts m2ts wav bwf aif aiff mp3 m4a aac flac ogg png jpg jpeg tif tiff exr dpx bmp "
    "gif webp heic psd braw r3d ari crm cine otio otioz fcpxml edl xml aaf ale mhl pcm part png txt log db yaml html zip"
)
"""File extensions that reveal the kind of a file but not its owner."""

_OURS = _words(
    "is code type strategy place note operation kind outcome answer how key keys cut digest file_hash film_hash kept_hash "
    "fingerprint rate start_timecode version ffmpeg severity level event places state job at checkpoint file signature "
    "matrix frame python system machine libraries"
)
"""Fields whose strings are our own words, numbers and hashes, not names."""
_RUNNING = _words("detail stderr argv reason message action log lines change text")
"""Fields with running text."""

_SHORTEST = 3
"""Minimum length of a known name; shorter ones reveal nothing and would match in other words."""

_PATHLIKE = (
    r"(?:[A-Za-z]:[\\/]|\\\\|~?/|\.{1,2}/)[^\s\"'<>|:;,()\[\]{}=]*[^\s\"'<>|:;,()\[\]{}=.]"
    r"|[^\s\"'<>|:;,()\[\]{}=/\\]+(?:[/\\][^\s\"'<>|:;,()\[\]{}=/\\]+)+"
    rf"|[^\s\"'<>|:;,()\[\]{{}}=/\\]+\.(?:{'|'.join(sorted(_KINDS))})\b"
)
COMMON = _words(
    "home users user root media mnt volumes tmp temp var usr lib bin opt private data video audio sound film films movie movies "
    "documents desktop downloads dev proc etc srv run folder shots shot clip clips cut timeline edit file files source output "
    "scratch hotsplice journal store work reel untitled"
)
"""Words that are not secret: they stay as whole names and are not searched for in running text."""

_SURE = 5
"""Minimum length for matching inside words; shorter names need a non-alphanumeric neighbour."""

_WORD = re.compile(r"[^\W\d_]{5,}")
"""Words within a name that may occur alone in a text."""

_FRACTION = re.compile(r"-?\d+/\d+")
_SLASHED = _words("input/output i/o and/or read/write n/a")
"""Words that look like paths; the first comes from the system's message about a failing disk."""
_PLAIN = re.compile(r"[\d\s.,:;/%x-]*")


class Mask:
    """Masks names, numbered in the order of their occurrence.

    `known` are names and paths to find in running text; those in `keep` stay.
    """

    def __init__(self, known: Iterable[str], *, keep: Iterable[str] = ()) -> None:
        self._masks: dict[str, str] = {}
        self._written: dict[str, str]
        self._keep = frozenset(keep) | {"", ".", "..", "~"}
        names: set[str] = set()
        for one in known:
            parts = _parts(one)
            stems = [_stem(part)[0] for part in parts]
            names |= {
                one,
                *parts,
                *stems,
                *(word for stem in stems for word in _WORD.findall(stem)),
            }
        names = {
            name
            for name in names
            if len(name) >= _SHORTEST and not _PLAIN.fullmatch(name) and not self._stays(name)
        }
        self._written = {}
        for name in sorted(names):
            for form in _spellings(name):
                self._written.setdefault(form, name)
                self._written.setdefault(form.lower(), name)
        sure = _any_of([form for form in self._written if len(form) >= _SURE])
        short = _any_of([form for form in self._written if len(form) < _SURE])
        self._finds = re.compile(
            rf"(?:{sure})|(?<![^\W_])(?:{short})(?![^\W_])|{_PATHLIKE}", re.IGNORECASE
        )

    def _stays(self, text: str) -> bool:
        return text in self._keep or text.lower() in COMMON or text.lower() in _KINDS

    def name(self, text: str) -> str:
        """Mask a whole name, path or file URL."""
        if text.startswith("file:"):
            return "file:" + self.name(unquote(text.removeprefix("file:")))
        if "/" in text or "\\" in text:
            return "".join(
                part if part in ("/", "\\") else self._component(part)
                for part in re.split(r"([/\\])", text)
            )
        return self._component(text)

    def _component(self, text: str) -> str:
        stem, ending = _stem(text)
        if self._stays(text) or self._stays(stem):
            return text
        number = self._masks.setdefault(
            normalize("NFC", stem).casefold(), f"name-{len(self._masks) + 1}"
        )
        return number + ending

    def text(self, text: str) -> str:
        """Mask the names in running text."""
        return self._finds.sub(self._found, text)

    def _found(self, found: re.Match[str]) -> str:
        if _PLAIN.fullmatch(found[0]) or found[0].lower() in _SLASHED:
            return found[0]
        return self.name(
            self._written.get(found[0]) or self._written.get(found[0].lower()) or unquote(found[0])
        )

    def value(self, value: Any, field: str = "") -> Any:
        """Mask a plain value (dicts, lists, strings); a string not known to be ours is a name."""
        if isinstance(value, dict):
            return {key: self.value(one, key) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(one, field) for one in value]
        if (
            not isinstance(value, str)
            or field in _OURS
            or (field.endswith(("_s", "rate")) and _FRACTION.fullmatch(value))
        ):
            return value
        if field == "gate":
            kind, colon, place = value.partition(":")
            return f"{kind}{colon}{self.name(place)}"
        return self.text(value) if field in _RUNNING else self.name(value)

    def timeline(self, value: Any, field: str = "") -> Any:
        """Mask a timeline file: structure and numbers stay, `metadata` of editors is emptied."""
        if isinstance(value, dict):
            return {
                self._key(key): (
                    {} if key == "metadata" and isinstance(one, dict) else self.timeline(one, key)
                )
                for key, one in value.items()
            }
        if isinstance(value, list):
            return [self.timeline(one, field) for one in value]
        if not isinstance(value, str) or (
            field == "OTIO_SCHEMA" and re.fullmatch(r"[A-Za-z]{1,40}\.\d{1,3}", value)
        ):
            return value
        if field == "kind" and value in ("Video", "Audio"):
            return value
        return self.name(value)

    def _key(self, key: str) -> str:
        return key if key in _TIMELINE_KEYS else self.name(key)


_TIMELINE_KEYS = _words(
    "OTIO_SCHEMA metadata name tracks children source_range effects markers enabled color kind global_start_time start_time "
    "duration rate value media_references active_media_reference_key media_reference available_range available_image_bounds "
    "target_url in_offset out_offset transition_type parameters effect_name time_scalar marked_range comment target_url_base "
    "name_prefix name_suffix start_frame frame_step frame_zero_padding missing_frame_policy generator_kind min max x y "
    "DEFAULT_MEDIA"
)


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r"[/\\]", text.removeprefix("file://")) if part]


def _stem(text: str) -> tuple[str, str]:
    """Split a file name into stem and extension; an unknown extension stays in the stem."""
    stem, dot, ending = text.rpartition(".")
    return (stem, f".{ending}") if dot and stem and ending.lower() in _KINDS else (text, "")


def _any_of(forms: Iterable[str]) -> str:
    """Return a regular expression that finds the longest of these forms; without forms, nothing.

    It is built as a tree: otherwise thousands of alternatives would be tried at each letter of a
    text.
    """
    return _tree(sorted(set(forms))) or r"(?!)"


def _tree(forms: list[str]) -> str:
    branches = []
    for _, group in groupby((form for form in forms if form), key=lambda form: form[0]):
        alike = list(group)
        # The list is sorted, so the prefix that these two share is common to all.
        first, last = alike[0], alike[-1]
        shared = next(
            (n for n, (one, other) in enumerate(zip(first, last, strict=False)) if one != other),
            min(len(first), len(last)),
        )
        branches.append(re.escape(first[:shared]) + _tree([form[shared:] for form in alike]))
    if not branches:
        return ""
    return f"(?:{'|'.join(branches)}){'?' if forms[0] == '' else ''}"


def _spellings(name: str) -> set[str]:
    """Return the spellings in which a name can occur.

    These are the name itself and its NFC and NFD forms (systems compose letters differently), each
    also quoted for URLs, escaped for JSON, and escaped for an ffmpeg filter.
    """
    found: set[str] = set()
    for form in {name, normalize("NFC", name), normalize("NFD", name)}:
        in_json = json.dumps(form)[1:-1]
        in_filter = re.sub(r"([\\':,\[\];])", r"\\\1", form)
        found |= {form, quote(form), quote(form, safe=""), in_json, in_filter}
    return found


def names_in(value: Any, field: str = "") -> set[str]:
    """Return all strings of a plain value that count as names, to search for in running text."""
    if isinstance(value, dict):
        return {name for key, one in value.items() for name in names_in(one, key)}
    if isinstance(value, list | tuple):
        return {name for one in value for name in names_in(one, field)}
    if not isinstance(value, str) or not value or field in _OURS or field in _RUNNING:
        return set()
    return {value}
