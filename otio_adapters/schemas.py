"""Which OTIO objects are read, and the edits on plain JSON that make a file readable.

OpenTimelineIO 0.18 rejects a whole file for one unknown object, ends the process on an object
called `UnknownSchema`, and crashes on a `Clip.1` whose media reference is not one. So only the
names in `READABLE` reach it, each in a place where it belongs, and `Clip.1` is converted to
`Clip.2` here. What cannot change the film is removed:

- markers, since older libraries cannot read newer versions (`Marker.3`, with a colour object);
- item colours (`Color.1`), for the same reason;
- objects inside metadata, which become plain dictionaries: metadata is only looked up by key;
- effects of unknown kind, which become a plain `Effect.1` of that name and are reported as not
  rendered.
"""

from __future__ import annotations

import re
from typing import Any

from otio_adapters.refuse import TimelineRefused, invalid, plainly

READABLE = {
    "Timeline": 1,
    "SerializableCollection": 1,
    "Stack": 1,
    "Track": 1,
    "Sequence": 1,
    "Clip": 2,
    "Gap": 1,
    "Filler": 1,
    "Transition": 1,
    "Effect": 1,
    "TimeEffect": 1,
    "LinearTimeWarp": 1,
    "FreezeFrame": 1,
    "ExternalReference": 1,
    "MissingReference": 1,
    "GeneratorReference": 1,
    "ImageSequenceReference": 1,
    "RationalTime": 1,
    "TimeRange": 1,
    "Box2d": 1,
    "V2d": 1,
    "SerializableObjectRef": 1,
}
"""Schema name mapped to the newest version that is read.

`Sequence` and `Filler` are old names of Track and Gap.
"""

_SHARED = "SerializableObjectRef"
"""A reference to an earlier object in the file: two clips may share one media reference."""
_EFFECTS = {"Effect", "TimeEffect", "LinearTimeWarp", "FreezeFrame", _SHARED}
_MEDIA = {
    "ExternalReference",
    "MissingReference",
    "GeneratorReference",
    "ImageSequenceReference",
    _SHARED,
}
_ITEMS = {"Clip", "Gap", "Filler", "Stack", "Track", "Sequence", "Transition", _SHARED}
_PLACES = {
    "tracks": {"Stack"},
    "children": _ITEMS,
    "effects": _EFFECTS,
    "source_range": {"TimeRange"},
    "available_range": {"TimeRange"},
    "available_image_bounds": {"Box2d"},
    "start_time": {"RationalTime"},
    "duration": {"RationalTime"},
    "global_start_time": {"RationalTime"},
    "in_offset": {"RationalTime"},
    "out_offset": {"RationalTime"},
}
"""Field mapped to the objects allowed in it. OpenTimelineIO decides whether one may be absent."""
_LISTS = ("children", "effects")

_SCHEMA = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\.([0-9]{1,6})")
_DATA = ("metadata", "parameters")


def prepare(root: Any) -> None:
    """Edit the parsed file in place.

    Raises TimelineRefused: `timeline-not-otio` or `timeline-schema-unknown` for other files,
    `timeline-invalid` for misplaced objects.
    """
    schema = root.get("OTIO_SCHEMA") if isinstance(root, dict) else None
    if not isinstance(schema, str) or not _SCHEMA.fullmatch(schema):
        raise TimelineRefused("timeline-not-otio", why="not-otio")
    _check(schema)
    if not schema.startswith(("Timeline.", "SerializableCollection.")):
        raise not_a_timeline(schema.partition(".")[0])
    _tidy(root)


def not_a_timeline(kind: str) -> TimelineRefused:
    """Return the refusal of an OTIO file that holds another object."""
    return TimelineRefused("timeline-not-otio", why="another-object", found=kind)


def _tidy(node: Any) -> None:
    """Tidy a node and its children. The recursion is bounded, since `guard` measured the depth."""
    if isinstance(node, list):
        for child in node:
            _tidy(child)
        return
    if not isinstance(node, dict):
        return
    if "OTIO_SCHEMA" not in node:
        for child in node.values():
            _tidy(child)
        return
    _check(node["OTIO_SCHEMA"])
    if node["OTIO_SCHEMA"] == "Clip.1":
        reference = node.pop("media_reference", None) or {"OTIO_SCHEMA": "MissingReference.1"}
        node |= {
            "OTIO_SCHEMA": "Clip.2",
            "media_references": {"DEFAULT_MEDIA": reference},
            "active_media_reference_key": "DEFAULT_MEDIA",
        }
    for key in _DATA:
        _plain(node.get(key))
    if "markers" in node:
        node["markers"] = []
    if "color" in node:
        node["color"] = None
    if isinstance(node.get("effects"), list):
        node["effects"] = [_effect(effect) for effect in node["effects"]]
    for key, child in node.items():
        if key not in _DATA:
            _check_place(node, key, child)
            _tidy(child)


def _check_place(node: dict[str, Any], key: str, child: Any) -> None:
    allowed = _PLACES.get(key)
    if key == "media_references" and isinstance(child, dict):
        allowed, parts = _MEDIA, list(child.values())
    elif key == "children" and str(node["OTIO_SCHEMA"]).startswith("SerializableCollection."):
        return
    else:
        parts = (
            child if isinstance(child, list) and key in _LISTS else [] if child is None else [child]
        )
    for part in parts if allowed is not None else ():
        schema = part.get("OTIO_SCHEMA") if isinstance(part, dict) else None
        if isinstance(schema, str) and not _known(schema):
            _check(schema)
        if not isinstance(schema, str) or schema.partition(".")[0] not in (allowed or ()):
            owner = plainly(node.get("name") or "") or node["OTIO_SCHEMA"]
            raise invalid(
                why="misplaced", key=key, owner=owner, found=str(schema or type(part).__name__)
            )


def _plain(node: Any) -> None:
    if isinstance(node, dict):
        node.pop("OTIO_SCHEMA", None)
    for child in (
        node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    ):
        _plain(child)


def _effect(effect: Any) -> Any:
    schema = effect.get("OTIO_SCHEMA") if isinstance(effect, dict) else None
    if not isinstance(schema, str) or (_known(schema) and schema.partition(".")[0] in _EFFECTS):
        return effect
    return {"OTIO_SCHEMA": "Effect.1", "metadata": {}, "name": "", "effect_name": schema}


def _known(schema: Any) -> bool:
    match = _SCHEMA.fullmatch(schema) if isinstance(schema, str) else None
    return match is not None and 1 <= int(match[2]) <= READABLE.get(match[1], 0)


def _check(schema: Any) -> None:
    if not isinstance(schema, str) or not schema:
        raise invalid(why="schema-unsaid")
    if not _known(schema):
        raise TimelineRefused("timeline-schema-unknown", why="schema-unknown", found=schema)
