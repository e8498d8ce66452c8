"""Evidence to failure. Real endings of two generations of ffmpeg stand in `tests/specimens/ffmpeg_stderr`, each with the
verdict it must get; what our own checks say stands here."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import NamedTuple

import pytest

from core.decide import integrity
from core.decide.diagnosis import TABLE, diagnose
from core.model.failure import ErrorType, Evidence
from core.model.orders import Made, RenderSegment

FOLDER = Path(__file__).parents[2] / "specimens" / "ffmpeg_stderr"
PATHS = {"source": "/media/a.mov", "scratch": "/scratch/v1.1.mov", "output": "/films/a.mov", "program": ""}


class Specimen(NamedTuple):
    """One ending of ffmpeg as it was seen, and the verdict: code and class."""

    seen: Evidence
    code: str
    type: ErrorType


def read(path: Path) -> Specimen:
    """A head of `name: value` lines up to `---`, then what ffmpeg wrote.

    name, generation, exit (as Python's returncode), place, expected (code and class); network: yes; frames: seen of wanted.
    With exit 0 it is our own checks that must find fault.
    """
    head, _, log = path.read_text(encoding="utf-8").partition("---\n")
    said = dict(line.split(": ", 1) for line in head.splitlines())
    lines, place = tuple(log.splitlines()), said["place"]
    code, kind = said["expected"].split()
    if said["exit"] == "0":
        got, wanted = map(int, said.get("frames", "24 of 24").split(" of "))
        order = RenderSegment(key="v1", argv=(), part=PATHS["scratch"], frames=wanted, signature="", source=PATHS["source"])
        seen = integrity.discrepancy(order, Made(frames=got, log=lines))
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
        )
    return Specimen(seen, code, ErrorType(kind))


SPECIMENS = {path.stem: read(path) for path in sorted(FOLDER.glob("*.txt"))}


@pytest.mark.parametrize("name", SPECIMENS)
def test_every_ending_of_ffmpeg_gets_its_verdict(name):
    specimen = SPECIMENS[name]
    failure = diagnose(specimen.seen)
    assert (failure.code, failure.type) == (specimen.code, specimen.type)
    assert failure.evidence is specimen.seen, "evidence is kept as it was seen"


def test_both_generations_of_ffmpeg_are_told_alike():
    names = {}
    for name, specimen in SPECIMENS.items():
        what, _, generation = name.partition(".")
        names.setdefault(what, {})[generation] = specimen.code
    both = {what: codes for what, codes in names.items() if len(codes) == 2}
    assert len(both) > 40
    differ = {what: codes for what, codes in both.items() if len(set(codes.values())) > 1}
    # ffmpeg 9 says nothing of a Matroska file that was cut: there only the count of frames tells.
    assert differ == {"truncated-matroska": {"5.1": "source-damaged", "9.0": "source-too-short"}}


def seen(place: str = "source", number: int | None = None, **more: object) -> Evidence:
    return Evidence(operation="render", place=place, path=PATHS[place], errno=number, **more)  # type: ignore[arg-type]


PLACES = {
    errno.ENOSPC: ("scratch-full", "scratch-full", "output-full"),
    errno.EDQUOT: ("scratch-full", "scratch-full", "output-full"),
    errno.EIO: ("source-read-error", "scratch-failing", "output-failing"),
    errno.EROFS: ("scratch-read-only", "scratch-read-only", "output-read-only"),
    errno.EACCES: ("source-no-permission", "scratch-no-permission", "output-no-permission"),
    errno.EPERM: ("source-no-permission", "scratch-no-permission", "output-no-permission"),
    errno.ENOENT: ("source-missing", "scratch-gone", "output-gone"),
    errno.ENOTDIR: ("source-missing", "scratch-gone", "output-gone"),
    errno.ENODEV: ("source-volume-gone", "scratch-failing", "output-failing"),
}
"""What the same number means on the source, on the scratch disk and where the film goes."""


@pytest.mark.parametrize("number", PLACES, ids=errno.errorcode.get)
def test_place_decides_before_cause(number):
    assert tuple(diagnose(seen(place, number)).code for place in ("source", "scratch", "output")) == PLACES[number]


ANYWHERE = [
    (errno.EFBIG, "file-too-large"), (errno.ENOMEM, "out-of-memory"), (errno.EMFILE, "too-many-files"),
    (errno.ENFILE, "too-many-files"),
    (errno.EAGAIN, "machine-busy"), (errno.EBUSY, "machine-busy"), (errno.ETXTBSY, "machine-busy"),
    (errno.ESTALE, "network-lost"),
    (errno.ETIMEDOUT, "network-lost"), (errno.ENOTCONN, "network-lost"), (errno.EHOSTDOWN, "network-lost"),
    (errno.ECONNRESET, "network-lost"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "code"), ANYWHERE, ids=lambda value: errno.errorcode.get(value, value))
@pytest.mark.parametrize("place", ["source", "scratch", "output"])
def test_some_causes_are_the_same_everywhere(number, code, place):
    assert diagnose(seen(place, number)).code == code


def test_a_local_disk_that_returns_errors_fails_and_a_share_comes_back():
    local, share = diagnose(seen("source", errno.EIO)), diagnose(seen("source", errno.EIO, network=True))
    assert (local.code, local.type) == ("source-read-error", ErrorType.HARDWARE_FAILURE)
    assert (share.code, share.type) == ("network-lost", ErrorType.TRANSIENT_NETWORK)
    assert diagnose(seen("output", errno.EIO, network=True)).code == "network-lost"


def test_ffmpeg_9_says_the_errno_in_its_exit_code():
    for number, code in ((errno.ENOSPC, "scratch-full"), (errno.ENOMEM, "out-of-memory"), (errno.EAGAIN, "machine-busy")):
        assert diagnose(seen("scratch", exit_code=256 - number)).code == code
    assert diagnose(seen("scratch", exit_code=255)).code == "ffmpeg-stopped", "EPERM or a signal: not to be told"
    assert diagnose(seen("scratch", errno.EIO, exit_code=228)).code == "scratch-failing", "an errno seen by ourselves goes before"


NOTES = [
    ("source", "unlike-record", "source-unlike-record"), ("source", "source-changed", "source-changed"), ("scratch", "seal-damaged", "seal-damaged"),
    ("source", "not-a-file", "source-not-a-file"),
    ("source", "empty-file", "source-empty"), ("source", "not-media", "source-not-media"),
    ("source", "no-streams", "source-not-media"),
    ("source", "no-picture", "source-no-picture"), ("source", "hung", "source-hung"), ("scratch", "hung", "program-hung"),
    ("program", "hung", "program-hung"), ("output", "hung", "program-hung"), ("scratch", "space-low", "scratch-full"),
    ("output", "space-low", "output-full"), ("scratch", "out-of-memory", "out-of-memory"),
    ("program", "worker-died", "worker-died"),
    ("source", "invalid-data", "source-damaged"), ("source", "media-error", "source-damaged"),
    ("source", "log-says-damage", "source-damaged"),
    ("source", "too-few-frames", "source-too-short"), ("source", "too-few-samples", "source-too-short"),
    ("source", "too-many-frames", "render-unlike"), ("source", "off-grid", "render-unlike"),
    ("source", "other-signature", "render-unlike"),
    ("scratch", "too-few-frames", "render-unlike"), ("scratch", "log-says-damage", "render-unlike"),
    ("output", "refuted", "film-damaged"), ("output", "too-few-samples", "film-damaged"),
    ("output", "too-few-frames", "render-unlike"),
]  # fmt: skip


@pytest.mark.parametrize(("place", "note", "code"), NOTES)
def test_what_our_own_checks_name_has_its_code(place, note, code):
    assert diagnose(seen(place, note=note)).code == code


def test_a_share_that_hangs_may_come_back():
    assert diagnose(seen("source", note="hung", network=True)).type is ErrorType.TRANSIENT_NETWORK
    assert diagnose(seen("source", note="hung")).type is ErrorType.TRANSIENT_RESOURCE


def test_a_file_that_never_opened_is_unreadable_and_one_that_breaks_later_is_damaged():
    opening = Evidence(operation="examine", place="source", path="/media/a.mov", note="invalid-data")
    assert diagnose(opening).code == "source-unreadable"
    assert diagnose(seen("source", note="invalid-data")).code == "source-damaged"


@pytest.mark.parametrize("signal", [-11, -6, -4, -8, -7])
def test_a_crash_is_a_crash(signal):
    assert diagnose(seen(exit_code=signal)).code == "ffmpeg-crashed"


def test_a_crash_that_left_a_cause_behind_has_that_cause():
    assert diagnose(seen("scratch", exit_code=-6, stderr=("malloc of size 3 GB failed",))).code == "out-of-memory"


@pytest.mark.parametrize(
    "nothing",
    [
        seen("source"), seen("scratch", exit_code=1), seen("output", exit_code=234, stderr=("something else",)),
        seen("program", note="unexpected"),
        seen("source", errno.EINVAL), seen("source", note="a-note-of-tomorrow", exit_code=-15),
        seen("source", exit_code=3_221_225_477),
    ],
)  # fmt: skip
def test_what_nobody_knows_stays_unknown_and_is_tried_once_more(nothing):
    failure = diagnose(nothing)
    assert (failure.code, failure.type) == ("unknown", ErrorType.TRANSIENT_RESOURCE)
    assert failure.evidence is nothing


def test_names_of_files_are_not_taken_for_causes():
    named = Evidence(operation="render", place="source", path="/media/No space left on device/Connection reset.mov", exit_code=1)
    assert diagnose(named).code == "unknown"


def everything_above() -> list[Evidence]:
    found = [specimen.seen for specimen in SPECIMENS.values()]
    found += [seen(place, number) for number in [*PLACES, *(n for n, _ in ANYWHERE)] for place in ("source", "scratch", "output")]
    found += [seen(place, note=note) for place, note, _ in NOTES] + [seen("source", note="hung", network=True), seen("source", note="volume-gone")]
    found += [seen("source", errno.EIO, network=True), seen("output", errno.EIO, network=True)]
    return [*found, Evidence(operation="examine", place="source", path="/media/a.mov", note="invalid-data")]


def test_every_row_of_the_table_has_met_what_it_is_for():
    hit = {next((n for n, row in enumerate(TABLE) if row.matches(one)), None) for one in everything_above()}
    assert [row for n, row in enumerate(TABLE) if n not in hit] == []


def test_a_codes_class_is_the_same_wherever_it_stands_but_for_a_share_that_hangs():
    classes = {}
    for row in TABLE:
        classes.setdefault(row.code, set()).add(row.type)
    assert {code for code, types in classes.items() if len(types) > 1} == {"source-hung"}
