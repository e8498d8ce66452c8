"""The story of a job in both languages: every fact is a sentence, and none is left in the other tongue."""

from __future__ import annotations

from typing import get_args

import pytest

from core.errors.failure import Evidence, Recovery, Strategy
from core.job.classify import diagnose
from core.job.events import (
    Answered,
    AttemptFailed,
    ClockJumped,
    Fact,
    FilmJoined,
    FilmPlanned,
    FilmPublished,
    FilmRemoved,
    FilmRolledBack,
    FolderRecorded,
    GateClosed,
    GateOpened,
    JobAccepted,
    JobFinished,
    PreviousUsed,
    ProblemFound,
    ReplacementAllowed,
    Rewound,
    RunInterrupted,
    RunStarted,
    SealBroken,
    SegmentParted,
    SegmentSealed,
    ShotDegraded,
    ShotMended,
    ShotSlated,
    SoundSilenced,
    SourceMoved,
)
from core.report.event_text import done, gate_name, opening, sentence, strategy
from core.system.folder import FolderIdentity

DAMAGED = diagnose(
    Evidence(operation="render", place="source", path="/m/a{b}.mov", note="log-says-damage")
)
AGAIN = Recovery(strategy=Strategy.WAIT_AND_RETRY, retry_at=1.0, change="in smaller pieces")
SEAL = SegmentSealed(
    key="k", kind="video", shot=1, file="k.x", bytes=1, file_hash="h", frames=24, digest="d"
)
PLANNED = FilmPlanned(
    cut="c", shots=3, segments=4, chunks=2, frames=72, samples=9, reused=1, reused_frames=24, rate="24", start_frame=0, copied=1,
    start_timecode="01:00:00:00",
)  # fmt: skip

