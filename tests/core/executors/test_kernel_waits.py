"""Whom a silent process waits for. A named pipe that nobody writes to stands for a share that does not answer."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.executors import kernel_waits
from tests.core import bench

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"),
    reason="only the kernel of Linux tells",
)

Start = Callable[[str], int]


@pytest.fixture
def start() -> Iterator[Start]:
    """Run a line of Python in a session of its own."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(line: str) -> int:
        running.append(subprocess.Popen([sys.executable, "-c", line], start_new_session=True))
        return running[-1].pid

    yield begin
    for process in running:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize(
    "line",
    [
        "import os; os.open({path!r}, os.O_RDONLY)",
        "import os; os.read(os.open({path!r}, os.O_RDWR), 1)",
        "import subprocess; subprocess.run(['cat', {path!r}])",
        "import os, threading; threading.Thread(target=os.open, args=({path!r}, os.O_RDONLY)).start()",
    ],
)
def test_the_file_that_is_waited_for_is_named(start: Start, tmp_path: Path, line: str) -> None:
    path = str(tmp_path / "far away.mov")
    os.mkfifo(path)
    pid = start(line.format(path=path))
    bench.until(lambda: kernel_waits.kernel_wait_of(pid).paths == (path,))
    heard = kernel_waits.kernel_wait_of(pid)
    assert heard.known and not heard.stopped


def test_who_sleeps_or_computes_waits_for_no_file(start: Start) -> None:
    for line in ("import time; time.sleep(60)", "while True: pass"):
        pid = start(line)
        bench.until(lambda pid=pid: kernel_waits.kernel_wait_of(pid).known)  # type: ignore[misc]
        assert "stopped" not in kernel_waits.kernel_wait_of(pid).paths


def test_a_stopped_program_is_told(start: Start) -> None:
    pid = start("import time; time.sleep(60)")
    os.kill(pid, signal.SIGSTOP)
    bench.until(lambda: kernel_waits.kernel_wait_of(pid).stopped)


def test_what_was_read_is_counted(start: Start, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(1 << 20))
    pid = start(f"import time; open({str(tmp_path / 'a')!r}, 'rb').read(); time.sleep(60)")
    bench.until(lambda: kernel_waits.kernel_wait_of(pid).read_bytes >= 1 << 20)


def test_nobody_is_not_known() -> None:
    assert kernel_waits.kernel_wait_of(1 << 22) == kernel_waits.KernelWait()
