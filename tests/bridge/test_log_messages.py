"""What the log says to somebody who knows nothing of the code: the cause, the file, the time and the decision."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.services import logs
from core.errors.failure import ErrorType, Evidence, Failure, Recovery, Strategy
from core.job.events import (
    AttemptFailed,
    ClockJumped,
    GateClosed,
    GateOpened,
    JobFinished,
    ProblemFound,
    ShotSlated,
)
from tests.faults.volumes import small, why_no_mount


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "home").mkdir()
    logs.begin(tmp_path / "home")
    yield tmp_path / "home"
    logs.begin(tmp_path / "over")


def lines(home: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in reversed(logs.files(home))
        for line in path.read_bytes().splitlines()
    ]


def failure(code: str, **seen: object) -> Failure:
    evidence = Evidence(
        **{"operation": "render", "place": "source", "path": "/media/a.mov", **seen}
    )  # type: ignore[arg-type]
    return Failure(type=ErrorType.HARDWARE_FAILURE, code=code, evidence=evidence)


def test_every_line_has_a_moment_in_utc_and_a_sentence(home: Path) -> None:
    recovery = Recovery(strategy=Strategy.WAIT_AND_RETRY, retry_at=1.0)
    gone = failure("source-volume-gone", errno=errno.ENODEV, volume="/media")
    logs.command("assemble", "1.0", ["assemble", "a.otio", "-o", "film.mov"])
    logs.fact(
        "abc", 1, AttemptFailed(key="k", shot=3, attempt=2, at=0.0, failure=gone, recovery=recovery)
    )
    logs.fact("abc", 2, GateClosed(gate="source:/media", path="/media/a.mov", failure=gone))
    logs.fact("abc", 3, GateOpened(gate="source:/media", closed_s=2.5))
    logs.fact("abc", 4, ClockJumped(by_s=-3600.0))
    logs.fact("abc", 5, ProblemFound(code="source-missing", path="/media/b.mov", shots=(4,)))
    logs.fact("abc", 6, ShotSlated(shot=3, failure=gone))
    logs.fact("abc", 7, JobFinished(outcome="incomplete"))
    logs.ended(1)
    told = lines(home)
    assert all(
        one["time"].endswith("Z")
        and one["time"][10] == "T"
        and one["message"].rstrip().endswith(".")
        for one in told
    )
    said = [one["message"] for one in told]
    assert "assemble a.otio -o film.mov" in said[0]
    assert (
        "/media/a.mov" in said[1]
        and "ENODEV" in said[1]
        and "tried again" in said[1]
        and told[1]["volume"] == "/media"
    )
    assert "/media" in said[2] and told[2]["gate"] == "source:/media"
    assert "2.5 s" in said[3] and "set back by 1.00 hours" in said[4] and "/media/b.mov" in said[5]
    assert "exit code 1" in said[-1] and told[-1]["event"] == "command ended"


def test_a_field_never_takes_the_place_of_the_moment(home: Path) -> None:
    logs._say(20, "x", at="127.0.0.1:1", pid="other")
    (one,) = lines(home)
    assert (
        isinstance(one["at"], float) and one["pid"] == os.getpid() and one["at_"] == "127.0.0.1:1"
    )


def test_a_signal_is_named(home: Path) -> None:
    killed = failure("ffmpeg-killed", exit_code=-9)
    logs.fact("abc", 1, ShotSlated(shot=1, failure=killed))
    assert "signal 9 (SIGKILL)" in lines(home)[0]["message"]


def test_no_folder_is_made_for_a_line_when_the_data_folder_went_away(home: Path) -> None:
    logs.refused("x", "before")
    os.rename(home, home.with_name("away"))
    logs.refused("x", "meanwhile")
    assert not home.exists()
    os.rename(home.with_name("away"), home)
    logs.refused("x", "after")
    assert [one["message"] for one in lines(home)] == ["before", "after"]


@pytest.mark.skipif(bool(why_no_mount()), reason=why_no_mount())
def test_a_full_disk_is_named_in_the_log_that_lies_on_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with small(home, kilobytes=400) as filler:
        logs.begin(home)
        logs.refused("x", "There is room.")
        with filler.open("wb", buffering=0) as handle, pytest.raises(OSError, match="space"):
            while handle.write(bytes(4096)):
                pass
        logs.refused("data-folder-full", "No room is left.")
        assert [one["code"] for one in lines(home)] == ["x", "data-folder-full"]
    logs.begin(tmp_path / "over")
