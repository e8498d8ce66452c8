"""The log: whole lines, of however many processes; no secrets; and never a reason for anything else to fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bridge.services import logs
from core.errors.failure import ErrorType, Evidence, Failure, Recovery, Strategy
from core.job.events import AttemptFailed, JobFinished, RunStarted
from tests.bridge.companions import companions

ROOT = Path(__file__).parents[3]


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


def failed(**seen: object) -> AttemptFailed:
    evidence = Evidence(
        **{"operation": "render", "place": "source", "path": "/media/a.mov", **seen}
    )
    failure = Failure(type=ErrorType.TRANSIENT_NETWORK, code="network-lost", evidence=evidence)
    return AttemptFailed(
        key="k",
        shot=3,
        attempt=2,
        at=0.0,
        failure=failure,
        recovery=Recovery(strategy=Strategy.WAIT_AND_RETRY, retry_at=1.0),
    )


def test_facts_refusals_and_the_unforeseen(home: Path) -> None:
    logs.command("assemble", "1")
    logs.fact("abc", 7, RunStarted(version="1", ffmpeg="9", workers=2))
    logs.fact("abc", 8, failed(errno=5, stderr=("x", "Input/output error")))
    logs.fact("abc", 9, JobFinished(outcome="failed", code="scratch-full"))
    logs.refused("output-is-folder", "/x is a folder.")
    try:
        raise ZeroDivisionError("odd")
    except ZeroDivisionError as error:
        logs.unforeseen(error)
    told = lines(home)
    assert [(one["event"], one["level"]) for one in told] == [
        ("command", "info"),
        ("RunStarted", "info"),
        ("AttemptFailed", "warning"),
        ("JobFinished", "info"),
        ("refused", "warning"),
        ("unforeseen", "error"),
    ]
    assert (
        told[2]
        | {"job": "abc", "seq": 8, "code": "network-lost", "shot": 3, "attempt": 2, "errno": 5}
        == told[2]
    )
    assert (
        told[2]["stderr"] == ["x", "Input/output error"] and told[2]["strategy"] == "wait_and_retry"
    )
    assert told[3]["outcome"] == "failed"
    (error,) = told[5]["errors"]
    assert (error["type"], error["message"]) == ("ZeroDivisionError", "odd")
    assert error["places"][-1].startswith("tests/bridge/services/test_logs.py:") and str(
        ROOT
    ) not in json.dumps(told)
    assert all(one["pid"] == os.getpid() for one in told)


def test_one_cause_that_is_met_again_and_again_buries_nothing(home: Path) -> None:
    """Bisecting a damage takes dozens of attempts. Another cause among them, and the end, stand in full."""
    for seq in range(40):
        logs.fact("abc", seq, failed())
        if seq == 20:
            logs.fact("abc", 100, failed(path="/media/b.mov"))
    stops = Recovery(strategy=Strategy.PROVIDE_USER_FEEDBACK, fatal=True)
    logs.fact("abc", 101, msgspec.structs.replace(failed(), recovery=stops))
    assert [one["seq"] for one in lines(home)] == [0, 1, 2, 3, 7, 15, 100, 31, 101]
    assert "So far 32 times" in lines(home)[-2]["message"]


def test_a_name_cannot_write_a_line_of_its_own(home: Path) -> None:
    logs.refused("x", 'a\n{"event": "forged"}\r\x1b[31m\u2028\udcff')
    data = logs.files(home)[0].read_bytes()
    assert data.count(b"\n") == 1 and data.isascii() and not any(byte < 32 for byte in data.strip())
    assert lines(home)[0]["message"].startswith("a\n{")


@pytest.mark.parametrize(
    "text",
    [
        "https://anna:hush-hush@host/x.mov",
        "smb://anna:hush-hush@nas/share: timed out",
        "GET /x?token=hush-hush&y=1",
        "API_KEY=hush-hush",
        "password: hush-hush",
        "Authorization: hush-hush",
        "my_secret = hush-hush",
    ],
)
def test_no_secret_is_written(home: Path, text: str) -> None:
    logs.refused("x", text)
    logs.fact("abc", 1, failed(detail=text, stderr=(text,)))
    assert b"hush" not in logs.files(home)[0].read_bytes()


def test_the_environment_is_not_written(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTSPLICE_TEST_SECRET", "hush-hush")
    logs.command("assemble", "1")
    try:
        raise OSError(5, "x")
    except OSError as error:
        logs.unforeseen(error)
    assert b"hush" not in logs.files(home)[0].read_bytes()


def test_a_line_too_long_loses_its_fields_and_not_its_event(home: Path) -> None:
    logs.refused("x", "y" * 100_000)
    (said,) = lines(home)
    assert said["event"] == "refused" and said["left_out"] > 100_000


WRITER = """
import sys
from pathlib import Path
from bridge.services import logs
logs.MOST_BYTES = 20_000
logs.KEEP = 50
logs.begin(Path(sys.argv[1]))
for number in range(400):
    logs.refused(sys.argv[2], str(number))
