"""The machine: volumes, names, links."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.system import machine


@pytest.fixture
def mounts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A table of mounts in place of the kernel's, to be filled."""
    table = tmp_path / "mountinfo"
    read = Path.read_text

    def instead(path: Path, *words: object) -> str:
        return read(table if str(path) == "/proc/self/mountinfo" else path, *words)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "read_text", instead)
    return table


def test_here_is_no_network(tmp_path: Path) -> None:
    assert machine.on_network(tmp_path / "a.mov") is False


def test_the_innermost_mount_decides(mounts: Path) -> None:
    mounts.write_text(
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "2 1 0:40 / /mnt/share rw,relatime shared:7 master:1 - nfs4 nas:/films rw\n"
        "3 2 8:2 / /mnt/share/local rw - xfs /dev/sdb1 rw\n"
        "4 1 0:41 / /mnt/old rw - cifs //nas/old rw\n"
    )
    there = (
        "/mnt/share",
        "/mnt/share/a.mov",
        "/mnt/share/localities/a.mov",
        "/mnt/old/x/y",
        "/mnt/share/local/../a.mov",
    )
    here = ("/", "/home/a.mov", "/mnt/share/local/a.mov", "/mnt/shared/a.mov", "/mnt")
    assert [machine.on_network(path) for path in there] == [True] * len(there)
    assert [machine.on_network(path) for path in here] == [False] * len(here)


def test_a_mount_over_another_hides_it(mounts: Path) -> None:
    mounts.write_text(
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 8:2 / /mnt/x rw - ext4 a rw\n3 2 0:40 / /mnt/x rw - nfs b rw\n"
    )
    assert machine.on_network("/mnt/x/a.mov")


def test_names_of_mounts_are_any_bytes(mounts: Path) -> None:
    """The kernel writes blanks as \\040; letters outside ASCII, and bytes that are no UTF-8, stand as they are."""
    mounts.write_bytes(
        b"1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
        b"2 1 0:40 / /mnt/S\xc3\xa9rie\\040deux rw - nfs4 nas:/films rw\n"
        b"3 1 0:41 / /mnt/caf\xe9 rw - cifs //nas/old rw\n"
    )
    assert machine.on_network("/mnt/Série deux/a.mov")
    assert machine.on_network(os.fsdecode(b"/mnt/caf\xe9/a.mov"))
    assert not machine.on_network("/mnt/Série/a.mov")


def test_without_a_table_nothing_is_known(mounts: Path) -> None:
    assert machine.on_network("/mnt/share/a.mov") is False


def test_volume_and_space_of_what_is_not_there_yet(tmp_path: Path) -> None:
    later = tmp_path / "not" / "yet" / "film.mov"
    assert machine.volume(later) == machine.volume(tmp_path) == os.stat(tmp_path).st_dev
    facts = os.statvfs(tmp_path)
    free, all_of_it = machine.free_bytes(later), facts.f_blocks * facts.f_frsize
    assert free is not None and abs(free - facts.f_bavail * facts.f_frsize) < max(
        1 << 30, all_of_it // 20
    )


def test_the_longest_name_can_be_written_and_no_longer(tmp_path: Path) -> None:
    longest = machine.longest_name(tmp_path)
    (tmp_path / ("n" * longest)).touch()
    with pytest.raises(OSError):
        (tmp_path / ("n" * (longest + 1))).touch()
    assert machine.longest_name(tmp_path / "none") == 255


def test_the_same_file_under_any_name(tmp_path: Path) -> None:
    file, other = tmp_path / "a.mov", tmp_path / "b.mov"
    for path in (file, other):
        path.write_bytes(b"pictures")
    facts = file.stat()
    inode = (facts.st_dev, facts.st_ino)
    (tmp_path / "hard.mov").hardlink_to(file)
    (tmp_path / "soft.mov").symlink_to(file)
    (tmp_path / "dangling.mov").symlink_to(tmp_path / "none")
    same = (
        file,
        tmp_path / "hard.mov",
        tmp_path / "soft.mov",
        tmp_path / "." / ".." / tmp_path.name / "a.mov",
    )
    assert all(machine.same_file(path, inode) for path in same)
    assert not any(
        machine.same_file(path, inode)
        for path in (other, tmp_path / "dangling.mov", tmp_path / "none", tmp_path)
    )


def test_tokens_and_chance() -> None:
    tokens = {machine.token(8) for _ in range(200)}
    assert len(tokens) == 200 and all(len(token) == 8 and token.isalnum() for token in tokens)
    assert not set("".join(tokens)) & set("iloIO01")
    drawn = [machine.chance() for _ in range(200)]
    assert len(set(drawn)) > 190 and min(drawn) >= 0 and max(drawn) < 1


def test_a_path_that_cannot_be_looked_at_has_the_space_of_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evidence about such a path is gathered by the very worker that met it: asking must not fail a second time."""
    for impossible in (tmp_path / ("n" * 300) / "a.mov", tmp_path / "nul\0.mov"):
        assert machine.volume(impossible) == machine.volume(tmp_path)
        assert machine.free_bytes(impossible) is not None
    real = os.stat

    def stale(path: object, **more: object) -> os.stat_result:
        if "share" in str(path):
            raise OSError(116, "Stale file handle", str(path))
        return real(path, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "stat", stale)
    assert machine.volume(tmp_path / "share" / "a.mov") == machine.volume(tmp_path)


def test_memory_that_could_be_had_and_that_is_held() -> None:
    free, held = machine.free_memory(), machine.resident_bytes(os.getpid())
    assert free is not None and held is not None
    assert 1 << 20 < held < free + held < 1 << 50
    assert machine.resident_bytes(2**22 + 1) is None


def test_the_mount_point_of_a_path(tmp_path: Path) -> None:
    assert machine.mount_point("/proc/self/status") == "/proc"
    assert machine.mount_point("/") == "/"
    point = machine.mount_point(tmp_path / "not" / "there")
    assert os.path.ismount(point) and str(tmp_path).startswith(point)


def test_time_awake_is_never_more_than_time_since_boot() -> None:
    before, awake, after = machine.since_boot(), machine.monotonic(), machine.since_boot()
    assert before <= after and awake <= after + 0.001


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="only glibc keeps what was freed and can be told"
)
def test_what_was_freed_is_given_back() -> None:
    code = """if True:
        import os
        from core.system import machine
        pieces = [b"x" * 100_000 for _ in range(500)]
        del pieces[:-1]
        before = machine.resident_bytes(os.getpid())
        machine.give_memory_back()
        print(before - machine.resident_bytes(os.getpid()))
    """
    given = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert int(given.stdout) > 40_000_000


@given(st.lists(st.tuples(st.floats(0, 1000), st.floats(-1e9, 1e9)), max_size=20))
def test_a_steady_clock_counts_what_goes_by_and_never_what_the_clock_is_set_by(
    steps: list[tuple[float, float]],
) -> None:
    wall, gone = 1.7e9, 5.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine, "now", lambda: wall)
        patch.setattr(machine, "monotonic", lambda: gone)
        steady = machine.Steady()
        for passed, set_by in steps:
            before = steady.now()
            wall, gone = wall + passed + set_by, gone + passed
            assert steady.now() - before == pytest.approx(passed, abs=1e-5)
        assert steady.now() == pytest.approx(1.7e9 + sum(passed for passed, _ in steps), abs=1e-3)
