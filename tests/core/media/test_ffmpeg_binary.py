"""Which ffmpeg."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import imageio_ffmpeg
import pytest

from core.errors.refusal import Refused
from core.media import ffmpeg_binary
from core.system import process
from tests.core.bench import dead, until


def _program(path: Path, words: str) -> Path:
    path.write_text(f"#!/bin/sh\n{words}\n")
    path.chmod(0o755)
    return path


def test_the_bundled_one() -> None:
    found = ffmpeg_binary.find(None)
    assert found.path == os.path.abspath(imageio_ffmpeg.get_ffmpeg_exe())
    assert found.version and found.identity.startswith(f"ffmpeg version {found.version} ")


def test_the_chosen_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = _program(
        tmp_path / "my-ffmpeg", "echo ffmpeg version 5.1.2-own Copyright; echo built with care"
    )
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir("/")
    for chosen in (str(own), "my-ffmpeg", "./my-ffmpeg", "~/my-ffmpeg"):
        found = ffmpeg_binary.find(chosen, tmp_path)
        assert (found.path, found.version, found.origin) == (str(own), "5.1.2-own", "chosen")


def test_nothing_in_the_folder_one_stands_in_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there, data = tmp_path / "here", tmp_path / "there", tmp_path / "data"
    for folder in (here, there, data):
        folder.mkdir()
    trap = _program(here / "ffmpeg", f"touch {tmp_path}/started; echo ffmpeg version 6 Copyright")
    good = _program(there / "ffmpeg", "echo ffmpeg version 7 Copyright")
    (tmp_path / "way").symlink_to(here)
    monkeypatch.setattr(ffmpeg_binary, "bundled", lambda: None)
    monkeypatch.chdir(here)
    for entries in (
        ["", str(there)],
        [".", str(there)],
        ["../here", str(there)],
        [str(here), str(tmp_path / "way"), str(there)],
    ):
        monkeypatch.setenv("PATH", os.pathsep.join(entries))
        for chosen in (None, "ffmpeg"):
            assert ffmpeg_binary.find(chosen, data).path == str(good)
    monkeypatch.setenv("PATH", ".")
    for chosen in (None, "ffmpeg", "./ffmpeg"):
        with pytest.raises(Refused) as refused:
            ffmpeg_binary.find(chosen, data)
        assert refused.value.code == "ffmpeg-missing"
    assert trap.exists() and not (tmp_path / "started").exists()


def test_one_on_path_helps_where_the_bundled_one_does_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    good = _program(tmp_path / "there" / "ffmpeg", "echo ffmpeg version 7 Copyright")
    monkeypatch.setattr(
        ffmpeg_binary, "bundled", lambda: str(_program(tmp_path / "bundled", "kill -SEGV $$"))
    )
    monkeypatch.setenv("PATH", f"{tmp_path}/there{os.pathsep}{os.environ['PATH']}")
    found = ffmpeg_binary.find(None)
    assert (found.path, found.origin) == (str(good), "path")
    assert found.passed_over is not None and found.passed_over.fields["why"] == "ffmpeg-crashed"
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refused) as refused:
        ffmpeg_binary.find(None)
    assert refused.value.fields["path"] == str(tmp_path / "bundled"), (
        "the first that was tried is named"
    )


def _elf(path: Path, change: tuple[bytes, bytes] | None = None, machine: bytes = b"") -> Path:
    """A copy of the shell that lacks a library, or was built for another processor."""
    data = bytearray(Path(os.path.realpath("/bin/sh")).read_bytes())
    if change is not None:
        assert change[0] in data
        data = data.replace(*change)
    if machine:
        data[18:20] = machine
    path.write_bytes(data)
    path.chmod(0o755)
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other programs")
def test_a_program_that_does_not_run_is_told_apart(tmp_path: Path) -> None:
    made = {
        "ffmpeg-crashed": _program(tmp_path / "crash", "kill -SEGV $$"),
        "ffmpeg-library": _elf(tmp_path / "library", (b"libc.so.6\0", b"libq.so.9\0")),
        "ffmpeg-architecture": _elf(tmp_path / "machine", machine=b"\x02\x00"),
        "ffmpeg-loader": _program(tmp_path / "loader", ""),
    }
    made["ffmpeg-loader"].write_text("#!/nowhere/sh\n")
    for why, path in made.items():
        with pytest.raises(Refused) as refused:
            ffmpeg_binary.find(str(path))
        assert (refused.value.code, refused.value.fields["why"]) == ("ffmpeg-not-running", why)


def test_a_program_that_hangs_is_tried_twice_and_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ffmpeg_binary, "START_LIMIT_S", 0.4)
    hangs = _program(
        tmp_path / "hangs",
        f"echo $$ >> {tmp_path}/pids; sleep 600 & echo $! >> {tmp_path}/pids; wait",
    )
    with pytest.raises(Refused) as refused:
        ffmpeg_binary.find(str(hangs))
    assert (refused.value.code, refused.value.fields["why"]) == (
        "ffmpeg-not-running",
        "ffmpeg-hangs",
    )
    pids = (tmp_path / "pids").read_text().split()
    assert len(pids) == 2 * ffmpeg_binary.TRIES
    until(lambda: all(dead(int(pid)) for pid in pids))
    slow_once = _program(
        tmp_path / "slow",
        f"test -e {tmp_path}/x || {{ touch {tmp_path}/x; sleep 600; }}; echo ffmpeg version 6 C",
    )
    assert ffmpeg_binary.find(str(slow_once)).version == "6"


def test_one_that_prints_without_end_is_judged_by_its_beginning() -> None:
    with pytest.raises(Refused) as refused:
        ffmpeg_binary.find("yes")
    assert refused.value.fields["why"] == "ffmpeg-strange"


@pytest.mark.parametrize("name", ["kill_session", "spawn", "hear"])
def test_an_error_of_our_own_is_not_said_of_ffmpeg(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*words: object, **more: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(process, name, fails)
    with pytest.raises(PermissionError):
        ffmpeg_binary.find(None)


def test_another_build_of_the_same_version_is_another(tmp_path: Path) -> None:
    words = "echo ffmpeg version 5 Copyright"
    one, same = (
        ffmpeg_binary.find(str(_program(tmp_path / name, words))) for name in ("one", "same")
    )
    other = ffmpeg_binary.find(str(_program(tmp_path / "other", words + " # built again")))
    assert one.identity == same.identity != other.identity


@pytest.mark.parametrize(
    ("words", "detail"),
    [
        ("echo avconv version 9", "ffmpeg-strange"),
        ("true", "ffmpeg-strange"),
        ("echo ffmpeg", "ffmpeg-strange"),
    ],
)
def test_what_is_no_ffmpeg_is_refused(tmp_path: Path, words: str, detail: str) -> None:
    with pytest.raises(Refused) as refused:
        ffmpeg_binary.find(str(_program(tmp_path / "ffmpeg", words)))
    assert refused.value.code == "ffmpeg-missing" and detail in str(vars(refused.value))


def test_what_is_not_there_or_does_not_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("no program")
    (tmp_path / "broken").write_bytes(b"\x7fELF nothing behind it")
    (tmp_path / "broken").chmod(0o755)
    for name in ("none", "plain", "broken", "."):
        with pytest.raises(Refused) as refused:
            ffmpeg_binary.find(str(tmp_path / name))
        assert refused.value.code == (
            "ffmpeg-not-running" if name == "broken" else "ffmpeg-missing"
        )


def test_an_installation_without_any_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ffmpeg_binary, "bundled", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refused) as refused:
        ffmpeg_binary.find(None)
    assert refused.value.code == "ffmpeg-missing"


def test_encoders_by_name() -> None:
    names = ffmpeg_binary.encoders(ffmpeg_binary.find(None))
    assert {"prores_ks", "dnxhd", "libx264", "ffv1", "mjpeg", "aac", "pcm_s24le"} <= names
    assert not {"=", "Encoders:", "------", "Video", "V....."} & names, "nothing of the legend"
