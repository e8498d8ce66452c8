"""Many at once: a hundred jobs from ten clients, and all that happened in a week told to who comes back.

    python -m tests.proofs.load [--quick]

What holds: each of 10 clients submits its tenth of 100 jobs, each twice, all at the same time; every submission is one job,
acknowledged under the same name both times; all films come out right, picture by picture, made by two jobs side by side. The
companion has no more files open afterwards than before, no child is left, and it has grown by little.

A week is 500 jobs, 71 a day, with 199 facts each: 99,500 facts with everything that the journal keeps of them. A client that
watches from the beginning has heard each once and in order in less than a second, measured from its asking to its last event.
"""

from __future__ import annotations

import hashlib
import statistics
import sys
import threading
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import psutil

from bridge.protocol.responses import Happened
from core.job.events import (
    FilmJoined,
    FilmPlanned,
    FilmPublished,
    JobAccepted,
    JobFinished,
    RunStarted,
    SegmentSealed,
)
from core.storage.journal import Journal
from core.storage.submissions import Submissions
from tests.bridge.companions import (
    PERMANENT,
    PING,
    Companions,
    companions,
    kind,
    listed,
    submission,
)
from tests.film.barcode import Mark
from tests.film.comparing import shown
from tests.film.media import make_movie
from tests.film.timelines import timeline
from tests.proofs import report

CLIENTS, JOBS, QUICK_JOBS = 10, 100, 20
FRAMES = 6
WEEK_JOBS, QUICK_WEEK_JOBS, FACTS = 500, 100, 199
GOAL_S = 1.0
MOST_S = 20.0
"""For all jobs, each."""
MOST_GROWTH = 24 * 2**20
"""Bytes that a companion may grow by over all this: half of it is what its libraries load with the first job."""


class Wish(NamedTuple):
    """What one submission asks for."""

    name: str
    cut: Path
    film: Path
    first: int


class Answers(NamedTuple):
    """Of one client: seconds to each answer, and the job that each name became, both times it was asked."""

    seconds: list[float]
    jobs: dict[str, list[tuple[str, bool]]]


# A hundred jobs -------------------------------------------------------------------------------------------------------


def wishes(place: Path, count: int) -> list[Wish]:
    """Tiny cuts, each of another place in one source."""
    reel = make_movie(place / "reel.mov", source_id=1, frames=count + FRAMES).path
    made = []
    for number in range(count):
        line = timeline(Fraction(24))
        line.video().clip(reel, number, FRAMES, media_frames=count + FRAMES)
        line.save(place / f"{number}.otio")
        made.append(
            Wish(f"load-{number:06}", place / f"{number}.otio", place / f"{number}.mov", number)
        )
    return made


def ask_all(
    house: Companions, mine: Sequence[Wish], start: threading.Barrier, answers: list[Answers]
) -> None:
    """One client: everything once, and everything again."""
    found = Answers([], {wish.name: [] for wish in mine})
    answers.append(found)
    with house.client() as client:
        start.wait()
        for wish in (*mine, *mine):
            asked, data = submission(wish.cut, wish.film, wish.name)
            began = time.monotonic()
            said = client.ask(asked, data)
            found.seconds.append(time.monotonic() - began)
            found.jobs[wish.name].append((said.job, said.again))


def until_all_ended(house: Companions, jobs: set[str], most_s: float) -> None:
    """Watch until every job has ended."""
    until, left = time.monotonic() + most_s, set(jobs)
    with house.client() as client:
        for said in client.watch():
            assert time.monotonic() < until, f"{len(left)} jobs have not ended in {most_s:.0f} s"
            if isinstance(said, Happened) and kind(said) == "JobFinished":
                left.discard(said.job)
                if not left:
                    return


def working(companion: psutil.Process) -> list[str]:
    """Programs that the companion has started, but for those that wait for the next errand."""
    found = []
    for child in companion.children(recursive=True):
        try:
            words = " ".join(child.cmdline())
        except psutil.NoSuchProcess:  # it has ended
            continue
        if not any(own in words for own in PERMANENT):
            found.append(words)
    return found


def rest(companion: psutil.Process) -> tuple[int, int, list[str]]:
    """When nothing is under work: resident bytes, open files, and what is under work still."""
    until = time.monotonic() + 20
    while True:
        busy = working(companion)
        if not busy or time.monotonic() > until:
            return companion.memory_info().rss, companion.num_fds(), busy
        time.sleep(0.05)


