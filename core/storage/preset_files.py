"""Presets from YAML: those that come with Hotsplice and those in the user's own folder, which win."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import msgspec
import yaml

from core.errors.refusal import Refused
from core.graph.preset import Preset


def _parse(text: str, where: str) -> Preset:
    try:
        raw = yaml.safe_load(text)
        if not isinstance(raw, dict):
            raise ValueError("it is not a list of `name: value`")
        return msgspec.convert({"is": "Preset", **_tagged(raw)}, Preset, strict=True)
    except (yaml.YAMLError, ValueError) as error:
        raise Refused("preset-invalid", path=where, detail=" ".join(str(error).split())) from error
    except RecursionError as error:
        raise Refused("preset-invalid", path=where, why="too-deep") from error


def _tagged(raw: dict[str, object]) -> dict[str, object]:
    """The model's own tags are not a user's business."""
    tags = {"video": "VideoRecipe", "audio": "AudioRecipe"}
    return {
        k: {"is": tags[k], **v} if k in tags and isinstance(v, dict) else v for k, v in raw.items()
    }


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        detail = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise Refused("preset-invalid", path=str(path), detail=detail) from error


def load_all(user_folder: Path | None) -> dict[str, Preset]:
    """Presets by name. Refused(preset-invalid) names the file and the place in it."""
    found: dict[str, Preset] = {}
    for entry in sorted(resources.files("core.presets").iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".yaml"):
            preset = _parse(entry.read_text(encoding="utf-8"), entry.name)
            found[preset.name] = preset
    if user_folder is not None and user_folder.is_dir():
        for path in sorted(user_folder.glob("*.yaml")):
            preset = _parse(_read(path), str(path))
            found[preset.name] = preset
    return found


def for_output(presets: dict[str, Preset], name: str | None, output: Path) -> Preset:
    """The preset asked for; without a name the usual one for the file's extension. Refused when they disagree."""
    if name is None:
        name = {".mov": "prores-hq", ".mp4": "h264", ".mkv": "ffv1"}.get(output.suffix.lower())
        if name is None:
            raise Refused(
                "output-wrong-extension", path=str(output), preset="", extension=".mov, .mp4, .mkv"
            )
    if name not in presets:
        raise Refused("preset-unknown", name=name, known=", ".join(sorted(presets)))
    preset = presets[
        name
    ]  # the user's own may have taken a bundled one's name, with another ending
    if output.suffix.lower() != preset.extension:
        raise Refused(
            "output-wrong-extension", path=str(output), preset=name, extension=preset.extension
        )
    return preset


def fallback_of(presets: dict[str, Preset], preset: Preset) -> Preset | None:
    """The preset that is used when this one's encoder does not work here; only one whose films are named alike."""
    other = presets.get(preset.fallback)
    return (
        other
        if other is not None and other.extension == preset.extension and other.name != preset.name
        else None
    )
