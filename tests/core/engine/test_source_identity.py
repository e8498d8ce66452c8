"""Which identity every file gets: real files, their real bytes compared; hands for workers."""

from __future__ import annotations

import os
import shutil
from fractions import Fraction
from pathlib import Path

import msgspec
import numpy as np
import pytest

from core.engine.source_identity import SourceIdentities
from core.errors.failure import Evidence
from core.media import hashes, packet_hashes
from core.media.content import CompareSource, Marks, Use
from core.storage.history import History, SourceRecord
from core.storage.journal import Journal
from core.system import machine
from core.tasks import compare_source
from core.tasks.spec import Order, Outcome
from core.timeline.source import Source
from tests.core.hands import Hands
from tests.core.props import POLICY, source, voice
from tests.core.tasks.test_compare_source import RATE, changed, heard, written

USED = range(300, 320)
"""Blocks that a film played."""
BETWEEN_SAMPLES = 305 * packet_hashes.BLOCK
"""A sample that was used, where the content mark reads nothing."""
ELSEWHERE = 700 * packet_hashes.BLOCK
"""One that was not, and there neither."""


class Media:
    """A folder of sounds, what is on record of them, and the comparisons that were asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.memory = History(Journal(root / "home" / "journal.db"))
        self.compared: list[str] = []

    def at(self, name: str) -> Source:
        """A file as it is now."""
        path = self.root / name
        facts = os.stat(path)
        fingerprint, mark = hashes.both_names(path)
        found = source(
            str(path), None, voice(), fingerprint=fingerprint, mark=mark, size=facts.st_size
        )
        identity = hashes.own_identity(str(path), facts.st_ino, fingerprint)
        inode = facts.st_dev, facts.st_ino
        return msgspec.structs.replace(
            found, identity=identity, inode=inode, modified_ns=facts.st_mtime_ns
        )

    def use(self, name: str, *, unmarked: int = 0, blocks: range = USED) -> str:
        """Open a file, play some of it, and remember both; its identity."""
        (found,) = self.identified(name).values()
        self.remember(found)
        if blocks:
            known = heard(self.root / name, blocks.start, len(blocks))
            marks = Marks(
                path=found.path, stream=0, marks=known.marks, header=known.header, unmarked=unmarked
            )
            self.memory.keep_marks([(found.identity, marks)])
        return found.identity

    def remember(self, found: Source) -> None:
        self.memory.see([
            SourceRecord(found.path, found.size, found.mark, found.fingerprint, "", found.identity, str(found.inode[1]), found.modified_ns)
        ])  # fmt: skip

    def same(self) -> SourceIdentities:
        return SourceIdentities(
            Hands(2, self._perform), self.memory, POLICY, lambda: False, lambda *_: None
        )  # type: ignore[arg-type]

    def identified(self, *names: str) -> dict[str, Source]:
        self.compared.clear()
        sources, self.untold = self.same().identified(
            {str(self.root / name): self.at(name) for name in names}
        )
        return {Path(path).name: found for path, found in sources.items()}

    def identity(self, name: str) -> str:
        return self.identified(name)[Path(name).name].identity

    def _perform(self, order: Order) -> Outcome | None:
        assert isinstance(order, CompareSource)
        self.compared.append(Path(order.path).name)
        try:
            return compare_source.compare(order, lambda done: None)
        except OSError as error:
            return Evidence(operation="compare", place="source", path=order.path, errno=error.errno)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    samples = (
        np.random.default_rng(2)
        .integers(-9000, 9000, (900 * packet_hashes.BLOCK, 1), dtype=np.int16)
        .repeat(2, 1)
    )
    return written(tmp_path_factory.mktemp("sound") / "a.wav", samples)


@pytest.fixture
def media(tmp_path: Path, recording: Path) -> Media:
    shutil.copyfile(recording, tmp_path / "a.wav")
    return Media(tmp_path)


def other_version(media: Media, name: str, sample: int = BETWEEN_SAMPLES) -> None:
    """A file of equal size and samples, with one sample changed."""
    path = media.root / name
    shutil.copyfile(media.root / "a.wav", path)
    before = hashes.content_mark(path)
    changed(path, sample)
    assert hashes.content_mark(path) == before, "the mark does not tell them apart"


def test_a_file_that_is_as_it_was_keeps_its_identity_and_is_not_read(media):
    first = media.use("a.wav")
    assert (media.identity("a.wav"), media.compared) == (first, [])


def test_a_file_that_was_touched_or_put_back_is_the_same_once_it_is_compared(media):
    first = media.use("a.wav")
    os.utime(media.root / "a.wav", (1, 1))
    assert (media.identity("a.wav"), media.compared) == (first, ["a.wav"])
    shutil.copyfile(media.root / "a.wav", media.root / "new")
    os.utime(media.root / "new", (1, 1))
    (media.root / "new").rename(media.root / "a.wav")
    assert (media.identity("a.wav"), media.compared) == (first, ["a.wav"])


def test_another_version_under_the_old_name_and_date_is_another_file(media):
    first = media.use("a.wav")
    facts = os.stat(media.root / "a.wav")
    other_version(media, "b.wav")
    (media.root / "b.wav").rename(media.root / "a.wav")
    os.utime(media.root / "a.wav", ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert media.identity("a.wav") != first and media.compared == ["a.wav"]


def test_what_differs_where_nothing_was_used_is_the_same_until_it_is_used(media):
    first = media.use("a.wav")
    other_version(media, "b.wav", ELSEWHERE)
    shutil.copyfile(media.root / "a.wav", media.root / "first.wav")
    (media.root / "b.wav").rename(media.root / "a.wav")
    assert media.use("a.wav", blocks=range(690, 710)) == first
    (media.root / "first.wav").rename(media.root / "a.wav")
    assert media.identity("a.wav") != first, "what is there now is not what was used"


def test_a_file_that_moved_takes_its_identity_along(media):
    first = media.use("a.wav")
    (media.root / "a.wav").rename(media.root / "moved.wav")
    assert media.identity("moved.wav") == first


def test_a_copy_beside_the_file_has_its_own_identity_and_costs_no_reading(media):
    first = media.use("a.wav")
    shutil.copyfile(media.root / "a.wav", media.root / "copy.wav")
    found = media.identified("a.wav", "copy.wav")
    assert found["a.wav"].identity == first != found["copy.wav"].identity
    os.link(media.root / "a.wav", media.root / "link.wav")
    assert media.identity("link.wav") == first
    os.utime(media.root / "a.wav", (1, 1))
    assert media.identified("copy.wav", "a.wav")["a.wav"].identity == first, (
        "whichever is asked about first"
    )


def test_versions_that_were_never_seen_have_an_identity_each_whatever_their_samples_and_dates(
    media,
):
    other_version(media, "b.wav")
    for name in ("a.wav", "b.wav"):
        os.utime(media.root / name, (1, 1))
    found = media.identified("a.wav", "b.wav")
    assert (
        found["a.wav"].mark == found["b.wav"].mark
        and found["a.wav"].identity != found["b.wav"].identity
    )


def test_versions_that_exchange_their_names_exchange_their_identities(media):
    other_version(media, "b.wav")
    first, other = media.use("a.wav"), media.use("b.wav")
    (media.root / "a.wav").rename(media.root / "c.wav")
    (media.root / "b.wav").rename(media.root / "a.wav")
    (media.root / "c.wav").rename(media.root / "b.wav")
    found = media.identified("a.wav", "b.wav")
    assert (found["a.wav"].identity, found["b.wav"].identity) == (other, first)


def test_where_something_used_left_no_record_nothing_can_tell(media):
    first = media.use("a.wav", unmarked=1)
    os.utime(media.root / "a.wav", (1, 1))
    assert media.identity("a.wav") != first
    assert (media.compared, media.untold) == ([], [str(media.root / "a.wav")])


def test_of_a_file_that_was_only_opened_nothing_was_made(media):
    first = media.use("a.wav", blocks=range(0))
    os.utime(media.root / "a.wav", (1, 1))
    assert (media.identity("a.wav"), media.compared) == (first, [])


def test_the_samples_of_a_small_file_are_all_its_bytes(media):
    for name in ("small.wav", "other.wav"):
        (media.root / name).write_bytes(b"RIFF" + bytes(9000))
    media.remember(found := media.at("small.wav"))
    os.remove(media.root / "small.wav")
    assert (media.identity("other.wav"), media.compared) == (found.identity, [])


@pytest.mark.parametrize(
    ("sample", "last", "verdict", "covered"),
    [
        (None, 320, "same", True),
        (None, 330, "same", False),
        (BETWEEN_SAMPLES, 320, "other", False),
        (ELSEWHERE, 320, "same", True),
    ],
)
def test_a_file_found_for_a_missing_one_is_proven_where_it_is_used(
    media, sample, last, verdict, covered
):
    media.use("a.wav")
    if sample is None:
        shutil.copyfile(media.root / "a.wav", media.root / "b.wav")
    else:
        other_version(media, "b.wav", sample)
    os.remove(media.root / "a.wav")
    path, used = str(media.root / "a.wav"), Use(stream=0, begin_s=seconds(302), end_s=seconds(last))
    same = media.same()
    found = same.proven({path: (media.at("b.wav"), (used,))})[path]
    assert (found.verdict, found.covered) == (verdict, covered)
    assert same.bytes == same.read_of(str(media.root / "b.wav")) == found.bytes > 0


def seconds(block: int) -> Fraction:
    return Fraction(block * packet_hashes.BLOCK, RATE)


def test_on_a_file_system_that_keeps_no_change_time_a_file_is_read_again(media, monkeypatch):
    """A swap under the same inode and dates would not be seen otherwise."""
    first = media.use("a.wav")
    monkeypatch.setattr(machine, "listed_mount", lambda path: ("/drive", "exfat"))
    assert (media.identity("a.wav"), media.compared) == (first, ["a.wav"])
    changed(media.root / "a.wav", BETWEEN_SAMPLES)
    swapped = media.at("a.wav")
    media.memory.see([
        SourceRecord(swapped.path, swapped.size, swapped.mark, swapped.fingerprint, "", first, str(swapped.inode[1]), swapped.modified_ns)
    ])  # fmt: skip
    assert media.identity("a.wav") != first
