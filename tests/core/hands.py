"""Hands instead of workers: a crew that makes tiny files in no time, and fails as it is told.

It keeps the contract of `core.executors.worker_pool.WorkerPool` that the engine leans on: an order given under a name comes back under that
name, once; only as many are taken as there are hands; part files stand where the order said.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import xxhash

from core.errors.failure import Evidence
from core.media import hashes
from core.tasks import volume_probe
from core.tasks.spec import (
    Assignment,
    CheckFilm,
    EncodeTrack,
    ExamineCopy,
    FindSources,
    Found,
    JoinFilm,
    Located,
    LocateDamage,
    Made,
    MixSound,
    Order,
    Outcome,
    ProbePlace,
    Progress,
    Proved,
    ProveEncoder,
    Refuted,
    RenderSegment,
    Validated,
    ValidateSeal,
)
from tests.core.props import SIGNATURE

Trick = Callable[[Order], Outcome | None]
"""What happens instead; None: nothing special."""


class Hands:
    """A crew of `size`."""

    def __init__(self, size: int = 2, *tricks: Trick) -> None:
        self.size = size
        self.tricks = list(tricks)
        self.at_work: dict[str, Order] = {}
        self.done: list[str] = []

    wake_fd = -1

    def dismiss(self) -> None:
        self.at_work.clear()

    cpu_s = 0.0

    @property
    def waits(self) -> bool:
        return self.idle > 0

    @property
    def idle(self) -> int:
        return self.size - len(self.at_work)

    @property
    def busy(self) -> dict[str, Order]:
        return dict(self.at_work)

    def stuck(self, name: str) -> bool:
        return False

    def would_learn(self, kind: type[Order]) -> bool:
        return any(isinstance(order, kind) for order in self.at_work.values())

    def give(self, name: str, assignment: Assignment) -> None:
        assert self.idle > 0, "more orders than hands"
        assert name not in self.at_work, f"{name} was given twice at once"
        self.at_work[name] = assignment.order

    def listen(self, timeout_s: float) -> list[tuple[str, Progress | Outcome]]:
        if not self.at_work:
            return []
        name = next(iter(self.at_work))
        order = self.at_work.pop(name)
        self.done.append(type(order).__name__)
        for trick in self.tricks:
            outcome = trick(order)
            if outcome is not None:
                return [(name, outcome)]
        return [(name, Progress(frames=1)), (name, perform(order))]


def perform(order: Order) -> Outcome:
    """Do an order with a few bytes."""
    match order:
        case ValidateSeal():
            good = Path(order.path).exists() and hashes.file_hash(order.path) == order.file_hash
            return Validated() if good else Refuted(reason="its bytes have changed")
        case RenderSegment():
            return _made(order.part, order.key.encode(), order.frames)
        case MixSound() | EncodeTrack():
            return _made(order.part, order.key.encode(), order.samples)
        case ExamineCopy():
            return Made(
                frames=order.frames,
                signature=order.signature,
                digest=order.key,
                known={order.first_frame: 7},
            )
        case LocateDamage():
            return Located(bad=((0, order.frames),))
        case JoinFilm():
            for part in order.video:
                if part.file and Path(part.file).read_bytes() != part.key.encode():
                    return Evidence(
                        operation="join",
                        place="scratch",
                        path=part.file,
                        note="seal-damaged",
                        clip=part.key,
                    )
            for sound in order.sound:
                if Path(sound.file).read_bytes() != sound.key.encode():
                    return Evidence(
                        operation="join",
                        place="scratch",
                        path=sound.file,
                        note="seal-damaged",
                        clip=sound.key,
                    )
            made = _made(
                order.part,
                " ".join(part.key for part in order.video).encode(),
                sum(part.frames for part in order.video),
            )
            return Made(
                frames=made.frames,
                signature=order.signature,
                digest=str(order.samples),
                bytes=made.bytes,
                file_hash=hashes.tree_hash(order.part),
            )
        case CheckFilm():
            found = hashes.tree_hash(order.path)
            return (
                Made(frames=order.frames, digest=str(order.samples))
                if found == order.film_hash
                else Refuted(reason="changed")
            )
        case FindSources():
            return Found()
        case ProveEncoder():
            return Proved(signature=SIGNATURE)
        case ProbePlace():
            try:
                return volume_probe.probe(order)
            except OSError as error:
                return Evidence(
                    operation="probe", place="source", path=order.path, errno=error.errno
                )
    raise AssertionError(f"hands cannot {type(order).__name__}")


def _made(part: str, content: bytes, frames: int) -> Made:
    with Path(part).open("xb") as handle:
        handle.write(content)
    digest = xxhash.xxh3_128_hexdigest(content)
    return Made(
        frames=frames, signature=SIGNATURE, bytes=len(content), file_hash=digest, digest=digest
    )


def once(trick: Trick) -> Trick:
    """A trick that is played the first time only."""
    played = False

    def play(order: Order) -> Outcome | None:
        nonlocal played
        outcome = None if played else trick(order)
        played = played or outcome is not None
        return outcome

    return play
