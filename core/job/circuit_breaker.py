"""Circuit breakers: wait once for a volume or machine that is unavailable, not once per shot.

The code calls a breaker a gate and names it after what it guards: `source:MOUNT` for the volume
that holds some of the sources, `scratch`, `output`, `machine`. A closed gate is a tripped breaker:
no task that needs the place is started and no attempt is counted, while everything else continues.
The gate opens by itself when a probe of the place succeeds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from core.errors.failure import Evidence, Failure
from core.graph.nodes import Chunk, Copy, Piece, Segment, Still

MACHINE, SCRATCH, OUTPUT = "machine", "scratch", "output"

_OF_A_SOURCE = {"source-volume-gone", "source-hung", "source-slow", "network-lost"}
_OF_A_PLACE = {
    "scratch-full": SCRATCH, "scratch-quota": SCRATCH, "scratch-gone": SCRATCH, "scratch-hung": SCRATCH,
    "output-full": OUTPUT, "output-quota": OUTPUT, "output-gone": OUTPUT, "output-hung": OUTPUT,
    "machine-busy": MACHINE, "memory-low": MACHINE, "too-many-files": MACHINE, "too-many-processes": MACHINE,
}  # fmt: skip

Volumes = Mapping[str, str]
"""Path of a source mapped to the mount point it was on when it was examined."""


def source_gate(path: str, volumes: Volumes) -> str:
    """Return the gate of the volume that holds a source, or "" when the volume is not known."""
    return f"source:{volumes[path]}" if volumes.get(path) else ""


def gate_of(failure: Failure, volumes: Volumes) -> str:
    """Return the gate to wait for after a failure, or "" when waiting would not help."""
    if failure.code == "network-lost" and failure.evidence.place in (SCRATCH, OUTPUT):
        return failure.evidence.place
    if failure.code in _OF_A_SOURCE:
        return source_gate(failure.evidence.path, volumes)
    return _OF_A_PLACE.get(failure.code, "")


def with_its_volume(seen: Evidence, volumes: Volumes) -> Evidence:
    """Mark a missing file as `volume-gone` when its path is now on another mount point.

    The volume disappeared then, not the file. `volumes` has the mount point from the examination.
    """
    known = volumes.get(seen.path)
    if seen.place == "source" and known and seen.volume and seen.volume != known and not seen.note:
        return msgspec.structs.replace(seen, note="volume-gone", detail=seen.detail or known)
    return seen


def behind(
    kind: str,
    segment: Segment | None,
    chunk: Chunk | None,
    every: Iterable[Segment],
    volumes: Volumes,
) -> set[str]:
    """Return the gates that must be open for a task.

    `every` are all segments of the film: a join also reads the sources of the copied ones.
    """
    gates = {MACHINE}
    if kind != "publish":
        gates.add(SCRATCH)
    if kind in ("join", "publish"):
        gates.add(OUTPUT)
    pictures = (
        [segment.picture] if segment else [s.picture for s in every] if kind == "join" else []
    )
    paths = [
        p.path
        for p in pictures
        if isinstance(p, Copy) or (segment and isinstance(p, Piece | Still))
    ]
    paths += [sound.path for sound in chunk.sounds] if chunk else []
    return gates | {gate for path in paths if (gate := source_gate(path, volumes))}
