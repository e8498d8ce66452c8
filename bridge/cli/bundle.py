"""Contents of a diagnostic bundle: file names mapped to bytes, with or without names redacted."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec

from bridge.cli.report import page
from bridge.cli.show import moment
from bridge.services import logs
from bridge.services.job_accounts import Account
from bridge.services.locations import Locations, program_version
from core.errors.refusal import Refused
from core.graph.nodes import Plan
from core.job.events import Fact
from core.media import ffmpeg_binary
from core.messages.phrases import phrase
from core.messages.template import Language
from core.report.html_report import report
from core.report.job_view import chronicle
from core.report.redact import Mask, names_in
from core.report.text_report import listing
from core.storage import preset_files
from core.storage.journal import Entry, Journal
from core.system import codec, machine

_LIBRARIES = (
    "opentimelineio",
    "av",
    "numpy",
    "pillow",
    "xxhash",
    "msgspec",
    "PyYAML",
    "tenacity",
    "platformdirs",
    "rich",
    "ffmpeg-python",
    "imageio-ffmpeg",
)


def bundle(where: Locations, journal: Journal, known: Account, *, masked: bool) -> dict[str, bytes]:
    """Collect everything about one job.

    Texts for people are in the language of the settings. With `masked`, no file contains a name, a
    path or a picture.
    """
    speak = where.settings.language
    _, raw = journal.request(known.job)
    timeline = _parsed(raw)
    logged = _logged(where.home, known.job, only=masked)
    facts = [_plain(entry) for entry in known.entries]
    plan = codec.plain(known.plan) if known.plan is not None else None
    about = _machine(where)
    if masked:
        mask = Mask(
            _names(where, facts, plan, timeline, logged, about), keep=preset_files.load_all(None)
        )
        facts, plan, logged, about = (mask.value(one) for one in (facts, plan, logged, about))
        timeline = mask.timeline(timeline)
        raw = json.dumps(timeline, indent=1).encode() if timeline is not None else b""
        known = _again(known.job, facts, plan)
        text = report(known.told, pictures={}, good={}, moment=moment, speak=speak)
    else:
        text = page(where, journal, known)
    files = {
        "README.txt": _readme(known.job, masked, speak).encode(),
        "report.html": text.encode(),
        "story.txt": listing(known.told, known.entries, moment, speak).encode(),
        "journal.jsonl": _lines(facts),
        "log.jsonl": _lines(logged),
        "machine.json": json.dumps(about, indent=1).encode(),
        "timeline.otio": raw,
    }
    if plan is not None:
        files["plan.json"] = json.dumps(plan, indent=1).encode()
    return files


def _names(where: Locations, *values: Any) -> set[str]:
    facts, plan, timeline, logged, about = values
    found = names_in(facts) | names_in(plan) | names_in(logged) | names_in(about) | _named(timeline)
    found |= {str(where.home), str(where.scratch), str(Path.home()), os.getcwd(), platform.node()}
    return {name for name in found if name}


def _named(value: Any, field: str = "") -> set[str]:
    """Collect the names and media locations that a timeline contains."""
    if isinstance(value, dict):
        return {name for key, one in value.items() for name in _named(one, key)}
    if isinstance(value, list):
        return {name for one in value for name in _named(one, field)}
    wanted = field in ("name", "target_url", "target_url_base", "name_prefix", "name_suffix")
    return {value} if wanted and isinstance(value, str) else set()


def _again(job: str, facts: list[dict[str, Any]], plan: Any) -> Account:
    """Rebuild the account from masked values, so that the report cannot contain anything else."""
    bodies = [json.dumps({"is": one["kind"], **one["fact"]}) for one in facts]
    entries = [
        Entry(one["seq"], one["job"], one["at"], codec.decode(body, Fact))  # type: ignore[arg-type]
        for one, body in zip(facts, bodies, strict=True)
    ]
    kept = codec.decode(json.dumps(plan), Plan) if plan is not None else None
    return Account(job, entries, kept, chronicle(job, entries, kept))


def _plain(entry: Entry) -> dict[str, Any]:
    body = codec.plain(entry.fact)
    return {
        "seq": entry.seq,
        "job": entry.job,
        "at": entry.at,
        "kind": body.pop("is"),
        "fact": body,
    }


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _logged(home: Path, job: str, *, only: bool) -> list[dict[str, Any]]:
    """Read the log entries about `job` and those that belong to no job.

    With `only`, drop the message of every entry. Of the entries without a job, keep only `command`
    and `unforeseen`, without their error messages: these may hold names that this job does not
    know.
    """
    found: list[dict[str, Any]] = []
    for path in reversed(logs.files(home)):
        try:
            lines = path.read_bytes().splitlines()
        except OSError:
            continue
        for line in lines:
            try:
                said = json.loads(line)
            except ValueError:
                continue  # a full disk cut this line
            if not isinstance(said, dict) or said.get("job", job) != job:
                continue
            # `story.txt` tells the same from masked values.
            if only:
                said.pop("message", None)
            if only and "job" not in said:
                if said.get("event") not in ("command", "unforeseen"):
                    continue
                for error in said.get("errors", ()):
                    error.pop("message", None)
            found.append(said)
    return found


def _machine(where: Locations) -> dict[str, Any]:
    """Describe versions and hardware, without the machine's name or its environment variables."""
    try:
        ffmpeg = ffmpeg_binary.find(where.settings.ffmpeg, where.home).version
    except Refused as error:
        ffmpeg = error.code
    libraries = []
    for library in _LIBRARIES:
        try:
            libraries.append(f"{library} {version(library)}")
        except PackageNotFoundError:
            libraries.append(f"{library} missing")
    return {
        "version": program_version(),
        "ffmpeg": ffmpeg,
        "python": platform.python_version(),
        "libraries": libraries,
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "processors": machine.cores(),
        "scratch_free_bytes": machine.free_bytes(where.scratch),
        "home_free_bytes": machine.free_bytes(where.home),
        "scratch_on_network": machine.on_network(where.scratch),
        "settings": {
            f"chosen_{name}": value for name, value in msgspec.to_builtins(where.settings).items()
        },
    }


def _lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _readme(job: str, masked: bool, speak: Language) -> str:
    hidden = phrase("bundle-masked" if masked else "bundle-plain", speak)
    about = {
        "report.html": phrase("bundle-report", speak),
        "story.txt": phrase("bundle-story", speak),
        "journal.jsonl": phrase("bundle-journal", speak),
        "plan.json": phrase("bundle-plan", speak),
        "timeline.otio": phrase("bundle-timeline", speak),
        "log.jsonl": phrase("bundle-log", speak),
        "machine.json": phrase("bundle-machine", speak),
    }
    rows = "".join(f"{name:15} {what}\n" for name, what in about.items())
    return f"{phrase('bundle-begin', speak, job=job)} {hidden}\n\n{rows}"