def many(place: Path, say: report.Say, count: int) -> tuple[list[str], dict[str, object]]:
    """A hundred jobs: what is wrong, and the figures."""
    made = wishes(place, count)
    with companions(place / "home") as house:
        house.home.mkdir()
        (house.home / "settings.yaml").write_text("jobs_at_once: 2\n")
        companion = psutil.Process(house.start("-j", "2").pid)
        warm = Wish("load-warming-up", made[0].cut, place / "warm.mov", 0)
        with house.client() as client:
            first = client.ask(*submission(warm.cut, warm.film, warm.name)).job
        until_all_ended(house, {first}, MOST_S)
        memory, files, _ = rest(companion)
        answers: list[Answers] = []
        barrier, began = threading.Barrier(CLIENTS), time.monotonic()
        shares = [made[number::CLIENTS] for number in range(CLIENTS)]
        clients = [
            threading.Thread(target=ask_all, args=(house, share, barrier, answers))
            for share in shares
        ]
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join()
        asked_s = time.monotonic() - began
        seconds = sorted(second for answer in answers for second in answer.seconds)
        p50, p95 = (
            statistics.median(seconds),
            seconds[min(len(seconds) - 1, round(0.95 * len(seconds)))],
        )
        say(
            f"{len(seconds)} submissions of {count} jobs by {CLIENTS} clients acknowledged in {asked_s:.1f} s while jobs ran: "
            f"p50 {p50 * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms, longest {seconds[-1] * 1000:.0f} ms"
        )
        both = {name: jobs for answer in answers for name, jobs in answer.jobs.items()}
        until_all_ended(house, {jobs[0][0] for jobs in both.values()}, MOST_S * count)
        made_s = time.monotonic() - began
        after, open_after, left = rest(companion)
        with house.client() as client:
            states = {line.state for line in listed(client)}
        on_record = house.jobs()
    wrong = [
        f"{name} became {jobs}"
        for name, jobs in both.items()
        if [again for _, again in jobs] != [False, True] or len({job for job, _ in jobs}) != 1
    ]
    if len(both) != count or len(on_record) != count + 1:
        wrong.append(f"{len(on_record) - 1} jobs for {count} names")
    spoilt = [
        w.film.name
        for w in made
        if shown(w.film) != [Mark(1, w.first + frame) for frame in range(FRAMES)]
    ]
    wrong += [f"not right: {spoilt}"] if spoilt else []
    wrong += [f"states {states}"] if states != {"complete"} else []
    wrong += [f"left over: {left}"] if left else []
    wrong += [f"{open_after} files open, {files} before"] if open_after > files else []
    wrong += [f"grown from {memory} to {after} bytes"] if after - memory > MOST_GROWTH else []
    say(
        f"all {count} films verified and right after {made_s:.1f} s"
        if not wrong
        else f"wrong: {wrong}"
    )
    say(
        f"the companion: {memory / 2**20:.1f} MiB and {files} open files before, {after / 2**20:.1f} MiB and {open_after} after"
    )
    return wrong, {
        "jobs": count, "clients": CLIENTS, "submissions": len(seconds), "acknowledged_p50_ms": p50 * 1000, "acknowledged_p95_ms": p95 * 1000,
        "acknowledged_longest_ms": seconds[-1] * 1000, "all_films_s": made_s, "memory_before_mib": memory / 2**20,
        "memory_after_mib": after / 2**20, "files_before": files, "files_after": open_after,
    }  # fmt: skip


# A week ---------------------------------------------------------------------------------------------------------------


