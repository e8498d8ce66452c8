"""Presets from YAML files: bundled ones, and those in the user's folder, which take precedence."""

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
    """Add the model's own tags, which users do not write in their files."""
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
    """Return all presets by name.

    Raises Refused(preset-invalid), which gives the file and the location of the fault in it.
    """
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
    """Return the preset called `name`, or without a name the default for the output's extension.

    Raises Refused if the name or the extension is unknown, or if the preset has another extension.
    """
    if name is None:
        name = {".mov": "prores-hq", ".mp4": "h264", ".mkv": "ffv1"}.get(output.suffix.lower())
        if name is None:
            raise Refused(
                "output-wrong-extension", path=str(output), preset="", extension=".mov, .mp4, .mkv"
            )
    if name not in presets:
        raise Refused("preset-unknown", name=name, known=", ".join(sorted(presets)))
    # A user's preset may have a bundled preset's name but another extension.
    preset = presets[name]
    if output.suffix.lower() != preset.extension:
        raise Refused(
            "output-wrong-extension", path=str(output), preset=name, extension=preset.extension
        )
    return preset


def fallback_of(presets: dict[str, Preset], preset: Preset) -> Preset | None:
    """Return the preset to use when this preset's encoder does not work on this machine.

    Only a preset with the same file extension qualifies; otherwise returns None.
    """
    other = presets.get(preset.fallback)
    return (
        other
        if other is not None and other.extension == preset.extension and other.name != preset.name
        else None
    )
