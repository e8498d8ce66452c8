"""What a companion says of a night's work, as values: for tests of views and of the window."""

from __future__ import annotations

import io

import msgspec
from PIL import Image, ImageDraw

from bridge.protocol.responses import (
    Act,
    Described,
    Figures,
    Finding,
    Happened,
    JobLine,
    Jobs,
    Pictured,
    Progressed,
    ShotLine,
)
from bridge.tray.state import Model, fold, linked

NOON = 1795608000.0
FILM = "/films/reel1.mov"


def job(name: str = "aaa111", state: str = "working", **changes: object) -> JobLine:
    """A job called Reel 1."""
    known = JobLine(
        job=name, state=state, timeline="Reel 1", output=FILM, preset="prores-hq", at=NOON
    )
    return msgspec.structs.replace(known, **changes)


def jobs(*lines: JobLine, paused: bool = False) -> Jobs:
    """The answer to List."""
    return Jobs(re="list", jobs=lines, paused=paused)


def progressed(name: str = "aaa111", **changes: object) -> Progressed:
    """A job at 96 of 240 frames."""
    now = {
        "is": "Snapshot", "phase": "assemble", "frames": 240, "frames_done": 96, "shots": 8, "shots_done": 3, "shots_missing": 0,
        "reused_frames": 0, "left_s": 4.5, "frames_per_s": 32.0, "working_on": ["shot 4"], "waiting_s": 0.0, "shots_now": [4],
    } | changes  # fmt: skip
    return Progressed(job=name, at=NOON, snapshot=msgspec.Raw(msgspec.json.encode(now)))


def happened(kind: str, seq: int = 1, name: str = "aaa111", **fact: object) -> Happened:
    """A fact on record."""
    return Happened(
        seq=seq,
        after=seq - 1,
        job=name,
        at=NOON,
        fact=msgspec.Raw(msgspec.json.encode({"is": kind, **fact})),
    )


def failure(code: str = "source-missing", path: str = "/media/D004.mp4") -> dict[str, object]:
    """A failure as it stands in a fact."""
    return {
        "is": "Failure",
        "type": "user_input_invalid",
        "code": code,
        "evidence": {"is": "Evidence", "path": path},
    }


SHOTS = (
    ("Opening", "A001.mov", 48, "verified"), ("Harbour", "B002.mov", 40, "verified"), ("Close-up", "C003.mov", 36, "reused"),
    ("Night train", "D004.mp4", 48, "slate"), ("Window", "A001.mov", 60, "verified"), ("", "", 12, "verified"),
    ("Argument", "B002.mov", 72, "verified"), ("Letter", "E005.mov", 48, "mended"), ("Rain", "C003.mov", 80, "previous"),
    ("Reverse", "A001.mov", 50, "verified"), ("Platform", "B002.mov", 55, "missing"), ("Farewell", "C003.mov", 60, "waiting"),
)  # fmt: skip


def shots(pattern: tuple[tuple[str, str, int, str], ...] = SHOTS) -> tuple[ShotLine, ...]:
    """The shots of the film, in order."""
    made, first = [], 0
    for number, (name, file, frames, state) in enumerate(pattern, 1):
        path = f"/media/{file}" if file else ""
        made.append(
            ShotLine(
                number=number,
                name=name,
                first=first,
                frames=frames,
                state=state,
                gap=not file,
                path=path,
            )
        )
        first += frames
    return tuple(made)


