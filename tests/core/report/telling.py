"""Stories of jobs, written in a line: facts with their moments, as a journal would give them."""

from __future__ import annotations

from core.errors.failure import ErrorType, Evidence, Failure, Recovery, Strategy
from core.graph.nodes import Plan
from core.job.events import (
    AttemptFailed,
    Fact,
    FilmJoined,
    FilmPlanned,
    FilmPublished,
    JobAccepted,
    JobFinished,
    RunStarted,
    SegmentSealed,
)
from core.report.job_view import chronicle
from core.report.view_model import JobView
from core.storage.journal import Entry
from tests.core.job.playbook import seal
from tests.core.props import clip, cut, picture, plan, source, voice

MEDIA = source("/media/a.mov", picture(), voice())
FILM = cut(
    [clip(0, 24, name="A001"), clip(24, 20, source_in=10, name="B002")],
    audio=([clip(0, 44)],),
    frames=50,
)
"""Two shots and a gap of 6 frames."""
PLAN = plan(FILM, MEDIA)
ACCEPTED = JobAccepted(
    digest="d",
    timeline_path="/cuts/reel.otio",
    timeline_name="Reel",
    output="/films/film.mov",
    preset="prores-hq",
)
RUN = RunStarted(version="1", ffmpeg="9", workers=2)
DONE = JobFinished(outcome="complete", seconds=9.0, recording_s=0.5, checking_s=0.5, working_s=9.5)


def planned(made: Plan = PLAN, **more: object) -> FilmPlanned:
    """The plan, as the facts name it."""
    return FilmPlanned(
        cut="cut", shots=len(made.shots), segments=len(made.segments), chunks=len(made.chunks), frames=made.frames,
        samples=made.samples, reused=0, reused_frames=0, rate=str(made.format.rate), start_frame=made.start_frame,
        start_timecode="01:00:00:00", **more,
    )  # fmt: skip


def key(shot: int, made: Plan = PLAN) -> str:
    """The key of a shot's first segment."""
    return next(segment.key for segment in made.segments if segment.shot == shot)


def sealed(
    shot: int, *, seconds: float = 2.0, reused: bool = False, made: Plan = PLAN
) -> SegmentSealed:
    """A shot is a checkpoint."""
    frames = next(s.frames for s in made.shots if s.number == shot)
    return SegmentSealed(**{
        **{name: getattr(seal(key(shot, made)), name) for name in SegmentSealed.__struct_fields__},
        "shot": shot, "frames": frames, "seconds": seconds, "reused": reused,
    })  # fmt: skip


def failure(
    code: str = "network-lost",
    kind: ErrorType = ErrorType.TRANSIENT_NETWORK,
    path: str = "/media/a.mov",
    **seen: object,
) -> Failure:
    """A judged failure."""
    return Failure(
        type=kind,
        code=code,
        evidence=Evidence(**{"operation": "render", "place": "source", "path": path, **seen}),
    )


def failed(
    shot: int,
    what: Failure | None = None,
    *,
    attempt: int = 1,
    again: bool = True,
    fatal: bool = False,
) -> AttemptFailed:
    """An attempt at a shot failed."""
    recovery = Recovery(
        strategy=Strategy.RETRY_WITH_BACKOFF, retry_at=1.0 if again else None, fatal=fatal
    )
    return AttemptFailed(
        key=key(shot),
        shot=shot,
        attempt=attempt,
        at=0.0,
        failure=what or failure(),
        recovery=recovery,
    )


JOINED = FilmJoined(
    cut="cut",
    staged="/films/.hotsplice/x",
    bytes=1,
    film_hash="tree8m:1",
    frames=50,
    samples=100000,
)
PUBLISHED = FilmPublished(
    output="/films/film.mov", film_hash="tree8m:1", kept="", cut="cut", frames=50
)


def story(*told: tuple[float, Fact] | Fact) -> list[Entry]:
    """Entries; a fact without a moment has that of the one before it."""
    entries: list[Entry] = []
    at = 1000.0
    for number, one in enumerate(told, 1):
        at, fact = (1000.0 + one[0], one[1]) if isinstance(one, tuple) else (at, one)
        entries.append(Entry(number, "abcdef", at, fact))
    return entries


def chronicle_of(*told: tuple[float, Fact] | Fact, made: Plan | None = PLAN) -> JobView:
    """What becomes of them."""
    return chronicle("abcdef", story(*told), made)


def moment(at: float) -> str:
    """A moment that is the same everywhere."""
    return f"T+{at - 1000:.0f}"
