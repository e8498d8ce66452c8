"""Typical failures as a filmmaker reads them, in both languages, in `tests/specimens/words`.

After words were changed on purpose: `python -m tests.core.report.tellings`, and read the difference before it is committed.
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

from core.errors.failure import Evidence
from core.job.classify import diagnose
from core.messages.catalogue import Words, explain, words
from core.messages.phrases import what_is_safe
from core.messages.template import LANGUAGES, Language

FOLDER = Path(__file__).parents[2] / "specimens" / "words"
KNOWN = {"shot": 12, "record_timecode": "01:00:36:04", "source_timecode": "14:22:07:19"}


def _seen(place: str, path: str, **more: Any) -> Evidence:
    return Evidence(operation="render", place=place, path=path, **more)  # type: ignore[arg-type]


FAULTS: dict[str, Evidence] = {
    "media-offline": _seen("source", "/Volumes/RUSHES_A/A004_C012.mov", errno=errno.ENOENT),
    "damaged": _seen(
        "source",
        "/Volumes/RUSHES_A/A004_C012.mov",
        note="log-says-damage",
        stderr=("[h264] error while decoding MB",),
    ),
    "too-short": _seen(
        "source", "/m/B001.mov", note="too-few-frames", frames_wanted=120, frames_seen=97
    ),
    "drive-disconnected": _seen("source", "/Volumes/RUSHES_A/A004_C012.mov", errno=errno.ENODEV),
    "share-lost": _seen("source", "/mnt/nas/A004_C012.mov", errno=errno.ESTALE, network=True),
    "scratch-full": _seen(
        "scratch", "/scratch/segments/ab12.mov", errno=errno.ENOSPC, free_bytes=48_200_000
    ),
    "film-volume-full": _seen(
        "output", "/Volumes/DELIVERY/film.mov", errno=errno.ENOSPC, free_bytes=0
    ),
    "out-of-memory": _seen("program", "/m/8K.mov", errno=errno.ENOMEM),
    "ffmpeg-crashed": _seen("program", "/m/odd.mkv", exit_code=-11),
    "worker-died": _seen("program", "/m/B001.mov", note="worker-died"),
    "film-damaged": _seen(
        "output", "/Volumes/DELIVERY/film.mov", note="refuted", detail="frame 1204 differs"
    ),
    "unknown": _seen(
        "program", "/m/B001.mov", exit_code=77, stderr=("[out#0] something nobody has met before",)
    ),
    "hostile-name": _seen("source", "/m/{detail}\x1b[31m[bold]\u202e %s\n.mov", errno=errno.ENOENT),
}
"""Evidence, diagnosed before it is told: the whole way from what was seen to what is read."""

REFUSALS: dict[str, tuple[str, dict[str, object]]] = {
    "no-space": (
        "output-space",
        {"path": "/Volumes/DELIVERY", "free": 3_100_000_000, "wanted": 41_500_000_000},
    ),
    "would-destroy-media": ("output-is-source", {"path": "/m/A.mov", "source": "/m/A.mov"}),
    "part-of-a-shot": ("shot-mended", {"path": "/m/A004_C012.mov", "detail": "24/120", **KNOWN}),
}


def telling(said: Words, safe: str = "") -> str:
    """All of it as text: what an account of a failure is made of."""
    lines = [f"{said.title}.", said.message, said.did, safe]
    lines += [f"{'→' if action.safe else '!'} {action.text}" for action in said.actions]
    return "\n".join(line for line in [*lines, said.more] if line) + "\n"


def tellings(language: Language) -> dict[str, str]:
    """Name to text."""
    safe = what_is_safe(verified=212, shots=214, language=language)
    told = {
        name: telling(explain(diagnose(seen), language, **KNOWN), safe)
        for name, seen in FAULTS.items()
    }
    return told | {
        name: telling(words(code, language, **fields)) for name, (code, fields) in REFUSALS.items()
    }


def main() -> None:
    """Write them anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for language in LANGUAGES:
        for name, text in tellings(language).items():
            (FOLDER / f"{name}.{language}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
