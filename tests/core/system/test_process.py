"""Nobody outlives its parent, and nobody reads from a terminal."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from core.media import ffmpeg
from core.system import process
from core.system.process import NotStarted
from tests.core.bench import dead, until

ROOT = Path(__file__).resolve().parents[3]


def _python(words: str) -> subprocess.Popen[str]:
    """A Python of its own whose standard input stays open."""
    return subprocess.Popen(
        [sys.executable, "-c", words], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills the child of a killed parent")
@pytest.mark.parametrize("by_another_program", [True, False])
def test_a_child_dies_with_its_killed_parent(by_another_program: bool) -> None:
    if by_another_program and not process._pdeathsig_prefix():
        pytest.skip("there is no setpriv here")
    words = (
        "from core.system import process; import time\n"
        f"if not {by_another_program}: process._SETPRIV = ()\n"
        f"print(process.spawn([{shutil.which('sleep')!r}, '120'], from_single_thread=True).pid, flush=True); time.sleep(120)"
    )
    with _python(words) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert not dead(child)
        parent.kill()
        until(lambda: dead(child))
        assert parent.wait() == -signal.SIGKILL


def test_who_starts_when_its_parent_is_gone_already_ends() -> None:
    words = "from core.system import process; import os; process.die_with_parent({}); print('alive', flush=True)"
    with (
        _python(words.format("os.getppid() + 1")) as orphan,
        _python(words.format("os.getppid()")) as child,
    ):
        assert (orphan.communicate(timeout=20)[0], orphan.returncode) == ("", 1)
        assert (child.communicate(timeout=20)[0], child.returncode) == ("alive\n", 0)


def test_a_program_that_another_could_not_start_never_began(tmp_path: Path) -> None:
    if not process._pdeathsig_prefix():
        pytest.skip("there is no setpriv here")
    broken = tmp_path / "ffmpeg"
    broken.write_bytes(b"\x7fELF and no more")
    broken.chmod(0o700)
    with pytest.raises(NotStarted) as caught:
        ffmpeg.run([str(broken)])
    assert caught.value.errno == errno.ENOEXEC and caught.value.filename == str(broken)
    assert process.never_began(shutil.which("true") or "", 127) is None, (
        "what runs has an end of its own"
    )


def test_a_session_is_killed_with_grandchildren() -> None:
    child = process.spawn(["sh", "-c", "sleep 120 & echo $!; wait"], own_session=True)
    assert child.stdout
    grandchild = int(child.stdout.readline())
    assert not dead(grandchild)
    process.kill_session(child)
    assert child.returncode == -signal.SIGKILL
    until(lambda: dead(grandchild))
    process.kill_session(child)  # once more is no error
    child.stdout.close()


def test_standard_input_is_closed_unless_asked_for() -> None:
    with _python(
        "from core.system import process; print(process.spawn(['cat']).wait(timeout=10))"
    ) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == "0\n", (
            "cat reads to the end of nothing; the open terminal would keep it"
        )
    with _python(
        "from core.system import process; print(repr(process.output_of(['cat'], timeout_s=10)))"
    ) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == "''\n"


def test_the_environment_is_the_one_given() -> None:
    child = process.spawn(["/bin/sh", "-c", "echo $SHOT-$HOME"], environment={"SHOT": "12"})
    assert child.communicate()[0] == b"12-\n"


def test_output_is_both_streams_and_a_long_wait_is_an_error() -> None:
    assert process.output_of(["sh", "-c", "echo one; echo two >&2; exit 4"]) == "one\ntwo\n"
    with pytest.raises(subprocess.TimeoutExpired):
        process.output_of(["sleep", "30"], timeout_s=0.1)
    with pytest.raises(OSError):
        process.output_of(["/nowhere/at/all"])


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other words for it")
def test_who_steps_back_lets_others_go_first_and_so_does_all_that_he_starts() -> None:
    words = (
        "import psutil; from core.system import process; process.step_back()\n"
        "child = process.spawn(['cat'], stdin=process.PIPE)\n"
        "print([(p.nice(), int(p.ionice().ioclass)) for p in (psutil.Process(), psutil.Process(child.pid))])\n"
        "psutil.Process().nice(15); process.step_back(); print(psutil.Process().nice())"
    )
    idle = int(psutil.IOPRIO_CLASS_IDLE)
    with _python(words) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == f"{[(process.LOW_NICENESS, idle)] * 2}\n"
        assert parent.stdout.readline() == "15\n", "nobody may come back up"


def test_a_bare_name_is_never_found_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = tmp_path / "xdg-open"
    browser.write_text("#!/bin/sh\n")
    browser.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    for entries in (["", "/usr/bin"], [".", "/usr/bin"], ["", ""], ["bin/.."]):
        monkeypatch.setenv("PATH", os.pathsep.join(entries))
        process.trust_no_relative_path()
        assert all(os.path.isabs(entry) for entry in os.environ["PATH"].split(os.pathsep))
        assert shutil.which("xdg-open") != str(browser) and not (
            shutil.which("xdg-open") or ""
        ).startswith(".")
