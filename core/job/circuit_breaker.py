"""Gates: a volume or the machine that cannot be used for now is waited for, once, and not by every shot apart.

A gate is named after what it guards: `source:MOUNT` for the volume some sources are on, `scratch`, `output`, `machine`.
While it is closed nothing that needs it is begun and no attempt is counted; everything else goes on. It opens by itself
when a probe of the place succeeds.
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
"""Path of a source to the mount point it was on when it was examined."""


def source_gate(path: str, volumes: Volumes) -> str:
    """The gate of the volume that a source is on; empty when that is not known."""
    return f"source:{volumes[path]}" if volumes.get(path) else ""


def gate_of(failure: Failure, volumes: Volumes) -> str:
    """What is to be waited for, or empty: then waiting would not help."""
    if failure.code == "network-lost" and failure.evidence.place in (SCRATCH, OUTPUT):
        return failure.evidence.place
    if failure.code in _OF_A_SOURCE:
        return source_gate(failure.evidence.path, volumes)
    return _OF_A_PLACE.get(failure.code, "")


def with_its_volume(seen: Evidence, volumes: Volumes) -> Evidence:
    """A file that is not there, on another mount point than the one it was examined on, did not go away: its volume did."""
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
    """The gates that a piece of work needs open. `every` are the film's segments: joining reads those that are copied."""
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
