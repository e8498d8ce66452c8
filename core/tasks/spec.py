"""Specifications of tasks, named in the imperative, and their results.

They are plain values that travel to a worker process and back.

Every task may run twice without harm. It writes only a part file of its own name, and the engine
accepts nothing before it has renamed that file to its content key.
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
    """Open a media file and describe it.

    `count` reads every packet, to find the true length of its streams.
    """

    path: str
    count: bool = False


class Wanted(Value, frozen=True):
    """A missing file, with its size and content mark (`Source.mark`) when it was last seen.

    Both are empty (0 and "") for a file that was never seen. Files in `refused` were compared with
    it and differ. For files in `unproven` the record was inconclusive, but a media hash list may
    decide.
    """

    path: str
    size: int = 0
    mark: str = ""
    refused: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()


class FindSources(Value, frozen=True):
    """Search for files by their content.

    The search covers these folders with all their subfolders, in this order: where the files were
    (`beside`, paths of files), where `near` files are, the `folders`, then the folders above the
    near files and their volumes. Folders in `skip` are not entered. The search ends after
    `budget_s` seconds or `most` files.
    """

    wanted: tuple[Wanted, ...]
    folders: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    budget_s: float = 20.0
    most: int = 200_000


class ProveEncoder(Value, frozen=True):
    """Encode one frame exactly as segments will be encoded.

    This proves that the encoder works and yields the film's stream signature.
    """

    argv: tuple[str, ...]
    part: str


class ValidateSeal(Value, frozen=True):
    """Hash a checkpoint's file again before it is used."""

    key: str
    path: str
    bytes: int
    file_hash: str


class RenderSegment(Value, frozen=True):
    """Run ffmpeg to render one segment into `part`.

    The worker then counts its frames, takes its signature and hash, and flushes it.

    `again`, unless empty, is the command for a second attempt if the first did not deliver all
    frames without a complaint: it begins decoding `run_up_s` seconds earlier. For a movie,
    `begin_s` to `end_s` of its `stream` are shown, counted from the container's start, and the
    demuxer is asked for `seek_s`. `source_rate` is 0 if it is not constant. `beside_damage` means
    that the source is damaged beyond the last frame, and complaints about that part do not count.
    `identity` names the source's content (`Source.identity`).
    """

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
    """Read the packets that will be copied and hash them; decode those that never decoded cleanly.

    `known` maps frame numbers to the hashes (xxh3-64) of packets that decoded cleanly before. A
    packet with a known hash is not decoded again.
    """

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
    """Find which frames of a failed segment cannot be decoded from its source.

    Decodes the segment once, as strictly as rendering. Record frame k shows what the source shows
    at begin_s + k / rate, counted from the container's start (if `copied`, from the stream's
    start). `conform` means that the source's rate or time stamps differ from the film's. `known` is
    what is on record. Decoder log lines that match `harmless` do not count. A small picture of the
    last good frame before the damage is written to `picture`.
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
    """Mix a chunk of the sound track into raw PCM.

    Its samples are little-endian integers of `bytes_per_sample` bytes.
    """

    key: str
    part: str
    samples: int
    sample_rate: int
    channels: int
    bytes_per_sample: int
    sounds: tuple[Sound, ...]


class JoinSound(Value, frozen=True):
    """One run of sound: a checkpoint file of PCM or of the encoded track.

    `file_hash` is the hash of the file, "" if it is not known.
    """

    key: str
    file: str
    samples: int
    digest: str
    file_hash: str = ""


class EncodeTrack(Value, frozen=True):
    """Encode the whole sound track once: PCM from checkpoints, in order, through one encoder.

    Each input is compared with its checkpoint on the way.
    """

    key: str
    argv: tuple[str, ...]
    part: str
    inputs: tuple[JoinSound, ...]
    samples: int


class JoinVideo(Value, frozen=True):
    """One run of pictures to join.

    It comes from a checkpoint file or, if `file` is empty, from packets of a source. `file_hash` is
    the hash of the checkpoint file, "" if it is not known.
    """

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
    """Join everything into `part` with rebuilt time stamps.

    The worker then flushes the file, opens it again and checks it as a whole.
    """

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
    """Verify a published film: always its hash, and with `deep` every decoded frame."""

    path: str
    film_hash: str
    frames: int
    samples: int
    deep: bool


class ProbePlace(Value, frozen=True):
    """Check that a place can be used again.

    The task reads a file there, or with `write` writes one and expects `free_bytes` of room, or
    expects `free_memory_bytes` of free memory. With `volume`, a file that is missing on that mount
    point is not a fault of the place. `fingerprint` and `known` identify the expected file or
    folder.
    """

    path: str
    write: bool = False
    free_bytes: int = 0
    free_memory_bytes: int = 0
    volume: str = ""
    fingerprint: str = ""
    known: FolderIdentity | None = None


class DrawThumbnail(Value, frozen=True):
    """Draw picture `frame` of one of our films or segments as a small JPEG in `part`.

    `frame` counts from 0 in display order. The picture is at most `width` pixels wide.
    """

    path: str
    frame: int
    part: str
    width: int = 320


Order = (
    ExamineSource | FindSources | CompareSource | ProveEncoder | ValidateSeal | RenderSegment | ExamineCopy | LocateDamage
    | MixSound | EncodeTrack | JoinFilm | CheckFilm | ProbePlace | DrawThumbnail
)  # fmt: skip


class Examined(Value, frozen=True):
    """The examined source."""

    source: Source


class Match(Value, frozen=True):
    """A file `to` that may be the wanted `path`.

    `how` is one of these:

    - `mhl`: proven by a hash in an MHL history
    - `samples`: equal size and samples; still to be compared
    - `alike`: equal name and size only; nothing on record could be compared
    - `unlike`: has the name, but the record says that it is another file

    `history` is the MHL file that mentions it, if there is one.
    """

    path: str
    to: str
    how: Literal["samples", "mhl", "alike", "unlike"]
    history: str = ""


class Found(Value, frozen=True):
    """The result of a search, nearest matches first.

    `trouble` holds sentences: what could not be searched or understood, and why. The search
    examined `looked_at` files, read `bytes` of them and took `seconds`.
    """

    matches: tuple[Match, ...] = ()
    trouble: tuple[str, ...] = ()
    looked_at: int = 0
    bytes: int = 0
    seconds: float = 0.0


class Proved(Value, frozen=True):
    """The signature of the encoder's output."""

    signature: str


