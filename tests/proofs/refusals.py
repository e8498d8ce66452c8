"""Every bad request is refused in words, before anything is begun.

    python -m tests.proofs.refusals [--quick]

A film of ours stands there, with its journal. Then each of `bad_requests` is made, once for people and once with
`--json`, and must:

1. end with exit code 2, and with --json in one last line: the summary with that exit code and the expected code;
2. say a title, a message and an action, without a traceback or the name of an exception, in a few lines without control characters;
3. publish nothing, leave the film that stands there and everything beside it untouched, and leave no file anywhere;
4. record no job;
5. not touch a byte or a date of the sources.

The full proof runs the real command line in a process of its own; --quick forks for each request, with --json alone.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.proofs import record, report
from tests.proofs.bad_files import make_material
from tests.proofs.bad_requests import Bad, Material, requests
from tests.proofs.hindrances import can_mount
from tests.proofs.launch import NotDone
from tests.proofs.stage import Ended, Lane, alive, look

_INTERNAL = re.compile(
    r"Traceback|\b[A-Za-z]+(?:Error|Exception|Refused)\b|\b[Ee]rrno\b|<class|object at 0x|_count|NoneType"
)
_PLAINLY = (
    "setpriv",
    "--bounding-set",
    "-dac_override,-dac_read_search",
    "--inh-caps",
    "-dac_override,-dac_read_search",
)
"""Root, but bound by file permissions as everybody is."""


MOST_SAID = 3000
"""Characters that a refusal, with the usage of its command, may take in a terminal."""


def not_possible(bad: Bad) -> str:
    """Why this request cannot be tried here; empty when it can."""
    root = os.geteuid() == 0
    if bad.plainly and root and not shutil.which("setpriv"):
        return "we are root and setpriv is not installed: permissions do not bind us"
    if bad.full and not can_mount():
        return "no volume can be mounted here"
    return ""


def try_one(
    bad: Bad, lane: Lane, sources: Path, *, as_json: bool, forked: bool
) -> tuple[list[str], str]:
    """What did not hold, and what was said to the user."""
    lane.restore("film")
    argv = [*bad.argv, "--json"] if as_json else bad.argv
    wrong: list[str] = []
    with bad.setting(lane):
        before, media = _everything(lane), look(sources)
        jobs = 0 if bad.home_broken else len(record.read(lane.home).jobs)
        try:
            if bad.plainly and os.geteuid() == 0:
                ended = lane.command(_PLAINLY, argv)
            elif forked:
                ended = lane.run(argv)
            else:
                ended = lane.command((), argv)
        except (NotDone, subprocess.TimeoutExpired) as error:
            return [f"it did not come to an end: {error}"], ""
        wrong += _said(bad, ended, as_json)
        after = _everything(lane)
        for path in sorted(before.keys() | after.keys()):
            if before.get(path) != after.get(path):
                what = (
                    "touched"
                    if path in before and path in after
                    else "left behind"
                    if path in after
                    else "removed"
                )
                wrong.append(f"{path} was {what}")
        if not bad.home_broken and len(record.read(lane.home).jobs) != jobs:
            wrong.append("a job was recorded")
        if look(sources) != media:
            wrong.append("a source was touched")
        if alive(lane.mark):
            wrong.append("processes are left")
    return wrong, ended.summary.get("message", "") if as_json else " ".join(ended.said.split())


def _everything(lane: Lane) -> dict[str, tuple[int, int, str]]:
    """All files of the lane but those that any use of the journal may touch; folders count by their names alone."""
    found = {}
    for path, (moment, size, digest) in look(lane.root).items():
        if path in (
            "home/journal.db-wal",
            "home/journal.db-shm",
            "home/settings.yaml",
        ) or path.startswith(("home/locks", "home/logs")):
            continue
        if path == "home/journal.db":
            moment = 0
        found[path] = (moment, size, digest) if digest != "absent" else (0, 0, digest)
    return found


def _said(bad: Bad, ended: Ended, as_json: bool) -> list[str]:
    wrong = []
    if ended.exit_code != 2:
        wrong.append(f"exit code {ended.exit_code} instead of 2: {ended.said[-300:]!r}")
    if found := _INTERNAL.search(ended.said):
        wrong.append(f"it speaks of its inside: {found.group()!r} in {ended.said[-300:]!r}")
    if not as_json:
        if len(ended.said.split()) < 8:
            wrong.append(f"it says too little: {ended.said!r}")
        if len(ended.said) > MOST_SAID:
            wrong.append(f"it floods the terminal with {len(ended.said)} characters")
        if strange := {character for character in ended.said if not character.isprintable()} - {
            "\n"
        }:
            wrong.append(f"it sends {strange} to the terminal")
        return wrong
    summary = ended.summary
    if summary.get("event") != "summary" or summary.get("exit_code") != 2:
        wrong.append(f"the last line is not the summary: {ended.said[-300:]!r}")
    for name in ("title", "message", "action"):
        if not str(summary.get(name, "")).strip(" ."):
            wrong.append(f"no {name} is given")
    if summary.get("code") != bad.code:
        wrong.append(
            f"refused as {summary.get('code')} instead of {bad.code}: {summary.get('message')}"
        )
    return wrong


def prove(
    place: Path, say: report.Say, *, forked: bool, step: int = 1
) -> tuple[bool, dict[str, object]]:
    """Make every `step`-th bad request; whether all were refused well, and the figures."""
    sources = place / "sources"
    make_material(sources)
    lane = Lane(place / "lane")
    lane.root.mkdir()
    lane.clear()
    material = Material(sources, lane)
    first = lane.run([*material.asked("old.otio"), "--json"])
    if first.exit_code != 0:
        raise RuntimeError(f"the film that shall stand there was not made: {first.said[-1000:]}")
    lane.save("film")
    tried, failed, skipped = 0, 0, 0
    for bad in requests(material, str(first.summary["job"]))[::step]:
        if reason := not_possible(bad):
            say(f"NOT TRIED  {bad.name}: {reason}")
            skipped += 1
            continue
        said = ""
        for as_json in (False,) if not bad.json else (True,) if forked else (False, True):
            wrong, heard = try_one(bad, lane, sources, as_json=as_json, forked=forked)
            said = heard or said
            tried += 1
            failed += bool(wrong)
            for line in wrong:
                say(f"WRONG  {bad.name}{' --json' if as_json else ''}: {line}")
        say(f"{bad.name:42} {said[:150]}")
    lane.launcher.close()
    say(f"{tried} requests, {failed} not refused as they should be, {skipped} kinds not tried here")
    return failed == 0 and tried > 0, {"requests": tried, "failed": failed, "not_tried": skipped}


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; its exit code."""
    quick, say, began = report.quick(arguments), report.Say(), time.monotonic()
    with report.workplace("refusals") as place:
        held, figures = prove(place, say, forked=quick)
    return report.close("refusals", held, quick=quick, seconds=time.monotonic() - began, **figures)


if __name__ == "__main__":
    sys.exit(main())
