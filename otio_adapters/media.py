"""The media of a clip: addresses to paths, and the kinds of media reference.

No file is opened or searched for. Editors write addresses in different ways. DaVinci Resolve writes
a bare path of its operating system, neither `file:` nor percent-encoded (`/a/100%25 grey.mov` is
the name of the file). Hiero, Premiere and Final Cut write `file:` URLs. Kdenlive and others write a
path relative to the timeline file. Asset systems have their own schemes. So only a `file:` URL is
decoded, and opentimelineio's `filepath_from_url` is not used: it cuts a name at `#` and decodes
bare paths.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import opentimelineio as otio

from core.errors.refusal import Part
from core.timeline.timeline import Media, MediaKind, Remark
from otio_adapters import resolve_dialect
from otio_adapters.refuse import called, invalid, named

_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_WIDEST_NUMBER = 32


class Address(NamedTuple):
    """A path, absolute for the system it was written on; or None and a remark with the reason."""

    path: str | None
    remark: Remark | None = None


def kind_of(clip: otio.schema.Clip) -> MediaKind:
    """Return the kind of the clip's active media reference, regardless of its address."""
    reference = clip.media_reference
    if isinstance(reference, otio.schema.ExternalReference):
        return "file" if (reference.target_url or "").strip() else "none"
    if isinstance(reference, otio.schema.ImageSequenceReference):
        return "sequence"
    if isinstance(reference, otio.schema.GeneratorReference):
        return "generator"
    if isinstance(reference, otio.schema.MissingReference):
        if resolve_dialect.media_url(reference):
            return "file"
        # Resolve writes titles and generators as a missing reference without a file.
        return "generator" if resolve_dialect.wrote(clip) else "none"
    return "none"


def media_of(clip: otio.schema.Clip, folder: Path) -> tuple[Media, tuple[Remark, ...]]:
    """Return the clip's media, and remarks without a position.

    `folder` is that of the timeline file, for relative paths.
    """
    reference, kind = clip.media_reference, kind_of(clip)
    written = (reference.name if reference is not None else "") or clip.name
    if kind in ("generator", "none"):
        return Media(name=written, kind=kind), ()
    if isinstance(reference, otio.schema.ImageSequenceReference):
        url = _first_picture(reference, called(clip))
    else:
        url = resolve_dialect.media_url(reference) or reference.target_url
    address = locate(url, folder, named(clip.name))
    if address.path is None:
        return Media(name=written, kind="none"), (address.remark,) if address.remark else ()
    name = reference.name or re.split(r"[\\/]", address.path)[-1] or clip.name
    media = Media(name=name, kind=kind, path=address.path)
    if kind != "sequence":
        return media, ()
    text = (
        f"{named(clip.name)} is a sequence of numbered pictures beginning with {named(media.name)}."
    )
    return media, (Remark(code="image-sequence-unsupported", severity="loss", text=text),)


def locate(url: str, folder: Path, where: str) -> Address:
    """Convert an address as written in a timeline to a path."""
    if _control(url):
        return _unsupported(f"The address of {where} contains characters that no file name has.")
    scheme = None if _WINDOWS.match(url) else _SCHEME.match(url)
    if scheme is None:
        return Address(url if url.startswith("/") or _WINDOWS.match(url) else str(folder / url))
    if scheme[1].lower() == "file":
        return _of_file_url(url[scheme.end() :], folder, where)
    return _unsupported(f"{where} is at {named(url)}; only files can be read.")


def _of_file_url(rest: str, folder: Path, where: str) -> Address:
    """Convert a file URL to a path. `rest` is what follows `file:`.

    `?` and `#` belong to the name, because editors do not encode them.
    """
    try:
        rest = unquote_to_bytes(rest).decode("utf-8")
    except UnicodeDecodeError:
        return _unsupported(f"The address of {where} is not encoded as UTF-8.")
    if _control(rest):
        return _unsupported(f"The address of {where} contains characters that no file name has.")
    path = rest
    if rest.startswith("//"):
        host, slash, behind = rest[2:].partition("/")
        if re.fullmatch(r"[A-Za-z]:", host):  # file://C:/a.mov, one slash short but common
            path = rest[2:]
        elif host.lower() in ("", "localhost"):
            path = slash + behind
        else:
            text = f"{where} is on another computer, {named(host)}."
            return Address(None, Remark(code="media-remote-address", severity="loss", text=text))
    if path.startswith("/") and _WINDOWS.match(path[1:]):  # file:///C:/a.mov
        path = path[1:]
    if not path:
        return _unsupported(f"The address of {where} names no file.")
    return Address(path if path.startswith("/") or _WINDOWS.match(path) else str(folder / path))


def _first_picture(reference: otio.schema.ImageSequenceReference, where: Part) -> str:
    """Return the address of the first picture of an image sequence.

    Resolve's folder has no separator at its end, Hiero's has a backslash.
    """
    if not 0 <= reference.frame_zero_padding <= _WIDEST_NUMBER:
        raise invalid(why="number-too-wide", where=where, digits=reference.frame_zero_padding)
    base, first = reference.target_url_base or "", reference.start_frame
    if base and not base.endswith(("/", "\\")):
        base += "\\" if _WINDOWS.match(base) and "/" not in base else "/"
    number = f"{'-' if first < 0 else ''}{abs(first):0{reference.frame_zero_padding}d}"
    return f"{base}{reference.name_prefix}{number}{reference.name_suffix}"


def _control(text: str) -> bool:
    return any(unicodedata.category(character) in ("Cc", "Cs") for character in text)


def _unsupported(text: str) -> Address:
    return Address(None, Remark(code="media-address-unsupported", severity="loss", text=text))
