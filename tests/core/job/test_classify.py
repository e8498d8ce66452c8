"""Evidence to failure. Real endings of two generations of ffmpeg stand in `tests/specimens/ffmpeg_stderr` (made by
`tests.specimens.making`), and evidence of our own checks in `tests/specimens/evidence`, each with the verdict it must get."""

from __future__ import annotations

import errno
import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from core.errors.failure import ErrorType, Evidence
from core.job import verification
from core.job.classification_table import TABLE
from core.job.classify import diagnose, matches
from core.messages import catalogue
from core.tasks.spec import Made, RenderSegment

FOLDER = Path(__file__).parents[2] / "specimens"
PATHS = {
    "source": "/media/a.mov",
    "scratch": "/scratch/v1.1.mov",
    "output": "/films/a.mov",
    "program": "",
}


class Specimen(NamedTuple):
    """What was seen, and the verdict: code and class."""

    seen: Evidence
    code: str
    type: ErrorType


def read(path: Path) -> Specimen:
    """A head of `name: value` lines up to `---`, then what ffmpeg wrote.

    name, generation, exit (as Python's returncode), place, expected (code and class); network: yes; frames: seen of wanted;
    errno: what our own reading of the source found afterwards. With exit 0 it is our own checks that must find fault.
    """
    head, _, log = path.read_text(encoding="utf-8").partition("---\n")
    said = dict(line.split(": ", 1) for line in head.splitlines())
    lines, place = tuple(log.splitlines()), said["place"]
    code, kind = said["expected"].split()
    if said["exit"] == "0":
        got, wanted = map(int, said.get("frames", "24 of 24").split(" of "))
        order = RenderSegment(
            key="v1",
            argv=(),
            part=PATHS["scratch"],
            frames=wanted,
            signature="",
            source=PATHS["source"],
        )
        seen = verification.discrepancy(order, Made(frames=got, log=lines))
        assert seen is not None, f"{path.name}: ffmpeg ended with 0 and nobody noticed"
        assert seen.place == place
    else:
        seen = Evidence(
            operation="render",
            place=place,
            path=PATHS[place],
            exit_code=int(said["exit"]),
            stderr=lines,  # type: ignore[arg-type]
            network="network" in said,
            errno=getattr(errno, said["errno"]) if "errno" in said else None,
        )
    return Specimen(seen, code, ErrorType(kind))


def told(row: dict[str, object]) -> Specimen:
    """A line of `evidence/*.json`: fields of Evidence, the errno by its name, and `why` for people."""
    code, kind = str(row["expected"]).split()
    place = str(row["place"])
    fields = {key: row[key] for key in ("note", "operation", "exit_code", "network") if key in row}
    number = getattr(errno, str(row["errno"])) if "errno" in row else None
    lines = tuple(row.get("stderr", ()))  # type: ignore[call-overload]
    fields = {"operation": "render", "path": PATHS[place], **fields}
    return Specimen(
        Evidence(place=place, errno=number, stderr=lines, **fields), code, ErrorType(kind)
    )  # type: ignore[arg-type]


ENDINGS = {path.stem: read(path) for path in sorted((FOLDER / "ffmpeg_stderr").glob("*.txt"))}
OURS = {
    f"{path.stem}-{place}": told(row)
    for path in sorted((FOLDER / "evidence").glob("*.json"))
    for place, row in enumerate(json.loads(path.read_text(encoding="utf-8")), 1)
    if hasattr(errno, row.get("errno", "EIO"))  # no system has all numbers
}
SPECIMENS = ENDINGS | OURS


@pytest.mark.parametrize("name", SPECIMENS)
def test_every_specimen_gets_its_verdict(name):
    specimen = SPECIMENS[name]
    failure = diagnose(specimen.seen)
    assert (failure.code, failure.type) == (specimen.code, specimen.type)
    assert failure.evidence is specimen.seen, "evidence is kept as it was seen"


def test_no_ending_of_ffmpeg_is_unknown():
    assert [name for name, specimen in SPECIMENS.items() if specimen.code == "unknown"] == []


def test_both_generations_of_ffmpeg_are_told_alike():
    names = {}
    for name, specimen in ENDINGS.items():
        what, _, generation = name.partition(".")
        names.setdefault(what, {})[generation] = specimen.code
    both = {what: codes for what, codes in names.items() if len(codes) == 2}
    assert len(both) > 60
    differ = {what: codes for what, codes in both.items() if len(set(codes.values())) > 1}
    # ffmpeg 9 says nothing of a Matroska file that was cut: there only the count of frames tells.
    assert differ == {"truncated-matroska": {"5.1": "source-truncated", "9.0": "source-too-short"}}


# The table ------------------------------------------------------------------------------------------------------------


def first(seen: Evidence) -> int | None:
    """The number of the row that speaks."""
    said = "\n".join(seen.stderr)
    return next((number for number, row in enumerate(TABLE) if matches(row, seen, said)), None)


