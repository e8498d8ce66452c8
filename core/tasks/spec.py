"""What must be done, in imperatives, and what comes back. Plain values that travel to a worker process.

Every order may be performed twice without harm: it writes only a part file of its own name, and nothing is
believed before the engine has renamed that file to its content key.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from core.errors.failure import Evidence
from core.graph.nodes import Sound
from core.media.content import Compared, CompareSource, Marks
from core.system.codec import Value
from core.system.folder import FolderIdentity
from core.timeline.source import Source


class ExamineSource(Value, frozen=True):
    """Open a media file and say what it is. `count` reads every packet of it: its streams are as long as they really are."""

    path: str
    count: bool = False


class Wanted(Value, frozen=True):
    """A file that is looked for, with its size and content mark (`Source.mark`) as it was when last seen; 0 and empty for
    one that never was. Files in `refused` were compared with it and are others; of those in `unproven` the record could not
    tell, and a media hash list may."""

    path: str
    size: int = 0
    mark: str = ""
    refused: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()


class FindSources(Value, frozen=True):
    """Look for files by their content. Searched, with all folders in them and in this order: where they were (`beside`,
    paths of files), where `near` files are, the `folders`, and the volumes of the near ones. Folders in `skip` are not
    entered. Ends after `budget_s` or when `most` files were looked at."""

    wanted: tuple[Wanted, ...]
    folders: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    budget_s: float = 20.0
    most: int = 200_000


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
    when that did not give all frames without a word: the same with decoding begun well before, by `run_up_s`. Of a movie,
    `begin_s` to `end_s` of its `stream` are shown, counted from the container's start; the demuxer is asked for `seek_s`.
    `source_rate` is 0 where it is not constant. With `beside_damage` the source is damaged beyond the last frame, and what
    reading says of that does not count. `identity` names the source's content (`Source.identity`)."""

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
    stream: int = 0
    begin_s: Fraction = Fraction(0)
    end_s: Fraction = Fraction(0)
    source_rate: Fraction = Fraction(0)
    beside_damage: bool = False
    seek_s: Fraction = Fraction(0)
    run_up_s: Fraction = Fraction(0)
    identity: str = ""


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
    identity: str = ""


class LocateDamage(Value, frozen=True):
    """Find which frames of a segment that failed cannot be had from its source: decode it once, as strictly as rendering.

    Record frame k shows what the source shows at begin_s + k / rate, counted from the container's start (`copied`: from the
    stream's); with `conform` the source keeps another time. `known` is what is on record. Decoders' lines that match `harmless`
    do not count. A small picture of the last good frame before the damage is written to `picture`.
    """

    key: str
    path: str
    fingerprint: str
    stream: int
    begin_s: Fraction
    frames: int
    source_rate: Fraction
    conform: bool = False
    copied: bool = False
    known: Marks | None = None
    harmless: str = ""
    picture: str = ""


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
    """One run of sound: a sealed file of PCM, or of the encoded track. `file_hash` is the file's, empty when not known."""

    key: str
    file: str
    samples: int
    digest: str
    file_hash: str = ""


class EncodeTrack(Value, frozen=True):
    """Encode the whole sound track once: sealed PCM, in order, through one encoder; each compared with its seal on its way."""

    key: str
    argv: tuple[str, ...]
    part: str
    inputs: tuple[JoinSound, ...]
    samples: int


class JoinVideo(Value, frozen=True):
    """One run of pictures to be joined: from a sealed file, or (file empty) packets of a source. `file_hash` is the sealed
    file's, empty when not known."""

    key: str
    frames: int
    digest: str
    file: str = ""
    source: str = ""
    fingerprint: str = ""
    stream: int = 0
    first_frame: int = 0
    file_hash: str = ""


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
    With `volume` a file missing on that mount point is no fault of it; `fingerprint` and `known` say which file or folder."""

    path: str
    write: bool = False
    free_bytes: int = 0
    free_memory_bytes: int = 0
    volume: str = ""
    fingerprint: str = ""
    known: FolderIdentity | None = None


class DrawThumbnail(Value, frozen=True):
    """Draw picture `frame` (from 0, in the order of showing) of a film or segment of ours, small, as JPEG in `part`; at most
    `width` pixels wide."""

    path: str
    frame: int
    part: str
    width: int = 320


Order = (
    ExamineSource | FindSources | CompareSource | ProveEncoder | ValidateSeal | RenderSegment | ExamineCopy | LocateDamage
    | MixSound | EncodeTrack | JoinFilm | CheckFilm | ProbePlace | DrawThumbnail
)  # fmt: skip


class Examined(Value, frozen=True):
    """The source as found."""

    source: Source


class Match(Value, frozen=True):
    """A file `to` that may be the wanted `path`.

    `how`: proven by a hash in an `mhl` history; equal in size and `samples`, which is still to be compared; only `alike` in
    name and size, nothing on record could be compared; or `unlike`: it has the name, and the record says that it is another
    file. `history` is the MHL file that speaks of it, if one does.
    """

    path: str
    to: str
    how: Literal["samples", "mhl", "alike", "unlike"]
    history: str = ""


class Found(Value, frozen=True):
    """What a search found, nearest first. `trouble` are sentences: what could not be searched or understood, and why. It looked
    at so many files, read so many `bytes` of them and took `seconds`."""

    matches: tuple[Match, ...] = ()
    trouble: tuple[str, ...] = ()
    looked_at: int = 0
    bytes: int = 0
    seconds: float = 0.0


class Proved(Value, frozen=True):
    """The signature of what the encoder makes."""

    signature: str


class Made(Value, frozen=True):
    """A part file was made and flushed, and this stands in it; `core.job.verification` compares it with what was promised.
    `frames` are samples for sound, `log` ffmpeg's lines, `known` hashes by frame of packets that decoded cleanly, `marks` of all
    that was used; `again`: the second way; `innocent`: ffmpeg alone decodes the source without loss, so no complaint of ours
    counts. Seconds: `making_s` ffmpeg's, `checking_s` all else, `checking_cpu_s` its processor time."""

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
    making_s: float = 0.0
    checking_s: float = 0.0
    innocent: bool = False
    checking_cpu_s: float = 0.0
    marks: tuple[Marks, ...] = ()


class Validated(Value, frozen=True):
    """A sealed file is what the journal says."""


class Refuted(Value, frozen=True):
    """A check found what it was looking for: the file is not what it should be."""

    reason: str


class Located(Value, frozen=True):
    """Runs (offset in the segment, length) of frames that cannot be had, in order and apart; never too few as far as can be
    told by decoding. `picture` is the last good frame before them, a file, or empty."""

    bad: tuple[tuple[int, int], ...]
    picture: str = ""


Outcome = Examined | Found | Compared | Proved | Made | Validated | Refuted | Located | Evidence


class Progress(Value, frozen=True):
    """Frames done so far by a running order."""

    frames: int


class Assignment(Value, frozen=True):
    """What goes to a worker: an order with the frame rate that its counts are checked against, and after how many seconds
    without progress it hangs (0: the crew's own patience). `ffmpeg` is the program that is asked as a witness before a source
    is blamed; the crew names it."""

    order: Order
    rate: Fraction = Fraction(25)
    stall_s: float = 0.0
    ffmpeg: str = ""


Reply = Progress | Outcome
"""What comes back, one per line; an Outcome ends the order."""
