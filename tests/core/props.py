"""Props: small timelines, sources and plans, written in a line, that the tests of the pure parts are played with."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import msgspec

from core.errors.failure import ErrorType, Evidence, Failure
from core.graph.nodes import Plan
from core.plan import planning
from core.plan.policy import Policy
from core.plan.slate_text import SlateWords
from core.storage import preset_files
from core.timeline.source import AudioFacts, Source, VideoFacts
from core.timeline.timeline import Clip, Format, Media, Timeline, Track

PRESETS = preset_files.load_all(None)
H264, FFV1, DNXHR, MJPEG = (PRESETS[name] for name in ("h264", "ffv1", "dnxhr-hq", "mjpeg"))
PRORES = msgspec.structs.replace(
    PRESETS["prores-hq"],
    video=msgspec.structs.replace(
        PRESETS["prores-hq"].video, cost_ms_per_megapixel=115, bits_per_pixel=4.4
    ),
)
"""With estimates that stay, whatever is measured next."""
POLICY = Policy(
    attempts=4,
    first_delay_s=0.2,
    longest_delay_s=5.0,
    retry_budget_s=25.0,
    stall_s=60.0,
    segment_cost_s=10.0,
    chunk_s=30,
)
HD = Format(width=1920, height=1080, rate=Fraction(24), sample_rate=48000, channels=2)
SIGNATURE = "prores 3 1920x1080 yuv422p10le"
"""What the encoder of the film is said to make."""
BUILD = "ffmpeg version 9.0.2 for tests"
SLATES = SlateWords(
    title_of=lambda code: f"<{code}>",
    shot="Shot",
    unnamed="unnamed",
    to="to",
    source_frame="source frame",
)


def picture(
    *,
    frames: int = 2400,
    rate: Fraction | int = 24,
    size: tuple[int, int] = (1920, 1080),
    signature: str = "h264 high",
    **facts: object,
) -> VideoFacts:
    """A video stream; anything else of it by name."""
    usual = VideoFacts(
        stream=0,
        codec="h264",
        width=size[0],
        height=size[1],
        pixel_format="yuv420p",
        rate=Fraction(rate),
        frames=frames,
        start_s=Fraction(0),
        constant_rate=True,
        intra_only=False,
        still=False,
        signature=signature,
        colour=(1, 1, 1),
    )
    return msgspec.structs.replace(usual, **facts)


def voice(
    *,
    samples: int = 0,
    sample_rate: int = 48000,
    channels: int = 2,
    stream: int = 1,
    start_s: Fraction = Fraction(0),
) -> AudioFacts:
    """An audio stream; 0 samples: the container does not say how many."""
    return AudioFacts(
        stream=stream,
        codec="pcm_s24le",
        sample_rate=sample_rate,
        channels=channels,
        samples=samples,
        start_s=start_s,
    )


def source(
    path: str = "/media/a.mov", video: VideoFacts | None = None, *audio: AudioFacts, **facts: object
) -> Source:
    """A media file whose content is named after its path."""
    usual = Source(
        path=path,
        size=1000,
        fingerprint=f"content of {path}",
        inode=(1, abs(hash(path))),
        video=video,
        audio=audio,
    )
    return msgspec.structs.replace(usual, **facts)


def offline(path: str, code: str = "source-missing", detail: str = "") -> Failure:
    """A source that could not be opened."""
    seen = Evidence(operation="examine", place="source", path=path, detail=detail)
    return Failure(type=ErrorType.USER_INPUT_INVALID, code=code, evidence=seen)


def clip(
    at: int,
    frames: int,
    path: str | None = "/media/a.mov",
    source_in: Fraction | int = 0,
    *,
    id: str = "",
    kind: str = "file",
    name: str = "",
    **more: object,
) -> Clip:
    """A clip at record frame `at`; `source_in` in seconds."""
    name = name or (path or "nothing").rpartition("/")[2]
    media = Media(name=name, kind=kind, path=path)  # type: ignore[arg-type]
    made = Clip(
        id=id or f"{name}@{at}",
        name=name,
        media=media,
        record_in=at,
        frames=frames,
        source_in=Fraction(source_in),
    )
    return msgspec.structs.replace(made, **more)


def cut(
    *video: list[Clip],
    audio: tuple[list[Clip], ...] = (),
    frames: int | None = None,
    rate: Fraction | int = 24,
    **more: object,
) -> Timeline:
    """A timeline of tracks from the bottom up, as long as its longest track unless `frames` says otherwise."""
    tracks = [
        Track(kind="video", name=f"V{n}", clips=tuple(clips)) for n, clips in enumerate(video, 1)
    ]
    tracks += [
        Track(kind="audio", name=f"A{n}", clips=tuple(clips)) for n, clips in enumerate(audio, 1)
    ]
    longest = max((c.record_out for track in tracks for c in track.clips), default=0)
    usual = Timeline(
        name="Reel",
        rate=Fraction(rate),
        start_frame=86400,
        frames=frames or longest,
        tracks=tuple(tracks),
    )
    return msgspec.structs.replace(usual, **more)


def plan(
    timeline: Timeline,
    sources: Mapping[str, Source | Failure] | Source,
    *,
    preset: object = PRORES,
    policy: Policy = POLICY,
    signature: str = SIGNATURE,
    build: str = BUILD,
) -> Plan:
    """The plan of a timeline; one source alone stands for itself."""
    known = {sources.path: sources} if isinstance(sources, Source) else sources
    return planning.plan(
        timeline,
        known,
        preset=preset,
        policy=policy,
        signature=signature,
        build=build,
        slate_words=SLATES,
    )
