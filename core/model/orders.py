"""What must be done, in imperatives, and what comes back. Plain values that travel to a worker process.

Every order may be performed twice without harm: it writes only a part file of its own name, and nothing is
believed before the engine has renamed that file to its content key.
"""

from __future__ import annotations

from fractions import Fraction

from core.model.failure import Evidence
from core.model.film import Value
from core.model.segment import Sound
from core.model.source import Source


class ExamineSource(Value, frozen=True):
    """Open a media file and say what it is."""

    path: str


class ProveEncoder(Value, frozen=True):
    """Encode one frame exactly as segments will be: proves the encoder and gives the film's stream signature."""

    argv: tuple[str, ...]
    part: str


class ValidateSeal(Value, frozen=True):
    """Hash a sealed file again before it is believed."""

    key: str
    path: str
    bytes: int
    file_hash: str


class RenderSegment(Value, frozen=True):
    """Run ffmpeg to make one segment in `part`; then count, sign, hash and flush it. `again`, where there is one, is run
    when that did not give all frames without a word: the same with decoding begun well before."""

    key: str
    argv: tuple[str, ...]
    part: str
    frames: int
    signature: str
    source: str = ""
    fingerprint: str = ""
    slate: tuple[str, ...] = ()
    width: int = 0
    height: int = 0
    again: tuple[str, ...] = ()


class ExamineCopy(Value, frozen=True):
    """Read packets that will be copied and hash them; decode each one whose hash (xxh3-64) is not in `known`, where
    hashes of packets that decoded cleanly before stand under their frame number."""

    key: str
    path: str
    fingerprint: str
    stream: int
    first_frame: int
    frames: int
    signature: str
    known: dict[int, int] = {}


class MixSound(Value, frozen=True):
    """Mix a chunk of the sound track into raw PCM, `bytes_per_sample` little-endian integers."""

    key: str
    part: str
    samples: int
    sample_rate: int
    channels: int
    bytes_per_sample: int
    sounds: tuple[Sound, ...]


class JoinSound(Value, frozen=True):
    """One run of sound: a sealed file of PCM, or of the encoded track."""

    key: str
    file: str
    samples: int
    digest: str


class EncodeTrack(Value, frozen=True):
    """Encode the whole sound track once: sealed PCM, in order, through one encoder; each compared with its seal on its way."""

    key: str
    argv: tuple[str, ...]
    part: str
    inputs: tuple[JoinSound, ...]
    samples: int


class JoinVideo(Value, frozen=True):
    """One run of pictures to be joined: from a sealed file, or (file empty) packets of a source."""

    key: str
    frames: int
    digest: str
    file: str = ""
    source: str = ""
    stream: int = 0
    first_frame: int = 0


class JoinFilm(Value, frozen=True):
    """Join everything into `part` with rebuilt time stamps, flush it, open it again and check it as a whole."""

    cut: str
    part: str
    container: str
    rate: Fraction
    reorder: int
    signature: str
    timecode: str
    video: tuple[JoinVideo, ...]
    sound: tuple[JoinSound, ...]
    pcm: str
    sample_rate: int
    channels: int
    samples: int


class CheckFilm(Value, frozen=True):
    """Verify a published film: hash always, every frame decoded with `deep`."""

    path: str
    film_hash: str
    frames: int
    samples: int
    deep: bool


class ProbePlace(Value, frozen=True):
    """See whether a place can be used again: read a file there, or write one and find so much room; or so much free memory.

    With `volume` a file that is missing on that very mount point is no fault of the volume."""

    path: str
    write: bool = False
    free_bytes: int = 0
    free_memory_bytes: int = 0
    volume: str = ""


class DrawThumbnail(Value, frozen=True):
    """Draw picture `frame` (from 0, in the order of showing) of a film or segment of ours, small, as JPEG in `part`; at most
    `width` pixels wide."""

    path: str
    frame: int
    part: str
    width: int = 320


Order = (
    ExamineSource
    | ProveEncoder
    | ValidateSeal
    | RenderSegment
    | ExamineCopy
    | MixSound
    | EncodeTrack
    | JoinFilm
    | CheckFilm
    | ProbePlace
    | DrawThumbnail
)


class Examined(Value, frozen=True):
    """The source as found."""

    source: Source


class Proved(Value, frozen=True):
    """The signature of what the encoder makes."""

    signature: str


class Made(Value, frozen=True):
    """A part file was made and flushed, and this is what stands in it; `core.decide.integrity` says whether that is
    what was promised. `frames` are samples for sound. `log` are ffmpeg's lines. `known` are hashes of packets, by
    frame number, that decoded cleanly now. `again` tells that it took the second way.
    `checking_s` is the time spent on everything but making it."""

    frames: int
    signature: str = ""
    on_grid: bool = True
    log: tuple[str, ...] = ()
    bytes: int = 0
    file_hash: str = ""
    digest: str = ""
    reorder: int = 0
    clipped: int = 0
    known: dict[int, int] = {}
    again: bool = False
    checking_s: float = 0.0


class Validated(Value, frozen=True):
    """A sealed file is what the journal says."""


class Refuted(Value, frozen=True):
    """A check found what it was looking for: the file is not what it should be."""

    reason: str


Outcome = Examined | Proved | Made | Validated | Refuted | Evidence


class Progress(Value, frozen=True):
    """Frames done so far by a running order."""

    frames: int


class Assignment(Value, frozen=True):
    """What goes to a worker: an order with the frame rate that its counts are checked against, and after how many seconds
    without progress it hangs (0: the crew's own patience)."""

    order: Order
    rate: Fraction = Fraction(25)
    stall_s: float = 0.0


Reply = Progress | Outcome
"""What comes back, one per line; an Outcome ends the order."""
