"""Reports to look at: big ones, hostile ones, and a reader that finds everything a page could fetch or run."""

from __future__ import annotations

import io
from html.parser import HTMLParser

import msgspec
from PIL import Image

from core.errors.failure import ErrorType
from core.job.events import (
    Answered,
    GateClosed,
    GateOpened,
    JobAccepted,
    JobFinished,
    PreviousUsed,
    ProblemFound,
    ShotDegraded,
    ShotMended,
    ShotSlated,
    SoundSilenced,
)
from core.messages.template import Language
from core.report.html_report import report
from core.report.view_model import JobView
from tests.core.props import clip, cut, picture, plan, source, voice
from tests.core.report.telling import (
    ACCEPTED,
    DONE,
    MEDIA,
    RUN,
    chronicle_of,
    failed,
    failure,
    key,
    moment,
    planned,
    sealed,
)

HOSTILE = (
    "<script>document.title='run'</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</style><style>body{display:none}",
    "<!--",
    "]]>&lt;&amp;",
    "javascript:alert(1)",
    "evil\u202egpj.mov",
    "\u2067hidden\u2069",
    "null\x00bell\x07esc\x1b[31m",
    "half \udcff\ud800 character",
    "مشهد النهاية الطويل",
    "סצנה 12",
    "a" * 300,
    "word " * 80,
    "https://example.com/x.js",
)


def jpeg(colour: tuple[int, int, int] = (30, 90, 140)) -> bytes:
    """A small picture."""
    memory = io.BytesIO()
    Image.new("RGB", (160, 90), colour).save(memory, format="JPEG")
    return memory.getvalue()


def hostile() -> JobView:
    """Every name is one that a page could stumble over."""
    shots = [clip(10 * n, 10, id=f"c{n}", name=name) for n, name in enumerate(HOSTILE)]
    made = plan(cut(shots), MEDIA)
    accepted = JobAccepted(
        digest="d",
        timeline_path="/cuts/" + HOSTILE[0],
        timeline_name=HOSTILE[1],
        output="/films/" + HOSTILE[2],
        preset=HOSTILE[3],
    )
    told: list[object] = [accepted, RUN, planned(made)]
    for number, name in enumerate(HOSTILE, 1):
        seen = failure(
            "render-unlike",
            ErrorType.TRANSIENT_RESOURCE,
            path="/media/" + name,
            stderr=(name,),
            detail=name,
        )
        told.append(ShotSlated(shot=number, failure=seen))
        told.append(ShotDegraded(shot=number, change=name, failure=seen))
        told.append(SoundSilenced(clip=name, failure=seen))
        told.append(GateClosed(gate=f"source:{name}", path=name, failure=seen))
        told.append(Answered(answer="relink", shot=number, path=name, to=name))
    told.append(JobFinished(outcome="failed", code="render-unlike", detail=HOSTILE[0]))
    return chronicle_of(*told, made=made)


def long() -> JobView:
    """Three hundred shots, some of them in trouble of every kind."""
    names = [
        f"Sc{n:03} – {'a very long name of a shot that goes on ' * (n % 9 == 0)}take {n % 5}"
        for n in range(300)
    ]
    shots = [clip(24 * n, 24, id=f"c{n}", name=name, source_in=n) for n, name in enumerate(names)]
    made = plan(cut(shots), source("/media/a.mov", picture(frames=8000), voice()))
    damaged = failure(
        "source-damaged", ErrorType.PERMANENT_FILE_CORRUPTION, frames_wanted=24, frames_seen=7
    )
    told: list[object] = [
        ACCEPTED,
        (0, RUN),
        ProblemFound(code="source-missing", path="/m/x.mov", shots=(40, 41, 42)),
        planned(made),
    ]
    for segment in made.segments:
        if segment.shot not in (40, 41, 42, 90, 91, 150):
            seal = sealed(segment.shot, made=made, reused=segment.shot % 3 == 0)
            told.append(
                (
                    1 + segment.shot / 10,
                    msgspec.structs.replace(seal, key=segment.key, frames=segment.frames),
                )
            )
    told += [failed(n) for n in (1, 2)]
    told += [
        failed(2, attempt=2),
        ShotMended(shot=90, key=key(90, made), bad=((7, 4),), failure=damaged, source_frame=2143),
    ]
    told += [
        PreviousUsed(shot=91, seals=(sealed(1),), job="older1"),
        ShotSlated(shot=150, failure=damaged),
    ]
    told += [
        ShotDegraded(
            shot=5,
            change="software decoding",
            failure=failure("encoder-device-gone", ErrorType.HARDWARE_FAILURE),
        )
    ]
    told += [
        GateClosed(
            gate="source:/Volumes/Raid", path="/Volumes/Raid", failure=failure("source-volume-gone")
        )
    ]
    told += [
        (60, GateOpened(gate="source:/Volumes/Raid", closed_s=21.0)),
        (90, DONE.__class__(outcome="incomplete", seconds=90.0)),
    ]
    return chronicle_of(*told, made=made)


def page_of(told: JobView, *, pictures: bool = False, speak: Language = "en") -> str:
    """Its report."""
    shown = (
        {shot.number: jpeg((shot.number % 200, 90, 140)) for shot in told.shots if shot.good}
        if pictures
        else {}
    )
    return report(told, pictures=shown, good={}, moment=moment, speak=speak)


class Reader(HTMLParser):
    """Everything in a page: `tags` with their attributes, `words` that are shown, `ids` and `links` inside it."""

    VOID = frozenset(["meta", "img", "br", "hr", "link", "input"])

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"{tag} has an attribute twice"
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"{tag} is closed where another is open"

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]