TOLD: tuple[tuple[Fact, str, str], ...] = (
    (
        JobAccepted(
            digest="d",
            timeline_path="/t.otio",
            timeline_name="Reel",
            output="/f.mov",
            preset="ffv1",
        ),
        "Asked for /f.mov (ffv1) from Reel, /t.otio.",
        "Verlangt wurde /f.mov (ffv1) aus Reel, /t.otio.",
    ),
    (
        RunStarted(version="1", ffmpeg="9", workers=2),
        "Work began (Hotsplice 1, ffmpeg 9, 2 at once).",
        "Die Arbeit begann (Hotsplice 1, ffmpeg 9, 2 zugleich).",
    ),
    (
        PLANNED,
        "Planned 3 shots, 72 frames from 01:00:00:00 in 4 segments and 2 stretches of sound; of these 1 (24 frames) "
        "from checkpoints, 1 copied without encoding.",
        "Geplant: 3 Einstellungen, 72 Bilder ab 01:00:00:00 in 4 Segmenten und 2 Tonstrecken; davon 1 (24 Bilder) aus "
        "Sicherungspunkten, 1 ohne Encodieren kopiert.",
    ),
    (
        ProblemFound(code="source-empty", path="/m/[x]", shots=(2,)),
        "Shot 2: empty media file. /m/[x] has no content (0 bytes). Copy the file again from the camera card or backup; keep this "
        "one until the new one is verified.",
        "Einstellung 2: Leere Mediendatei. /m/[x] hat keinen Inhalt (0 Byte). Kopieren Sie die Datei erneut von der Kamerakarte "
        "oder Sicherung; behalten Sie diese, bis die neue geprüft ist.",
    ),
    (SEAL, "Checkpoint sealed: shot 1, 24 frames.", "Gesichert: Einstellung 1, 24 Bilder."),
    (
        SegmentSealed(
            key="k",
            kind="audio",
            shot=0,
            file="k.x",
            bytes=1,
            file_hash="h",
            frames=480,
            digest="d",
            reused=True,
        ),
        "Checkpoint verified again: sound, 480 samples.",
        "Erneut geprüft: Ton, 480 Samples.",
    ),
    (
        SealBroken(key="k", reason="seal-damaged"),
        "A checkpoint is not believed (checkpoint damaged); it is made again.",
        "Einem Sicherungspunkt wird nicht geglaubt (Sicherungspunkt defekt); er entsteht erneut.",
    ),
    (
        AttemptFailed(key="k", shot=3, attempt=2, at=1.0, failure=DAMAGED, recovery=AGAIN),
        "Shot 3: attempt 2 failed, damaged media (permanent_file_corruption, source-damaged): /m/a{b}.mov is damaged in the part "
        "the cut uses. wait_and_retry: tried again, changed: in smaller pieces.",
        "Einstellung 3: Versuch 2 misslang, Beschädigte Medien (permanent_file_corruption, source-damaged): /m/a{b}.mov ist in dem "
        "Teil beschädigt, den der Schnitt verwendet. wait_and_retry: erneut versucht, geändert: in kleineren Stücken.",
    ),
    (
        ShotSlated(shot=3, failure=DAMAGED),
        "Shot 3 is a slate: damaged media.",
        "Einstellung 3 ist ein Platzhalter: Beschädigte Medien.",
    ),
    (
        ShotMended(shot=1, key="k", bad=((2, 3), (9, 1)), failure=DAMAGED, source_frame=12),
        "Shot 1 is mended: 4 frames are slates, from frame 12 of its source; the rest is kept (damaged media).",
        "Einstellung 1 ist ausgebessert: 4 Bilder sind Platzhalter, ab Bild 12 der Quelle; der Rest bleibt (Beschädigte Medien).",
    ),
    (
        SegmentParted(key="v1", at=24),
        "A piece failed though every frame of it can be had; it is made in two, the second from its frame 24 on.",
        "Ein Stück misslang, obwohl jedes Bild darin zu haben ist; es entsteht in zwei Teilen, der zweite ab seinem Bild 24.",
    ),
    (
        ShotDegraded(shot=1, change="software decoding", failure=DAMAGED),
        "Shot 1 was made in another way (software decoding): damaged media.",
        "Einstellung 1 entstand auf andere Weise (Decodieren ohne Gerät): Beschädigte Medien.",
    ),
    (
        PreviousUsed(shot=1, seals=(SEAL, SEAL), job="j1"),
        "Shot 1 shows its earlier good render, 48 frames of job j1.",
        "Einstellung 1 zeigt ihr früheres gutes Rendering, 48 Bilder aus Auftrag j1.",
    ),
    (
        SoundSilenced(clip="[c]", failure=DAMAGED),
        "Silence for [c]: damaged media.",
        "Stille für [c]: Beschädigte Medien.",
    ),
    (
        GateClosed(gate="source:/V/A", path="/V/A", failure=DAMAGED),
        "Waiting for the drive /V/A: damaged media. Nothing that needs it is begun, no attempt is lost.",
        "Gewartet wird auf das Laufwerk /V/A: Beschädigte Medien. Nichts, was das braucht, wird begonnen; kein Versuch geht verloren.",
    ),
    (
        GateOpened(gate="scratch", closed_s=3.25),
        "The scratch disk is well again after 3.2 s; work goes on.",
        "Das Arbeitsvolume: nach 3,2 s wieder in Ordnung; die Arbeit geht weiter.",
    ),
    (
        GateOpened(gate="machine", closed_s=60.0, given_up=True),
        "Waited 60.0 s for the machine, long enough; it is not waited for any more.",
        "60,0 s auf die Maschine gewartet, lang genug; darauf wird nicht mehr gewartet.",
    ),
    (
        Answered(answer="relink", path="/a", to="/b", remembered=True),
        "Answered for /a: use another file, /b (as always).",
        "Geantwortet zu /a: eine andere Datei verwenden, /b (wie immer).",
    ),
    (
        Answered(answer="skip", shot=3),
        "Answered for shot 3: leave it as a slate.",
        "Geantwortet zu Einstellung 3: als Platzhalter lassen.",
    ),
    (
        SourceMoved(path="/a", to="/b", how="content"),
        "/a was found at /b, known by its content.",
        "/a wurde bei /b gefunden, am Inhalt erkannt.",
    ),
    (
        ClockJumped(by_s=60.0, slept=True),
        "The machine slept for 60 s.",
        "Der Rechner schlief 60 s lang.",
    ),
    (
        ClockJumped(by_s=-60.0),
        "The machine had its clock set by -60 s.",
        "Die Uhr des Rechners wurde um -60 s gestellt.",
    ),
    (
        FilmJoined(cut="c", staged="/s", bytes=1, film_hash="h", frames=72, samples=9),
        "Joined and checked whole: 72 frames, 9 samples, h.",
        "Gefügt und als Ganzes geprüft: 72 Bilder, 9 Samples, h.",
    ),
    (
        FilmPublished(output="/f.mov", film_hash="h", kept="/k.mov"),
        "Published as /f.mov. The film before it is kept as /k.mov.",
        "Veröffentlicht als /f.mov. Der Film davor ist aufbewahrt als /k.mov.",
    ),
    (
        FilmPublished(output="/f.mov", film_hash="h", kept=""),
        "Published as /f.mov.",
        "Veröffentlicht als /f.mov.",
    ),
    (
        FolderRecorded(role="scratch", folder=FolderIdentity(path="/s", mount="/")),
        "The scratch folder is /s, on /.",
        "Der Arbeitsordner ist /s, auf /.",
    ),
    (
        FilmRemoved(path="/f", film_hash="a"),
        "Removed /f: the complete film is newer.",
        "/f entfernt: Der vollständige Film ist neuer.",
    ),
    (
        ReplacementAllowed(),
        "Allowed to replace a complete film though this one is incomplete.",
        "Erlaubt, einen vollständigen Film zu ersetzen, obwohl dieser unvollständig ist.",
    ),
    (
        FilmRolledBack(output="/f", film_hash="a", kept_hash="b"),
        "Rolled back /f to the film before.",
        "/f auf den Film davor zurückgesetzt.",
    ),
    (
        JobFinished(outcome="failed", code="scratch-full", seconds=1.0),
        "Ended failed after 1.0 s: scratch disk full.",
        "Ende nach 1,0 s: gescheitert, Arbeitsvolume voll.",
    ),
    (
        JobFinished(outcome="complete", seconds=1.0),
        "Ended complete after 1.0 s.",
        "Ende nach 1,0 s: vollständig.",
    ),
    (
        RunInterrupted(reason="SIGTERM"),
        "Stopped on request (SIGTERM).",
        "Auf Wunsch angehalten (SIGTERM).",
    ),
    (
        Rewound(checkpoint=4, keys=("a",)),
        "Taken back to checkpoint 4: 1 later ones are made again.",
        "Zurück zu Sicherungspunkt 4: 1 spätere entstehen erneut.",
    ),
)


