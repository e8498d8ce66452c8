"""Compare a file with what is on record about a content, place by place.

The task reads and hashes every recorded packet or block and nothing else, so it costs as much as
reading what was once used of the file. If all hashes (xxh3-64) are equal under equal stream
headers, the two files have the same content wherever anything was ever rendered from it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import groupby
from math import ceil, floor
from typing import Any

import av

from core.media import hashes, packet_hashes, packets
from core.media.content import WHOLE, Compared, CompareSource, Known, Use
from core.media.media_errors import Changed

_APART = 256
"""Consecutive packets without a record that are read before seeking past the rest."""
_BLOCKS = 512
"""Blocks of sound that are decoded at once: 2 Mi samples."""
_OFTEN = 64


class _Differs(Exception):
    """A place differs from the record."""


def compare(order: CompareSource, report: Callable[[int], None]) -> Compared:
    """Compare a file with everything on record about a content.

    `report` is called with progress counts. Raises Changed if the file changes in the meantime, and
    OSError or av.FFmpegError if it cannot be read.
    """
    held = _held(order)
    if held and order.alone:
        return Compared(verdict="unknown", held=held)
    if hashes.fingerprint(order.path) != order.fingerprint:
        raise Changed("", order.path)
    reading = _Reading(order, report)
    try:
        covered = reading.all()
    except _Differs:
        return Compared(verdict="other", held=held, bytes=reading.bytes)
    if hashes.fingerprint(order.path) != order.fingerprint:
        raise Changed("", order.path)
    return Compared(verdict="same", covered=covered, held=held, bytes=reading.bytes)


def _held(order: CompareSource) -> str:
    mine = os.stat(order.path)
    for path in order.holders:
        try:
            if not os.path.samestat(mine, os.stat(path)):
                return path
        except OSError:
            # The file is gone, so nothing is rendered from it now.
            continue
    return ""


class _Reading:
    def __init__(self, order: CompareSource, report: Callable[[int], None]) -> None:
        self._order, self._report = order, report
        self.bytes = self._count = 0

    def all(self) -> bool:
        """Compare every stream on record; return True if the record covers everything that is used.

        Raises _Differs.
        """
        streams = {known.stream for known in self._order.known}
        covered = all(use.stream in streams for use in self._order.used)
        for known in self._order.known:
            used = [use for use in self._order.used if use.stream == known.stream]
            covered = (
                self._whole(known) if known.stream == WHOLE else self._stream(known, used)
            ) and covered
        return covered

    def _whole(self, known: Known) -> bool:
        self.bytes += os.path.getsize(self._order.path)
        if packet_hashes.of_whole(self._order.path).marks != known.marks:
            raise _Differs
        return True

    def _stream(self, known: Known, used: list[Use]) -> bool:
        with packets.opened(self._order.path) as container:
            if known.stream >= len(container.streams):
                raise _Differs
            stream = container.streams[known.stream]
            if (
                not isinstance(stream, av.VideoStream | av.AudioStream)
                or packet_hashes.header_of(container, stream) != known.header
            ):
                raise _Differs
            if isinstance(stream, av.AudioStream) and stream.codec_context.name.startswith("pcm"):
                return self._blocks(container, stream, known.marks, used)
            return self._packets(container, stream, known.marks, used)

    def _read(self, packet: av.Packet[Any]) -> int:
        self.bytes += packet.size
        self._count += 1
        if self._count % _OFTEN == 0:
            self._report(self._count)
        return packet_hashes.mark(packet)

    # Packets --------------------------------------------------------------------------------------

    def _packets(
        self,
        container: av.container.InputContainer,
        stream: av.VideoStream | av.AudioStream,
        known: dict[int, int],
        used: list[Use],
    ) -> bool:
        left, covered = set(known), True
        for use in used:
            for packet in packet_hashes.packets_between(container, stream, use.begin_s, use.end_s):
                if packet.pts is None or packet.pts not in known:
                    covered = False
                elif packet.pts in left:
                    self._same(packet, known, left)
        while left:
            before = len(left)
            self._run(container, stream, known, left)
            if len(left) == before:  # a recorded place is missing
                raise _Differs
        return covered

    def _run(
        self,
        container: av.container.InputContainer,
        stream: av.VideoStream | av.AudioStream,
        known: dict[int, int],
        left: set[int],
    ) -> None:
        """Read on from the first place that is left, until no recorded places follow."""
        first, passed = min(left), 0
        container.seek(first, stream=stream, backward=True, any_frame=False)
        for packet in container.demux(stream):
            if packet.size and packet.pts is not None and packet.pts in left:
                self._same(packet, known, left)
                passed = 0
            else:
                passed += packet.pts is None or packet.pts >= first
            if not left or passed > _APART:
                return

    def _same(self, packet: av.Packet[Any], known: dict[int, int], left: set[int]) -> None:
        assert packet.pts is not None
        if self._read(packet) != known[packet.pts]:
            raise _Differs
        left.discard(packet.pts)

    # Uncompressed sound ---------------------------------------------------------------------------

    def _blocks(
        self,
        container: av.container.InputContainer,
        stream: av.AudioStream,
        known: dict[int, int],
        used: list[Use],
    ) -> bool:
        from core.tasks import mix_sound  # numpy takes a tenth of a second

        rate = stream.codec_context.sample_rate
        for first, count in _runs(known):
            begin = first * packet_hashes.BLOCK
            samples, end = mix_sound.samples_of(
                container, stream, begin, count * packet_hashes.BLOCK, packet_hashes.Noted()
            )
            self.bytes += max(0, end - begin) * samples.shape[0] * stream.codec_context.format.bytes
            self._report(first)
            found = mix_sound.block_marks(samples[:, : max(0, end - begin)], begin)
            if any(found.get(place) != known[place] for place in range(first, first + count)):
                raise _Differs
        wanted = [(floor(use.begin_s * rate), ceil(use.end_s * rate)) for use in used]
        return all(
            place in known
            for a, b in wanted
            for place in range(max(0, a) // packet_hashes.BLOCK, -(-b // packet_hashes.BLOCK))
        )


def _runs(places: dict[int, int]) -> Iterator[tuple[int, int]]:
    """Yield (first, count) for runs of consecutive places, at most `_BLOCKS` long."""
    for _, group in groupby(enumerate(sorted(places)), lambda pair: pair[1] - pair[0]):
        run = [place for _, place in group]
        for at in range(0, len(run), _BLOCKS):
            yield run[at], len(run[at : at + _BLOCKS])