def test_no_row_without_a_specimen_and_so_none_hidden_by_another():
    heard = {first(specimen.seen) for specimen in SPECIMENS.values()}
    assert [row for number, row in enumerate(TABLE) if number not in heard] == []


def test_every_way_of_a_row_to_know_its_cause_has_met_it():
    """An errno, and each alternative among ffmpeg's words: what nothing was ever heard to say does not stand there."""
    silent = []
    heard = [specimen.seen for specimen in SPECIMENS.values()]
    for number, row in enumerate(TABLE):
        mine = [specimen.seen for specimen in SPECIMENS.values() if first(specimen.seen) == number]
        silent += [
            f"{row.code}: errno {n}"
            for n in row.errnos
            if not any(seen.errno == n for seen in mine)
        ]
        silent += [
            f"{row.code}: exit {n}"
            for n in row.exits
            if not any(seen.exit_code == n for seen in mine)
        ]
        silent += [
            f"{row.code}: {note}"
            for note in row.note
            if note and not any(seen.note == note for seen in mine)
        ]
        silent += [
            f"{row.code}: {word.pattern}"
            for word in row.stderr
            if not any(word.search("\n".join(seen.stderr)) for seen in heard)
        ]
    assert silent == []


def test_there_are_enough_codes_and_each_is_explained():
    codes = {row.code for row in TABLE} | {"unknown"}
    assert len(codes) >= 55
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)+|unknown", code) for code in codes)
    assert codes - set(catalogue.entries()) == set()


def test_a_codes_class_is_the_same_wherever_it_stands_but_for_a_share_that_hangs():
    classes = {}
    for row in TABLE:
        classes.setdefault(row.code, set()).add(row.type)
    assert {code for code, types in classes.items() if len(types) > 1} == {"source-hung"}


# Traps ----------------------------------------------------------------------------------------------------------------

TRAPS = [
    # Words of one cause in a file's name, in another one's message.
    ("No space left on device.mov", "source-missing", "file:/media/{}: No such file or directory"),
    (
        "a: No space left on device.mov",
        "source-missing",
        "file:/media/{}: No such file or directory",
    ),
    (
        "Connection reset by peer",
        "source-missing",
        "file:/media/{}/a.mov: No such file or directory",
    ),
    ("Permission denied", "source-read-error", "file:/media/{}.mov: Input/output error"),
    ("moov atom not found", "source-missing", "file:/media/{}: No such file or directory"),
    (
        "Unknown encoder 'x'",
        "source-no-permission",
        "[error] file:/media/{}.mov: Permission denied",
    ),
    (
        "Cannot load libcuda.so.1",
        "source-missing",
        "[fatal] file:/media/{}: No such file or directory",
    ),
    (
        "Input/output error",
        "source-missing",
        "[in#0 @ 0x1] [error] Error opening input: No such file or directory\n[error] Error opening input file file:/media/{}.",
    ),
]


@pytest.mark.parametrize(("name", "code", "line"), TRAPS, ids=[name for name, *_ in TRAPS])
def test_names_of_files_are_not_taken_for_causes(name, code, line):
    seen = Evidence(
        operation="render",
        place="source",
        path=f"/media/{name}",
        exit_code=1,
        stderr=tuple(line.format(name).split("\n")),
    )
    assert diagnose(seen).code == code
    assert (
        diagnose(
            Evidence(operation="render", place="source", path=f"/media/{name}", exit_code=1)
        ).code
        == "unknown"
    )


@pytest.mark.parametrize("place", ["source", "scratch", "output", "program"])
@pytest.mark.parametrize(
    "line",
    [
        "No space left on device",
        "[out#0/mov @ 0x1] [error] Task finished with error code: -28 (No space left on device)",
    ],
)
def test_a_full_disk_is_never_taken_for_missing_hardware(place, line):
    """`No space left on device` has the word device in it."""
    failure = diagnose(Evidence(operation="render", place=place, exit_code=1, stderr=(line,)))
    assert failure.type is ErrorType.SYSTEM_RESOURCE_EXCEEDED and failure.code.endswith("-full")


@pytest.mark.parametrize(
    "nothing",
    [
        Evidence(operation="render", place="source"), Evidence(operation="render", place="scratch", exit_code=1),
        Evidence(operation="render", place="output", exit_code=234, stderr=("something else",)),
        Evidence(operation="render", place="program", note="unexpected"),
        Evidence(operation="render", place="source", note="a-note-of-tomorrow", exit_code=-15),
        Evidence(operation="render", place="source", exit_code=3_221_225_477),
    ],
)  # fmt: skip
def test_what_nobody_knows_stays_unknown_and_is_tried_once_more(nothing):
    failure = diagnose(nothing)
    assert (failure.code, failure.type) == ("unknown", ErrorType.TRANSIENT_RESOURCE)
    assert failure.evidence is nothing