MISSING = Finding(
    severity="error", code="source-missing", title="Media offline", message="/media/D004.mp4 is not there.",
    did="A slate of exact length stands in its place.",
    actions=(Act(do="Connect its drive or put the file back, then try again; only its shots are made anew."),),
    shots=(4,), first=124, frames=48, path="/media/D004.mp4", answers=("retry", "relink", "skip"),
)  # fmt: skip
DAMAGED = Finding(
    severity="warning", code="shot-mended", title="Part of a shot is missing",
    message="Only some frames of /media/E005.mov are bad, first at 01:00:03:12 of the file: shot 8, frame 25 of 48.",
    did="The good part is kept, a slate stands for the rest.",
    actions=(Act(do="Copy the file again from the camera card; keep this one until the new one is verified.", safe=False),),
    shots=(8,), first=316, frames=48, path="/media/E005.mov", answers=("relink", "retry", "previous", "skip"),
)  # fmt: skip
CONFORMED = Finding(
    severity="note", code="rate-conformed", title="Rate conformed", message="/media/B002.mov has 25 frames in a second, the film 24.",
    shots=(2, 7, 11), first=48, frames=40, path="/media/B002.mov",
)  # fmt: skip


def described(name: str = "aaa111", state: str = "incomplete", **changes: object) -> Described:
    """A film with a slate, a mended shot, and a note."""
    known = Described(
        re=f"describe-{name}", last=1, job=job(name, state), title="Published, but incomplete.",
        message="/films/reel1.mov: 609 frames in 12.5 s.", safe="8 of 12 shots are verified; your media was not touched.",
        action="Mend what is named below; only what changed is made anew.", rate="24", start_frame=86400, frames=609,
        shots=shots(), findings=(DAMAGED, CONFORMED, MISSING),
    )  # fmt: skip
    return msgspec.structs.replace(known, **changes)


def picture(number: int) -> bytes:
    """A small JPEG."""
    image = Image.new("RGB", (160, 90), (30 + 14 * number % 90, 60, 120 - 7 * number % 80))
    ImageDraw.Draw(image).ellipse((20 + 6 * number, 25, 60 + 6 * number, 65), fill=(220, 190, 120))
    kept = io.BytesIO()
    image.save(kept, "JPEG")
    return kept.getvalue()


def pictured(name: str = "aaa111") -> Pictured:
    """Pictures of the shots that stand."""
    return Pictured(
        re=f"pictures-{name}", job=name, pictures={n: picture(n) for n in (1, 2, 3, 5, 7, 8, 9, 10)}
    )


FIGURES = Figures(
    re="stats",
    figures=msgspec.Raw(msgspec.json.encode({
        "jobs": 31, "ended": 29, "success_rate": 0.83, "success_rate_without_users_faults": 0.966, "film_rate": 0.966,
        "recovering": {"episodes": 22, "cured": 17, "p50_s": 1.4, "p95_s": 38.0, "longest_s": 61.0}, "seconds_saved": 5230.0,
        "by_fault": {
            "source-missing": {"episodes": 9, "cured": 6, "p50_s": 32.0}, "source-volume-gone": {"episodes": 6, "cured": 6, "p50_s": 4.0},
            "ffmpeg-crashed": {"episodes": 5, "cured": 5, "p50_s": 0.6}, "source-damaged": {"episodes": 2, "cured": 0, "p50_s": None},
        },
    })),
)  # fmt: skip


def model(*said: object) -> Model:
    """Everything that was said, folded."""
    made = linked(Model(), "here")
    for one in said:
        made = fold(made, one)
    return made


def night() -> tuple[object, ...]:
    """What a tray has heard after a night: an incomplete film, one under work, one that waits, and older ones."""
    older = [
        job(f"old{n}", state, timeline=name, at=NOON - 86400 * n / 2, output=f"/films/old{n}.mov")
        for n, (name, state) in enumerate((
            ("Trailer v3", "complete"), ("Reel 2", "complete"), ("Reel 3", "failed"), ("Titles", "superseded"),
            ("Reel 2", "unchanged"), ("Festival cut, first assembly with temp music and all pick-ups", "complete"),
        ), 1)
    ]  # fmt: skip
    lines = [
        *reversed(older), job(state="incomplete"),
        job("bbb222", "working", timeline="Reel 4", output="/films/reel4.mov"),
        job("ccc333", "waiting", timeline="Reel 5", output="/films/reel5.mov"),
    ]  # fmt: skip
    return jobs(*lines), described(), pictured(), FIGURES, progressed("bbb222")