class Made(Value, frozen=True):
    """A part file was rendered and flushed.

    `core.job.verification` compares these values with what the task promised. `frames` counts
    samples for sound. `log` holds ffmpeg's lines, `known` the hashes by frame of packets that
    decoded cleanly, `marks` the packet hashes of all that was used. `again` means that the second
    command was used. `innocent` means that ffmpeg alone decodes the source without loss, so our own
    complaints do not count. In seconds, `making_s` is ffmpeg's time, `checking_s` all other time,
    and `checking_cpu_s` the processor time of the latter.
    """

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
    """The file of a checkpoint is what the journal says."""


class Refuted(Value, frozen=True):
    """A check failed: the file is not what it should be."""

    reason: str


class Located(Value, frozen=True):
    """Runs (offset in the segment, length) of frames that cannot be decoded, in order and disjoint.

    They never cover too few frames, as far as decoding can tell. `picture` is the path of the last
    good frame before them, or "".
    """

    bad: tuple[tuple[int, int], ...]
    picture: str = ""


Outcome = Examined | Found | Compared | Proved | Made | Validated | Refuted | Located | Evidence


class Progress(Value, frozen=True):
    """The number of frames done so far by a running task."""

    frames: int


class Assignment(Value, frozen=True):
    """What a worker receives: a task and how to supervise it.

    `rate` is the frame rate that the task's counts are checked against. The task counts as hung
    after `stall_s` seconds without progress; 0 means the worker pool's default. `ffmpeg` is the
    program that acts as the witness before a source is blamed; the worker pool sets it.
    """

    order: Order
    rate: Fraction = Fraction(25)
    stall_s: float = 0.0
    ffmpeg: str = ""


Reply = Progress | Outcome
"""What a worker sends back, one per line; an Outcome ends the task."""