"""


def test_several_processes_write_and_rotate_and_no_line_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "KEEP", 50)
    names = ["a", "b", "c"]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), name],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for name in names
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    files = logs.files(tmp_path)
    sizes = sorted(path.stat().st_size for path in files)
    assert len(files) > 3 and sizes[len(sizes) // 2] < 25_000, (
        "one may grow while who rotates is held up"
    )
    told = lines(tmp_path)
    for name in names:
        assert sorted(int(one["message"]) for one in told if one["code"] == name) == list(
            range(400)
        ), name


def test_only_so_many_are_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MOST_BYTES", 500)
    monkeypatch.setattr(logs, "KEEP", 3)
    for number in range(60):
        logs.refused("x", f"{number}" * 10)
    assert len(logs.files(home)) in (3, 4)
    assert sum(path.stat().st_size for path in logs.files(home)) < 4 * 800


@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="this system has no device that is always full"
)
def test_a_full_disk_stops_nobody(home: Path) -> None:
    folder = home / "logs"
    folder.mkdir(parents=True)
    os.symlink("/dev/full", folder / logs.FILE)
    logs.refused("x", "y")
    logs.fact("abc", 1, failed())


def test_a_place_that_takes_no_log_stops_nobody(home: Path) -> None:
    home.rmdir()
    home.write_text("a file where the data folder should be")
    logs.refused("x", "y")
    assert logs.files(home) == []


def test_without_a_beginning_nothing_is_written(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", "from bridge.services import logs; logs.refused('x', 'y')"],
        cwd=ROOT, env={**os.environ, "HOTSPLICE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}, capture_output=True, check=True,
    )  # fmt: skip
    assert ran.stdout + ran.stderr == b"" and list(tmp_path.iterdir()) == []


# What a companion without a terminal prints ---------------------------------------------------------------------------


def test_a_file_that_a_program_holds_open_begins_anew_and_has_no_hole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "MOST_BYTES", 5_000)
    path = tmp_path / logs.SAID
    with path.open("ab", buffering=0) as held:
        for number in range(1000):
            held.write(f"line {number:04}\n".encode())
        logs.Shortening(tmp_path).look()
        assert path.stat().st_size == 0
        held.write(b"after\n")
    assert path.read_bytes() == b"after\n"
    kept = path.with_name(f"{logs.SAID}.1").read_bytes()
    assert len(kept) == 5_000 and kept.endswith(b"line 0999\n")


def test_it_is_looked_at_now_and_then_and_a_small_one_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "MOST_BYTES", 10)
    (tmp_path / logs.SAID).write_bytes(b"0123456789")
    shortening = logs.Shortening(tmp_path)
    shortening.look()
    assert (tmp_path / logs.SAID).read_bytes() == b"0123456789"
    (tmp_path / logs.SAID).write_bytes(b"0123456789x")
    shortening.look()
    assert (tmp_path / logs.SAID).exists() and not (tmp_path / f"{logs.SAID}.1").exists(), (
        "it was looked at a moment ago"
    )
    logs.Shortening(tmp_path / "nowhere").look()


def test_what_a_companion_says_goes_to_its_file_and_that_does_not_grow_for_ever(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / logs.SAID).write_bytes(b"old words\n" * 300_000)
    with companions(home) as made:
        child = made.start("--log")
        assert made.said() == ""
        until = time.monotonic() + 30
        while (home / logs.SAID).stat().st_size >= 1000:
            assert time.monotonic() < until
            time.sleep(0.02)
        assert (home / f"{logs.SAID}.1").stat().st_size == logs.MOST_BYTES
        child.terminate()
        child.wait(30)
    assert "The companion has ended" in (home / logs.SAID).read_text()