@pytest.mark.parametrize(
    ("fact", "english", "german"), TOLD, ids=[type(fact).__name__ for fact, _, _ in TOLD]
)
def test_a_fact_is_told_in_both_languages(fact, english, german):
    assert sentence(fact) == english
    assert sentence(fact, "de") == german


def test_every_kind_of_fact_that_is_told_is_told_here():
    silent = {kind for kind in get_args(Fact) if kind not in {type(fact) for fact, _, _ in TOLD}}
    assert {kind.__name__ for kind in silent} <= NEWER


NEWER: set[str] = set()
"""Facts that have no sentence of their own yet: they are told by their name."""


def test_decisions_and_strategies_in_both_languages():
    stops = Recovery(strategy=Strategy.PROVIDE_USER_FEEDBACK, fatal=True)
    waits = Recovery(strategy=Strategy.WAIT_AND_RETRY, gate="source:/V/A")
    assert (done(stops), done(stops, "de")) == ("the job stops", "der Auftrag hält an")
    assert (done(waits), done(waits, "de")) == (
        "the drive /V/A is waited for",
        "gewartet wird auf das Laufwerk /V/A",
    )
    assert (strategy(stops), strategy(stops, "de")) == ("left to a person", "Ihnen überlassen")
    assert opening(gate_name("output:/x y")) == "The film's volume /x y"
    assert gate_name("of tomorrow") == "of tomorrow"