def lived(home: Path, jobs: int) -> list[int]:
    """A record of so many jobs, as they leave it; the numbers of all facts."""
    home.mkdir(parents=True)
    journal = Journal(home / "journal.db")
    queue = Submissions(journal)

    def digest(*of: object) -> str:
        return hashlib.sha256(repr(of).encode()).hexdigest()

    for number in range(jobs):
        job, cut, film = f"w{number:05}", digest("cut", number)[:32], f"/films/reel {number}.mov"
        asked = JobAccepted(
            digest=digest("request", number), timeline_path=f"/cuts/reel {number}.otio", timeline_name=f"Reel {number}",
            output=film, preset="prores-hq",
        )  # fmt: skip
        queue.accept(
            f"week-{number:06}",
            content=digest(number),
            body="{}",
            job=job,
            fact=asked,
            timeline=b"{}",
            at=60.0 * number,
        )
        seals = [
            SegmentSealed(
                key=f"v{digest(number, shot)[:32]}", kind="video", shot=shot, file=f"ab/v{digest(number, shot)[:32]}.mov", bytes=10**7 + shot,
                file_hash=digest("file", number, shot), frames=48, digest=digest("frames", number, shot), seconds=1.25,
            )
            for shot in range(1, FACTS - 5)
        ]  # fmt: skip
        planned = FilmPlanned(
            cut=cut, shots=len(seals), segments=len(seals), chunks=0, frames=48 * len(seals), samples=0, reused=0, reused_frames=0,
            rate="24", start_frame=86400, start_timecode="01:00:00:00",
        )  # fmt: skip
        joined = FilmJoined(
            cut=cut,
            staged="/films/.hotsplice/staged.mov",
            bytes=10**9,
            film_hash=digest("film", number),
            frames=48,
            samples=0,
        )
        published = FilmPublished(
            output=film, film_hash=joined.film_hash, kept="", cut=cut, frames=48
        )
        ended = JobFinished(outcome="complete", seconds=300.0)
        journal.append(
            job,
            [
                RunStarted(version="0.1.0", ffmpeg="9.0", workers=8),
                planned,
                *seals,
                joined,
                published,
                ended,
            ],
            60.0 * number + 30,
        )
        queue.wish(job, "over")
    seqs = [seq for (seq,) in journal.read("SELECT seq FROM facts ORDER BY seq", ())]
    journal.close()
    return seqs


def week(place: Path, say: report.Say, jobs: int) -> tuple[list[str], dict[str, object]]:
    """A week's worth: what is wrong, and the figures."""
    seqs = lived(place / "home", jobs)
    say(f"a record of {jobs} jobs and {len(seqs)} facts")
    seconds, wrong, grown = [], [], []
    with companions(place / "home") as house:
        companion = psutil.Process(house.start().pid)
        for _ in range(5):
            before = companion.memory_info().rss
            with house.client() as client:
                client.ask(PING)
                heard, began = [], time.monotonic()
                for said in client.watch():
                    if isinstance(said, Happened):
                        heard.append(said.seq)
                        if said.seq == seqs[-1]:
                            break
                seconds.append(time.monotonic() - began)
            grown.append(companion.memory_info().rss - before)
            if heard != seqs:
                wrong.append(f"heard {len(heard)} of {len(seqs)} events, or not in their order")
    say(
        f"told from the beginning, each once and in order: best {min(seconds):.2f} s, median {statistics.median(seconds):.2f} s, "
        f"worst of {len(seconds)} {max(seconds):.2f} s, {len(seqs) / statistics.median(seconds):.0f} events a second (goal: below {GOAL_S:.0f} s)"
    )
    return wrong, {
        "events": len(seqs), "replayed_best_s": min(seconds), "replayed_median_s": statistics.median(seconds), "replayed_worst_s": max(seconds),
        "companion_grew_mib": max(grown) / 2**20,
    }  # fmt: skip


def prove(
    place: Path, say: report.Say, *, jobs: int, week_jobs: int
) -> tuple[bool, dict[str, object]]:
    """Both; whether they hold, and the figures."""
    (place / "many").mkdir()
    wrong, figures = many(place / "many", say, jobs)
    wrong_too, more = week(place / "week", say, week_jobs)
    told = more["replayed_worst_s"]
    assert isinstance(told, float)
    for text in (*wrong, *wrong_too):
        say(f"wrong: {text}")
    return not wrong and not wrong_too and told < GOAL_S, {
        **figures,
        **more,
        "wrong": len(wrong) + len(wrong_too),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; its exit code."""
    quick, say, began = report.quick(arguments), report.Say(), time.monotonic()
    with report.workplace("load") as place:
        sizes = (QUICK_JOBS, QUICK_WEEK_JOBS) if quick else (JOBS, WEEK_JOBS)
        held, figures = prove(place, say, jobs=sizes[0], week_jobs=sizes[1])
    return report.close("load", held, quick=quick, seconds=time.monotonic() - began, **figures)


if __name__ == "__main__":
    sys.exit(main())
