"""What a person reads of a timeline that is turned down: the part of it that is meant and what is wrong, in both languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from opentimelineio import schema
from otio_building import as_json, clip, file, gap, having, message, span, timeline, track

from core.messages.template import LANGUAGES
from otio_adapters import guard
from otio_adapters.read import read_timeline
from otio_adapters.refuse import TimelineRefused


def film_with(**edit: Any) -> Any:
    """A film of one clip, whose JSON is edited."""
    made = as_json(timeline(track(clip("Prüfung"))))
    made["tracks"]["children"][0]["children"][0] |= edit
    return made


def numbered(padding: int) -> Any:
    pictures = schema.ImageSequenceReference(
        "/s", "p.", ".exr", 1, 1, 24.0, padding, available_range=span(0, 9)
    )
    return timeline(track(clip("Folge", media=pictures)))


TOLD = {
    "no clips": (
        timeline(),
        "The timeline is empty: it has no clips and no length.",
        "Die Timeline ist leer: Sie hat keine Clips und keine Länge.",
    ),
    "a clip of no rate": (
        timeline(track(clip("Tür 3", rate=0))),
        "Clip “Tür 3” has a time at 0 frames per second.",
        "Clip „Tür 3“ hat eine Zeit mit 0 Bildern pro Sekunde.",
    ),
    "a gap that ends before it begins": (
        timeline(track(gap(-1))),
        "Gap without a name has a negative duration.",
        "Lücke ohne Namen hat eine negative Dauer.",
    ),
    "a track as long as a season": (
        timeline(track(clip(frames=2e8), clip(frames=2e8), name="Bild")),
        "Track “Bild” ends after more than 115 days, or mixes too many frame rates.",
        "Spur „Bild“ endet nach mehr als 115 Tagen oder mischt zu viele Bildraten.",
    ),
    "media of no rate": (
        timeline(track(clip("x", media=file(available=span(9, 9, 0))))),
        "The media of Clip “x” has a time at 0 frames per second.",
        "Das Medium von Clip „x“ hat eine Zeit mit 0 Bildern pro Sekunde.",
    ),
    "a start of no rate": (
        timeline(track(clip()), start=(1, 0)),
        "The start of the timeline has a time at 0 frames per second.",
        "Der Anfang der Timeline hat eine Zeit mit 0 Bildern pro Sekunde.",
    ),
    "a range of the whole timeline": (
        having(
            timeline(track(clip())),
            tracks=having(schema.Stack(children=[track(clip())]), source_range=span(0, 1e9)),
        ),
        "The timeline has a time of more than 115 days.",
        "Die Timeline hat eine Zeit von mehr als 115 Tagen.",
    ),
    "a clip without a range": (
        timeline(track(schema.Clip("lost", file()))),
        "Clip “lost” says neither which part of its media it shows nor how long that is.",
        "Clip „lost“ sagt weder, welchen Teil seines Mediums er zeigt, noch, wie lang der ist.",
    ),
    "pictures with long numbers": (
        numbered(99),
        "The picture numbers of Clip “Folge” have 99 digits.",
        "Die Bildnummern von Clip „Folge“ haben 99 Stellen.",
    ),
    "a setting of another kind": (
        timeline(track(clip()), hotsplice={"width": "wide"}),
        "The hotsplice settings in the timeline say that width is “wide”.",
        "Die Einstellungen für hotsplice in der Timeline sagen, width sei „wide“.",
    ),
    "settings that are a number": (
        timeline(track(clip()), hotsplice=3),
        "The hotsplice settings in the timeline are not a list of settings.",
        "Die Einstellungen für hotsplice in der Timeline sind keine Liste von Einstellungen.",
    ),
    "a clip of a newer kind": (
        film_with(OTIO_SCHEMA="Clip.99"),
        "The timeline contains “Clip.99”, which this version of Hotsplice cannot read.",
        "Die Timeline enthält „Clip.99“; das kann diese Version von Hotsplice nicht lesen.",
    ),
    "a range that is none": (
        film_with(source_range=as_json(gap(1))),
        "The timeline is damaged: “source_range” of “Prüfung” is “Gap.1”.",
        "Die Timeline ist beschädigt: „source_range“ von „Prüfung“ ist „Gap.1“.",
    ),
    "a clip that does not say what it is": (
        film_with(more={"OTIO_SCHEMA": ""}),
        "The timeline is damaged: something in it does not say what it is.",
        "Die Timeline ist beschädigt: Etwas darin sagt nicht, was es ist.",
    ),
    "JSON of another kind": (
        {"film": 3},
        "This file is JSON, but not an OpenTimelineIO timeline.",
        "Diese Datei ist JSON, aber keine OpenTimelineIO-Timeline.",
    ),
    "a clip alone": (
        clip(),
        "This OpenTimelineIO file holds a Clip, not one timeline.",
        "Diese OpenTimelineIO-Datei enthält „Clip“, keine einzelne Timeline.",
    ),
    "a bin": (
        schema.SerializableCollection("bin", [timeline(track(clip())), timeline(track(clip()))]),
        "This OpenTimelineIO file holds a collection of 2 timelines, not one timeline.",
        "Diese OpenTimelineIO-Datei enthält eine Sammlung von 2 Timelines, keine einzelne Timeline.",
    ),
    "half a file": (
        '{"OTIO_SCHEMA":\n',
        "This is not a timeline in the OpenTimelineIO format (line 2).",
        "Das ist keine Timeline im OpenTimelineIO-Format (Zeile 2).",
    ),
    "bytes": (
        b"\xff\xfe\xfa",
        "This is not a timeline in the OpenTimelineIO format.",
        "Das ist keine Timeline im OpenTimelineIO-Format.",
    ),
    "no number": (
        "[NaN]",
        "The timeline contains NaN where a number must be.",
        "Die Timeline enthält NaN, wo eine Zahl stehen muss.",
    ),
    "a number without end": (
        "[1e999]",
        "The timeline contains a number too large for any film.",
        "Die Timeline enthält eine Zahl, die für jeden Film zu groß ist.",
    ),
    "a key twice": (
        '{"Länge": 1, "Länge": 2}',
        "The timeline says “Länge” twice in one place.",
        "Die Timeline sagt an einer Stelle zweimal „Länge“.",
    ),
    "levels": (
        "[" * 200 + "]" * 200,
        "The timeline is nested more than 128 levels deep.",
        "Die Timeline ist mehr als 128 Ebenen tief verschachtelt.",
    ),
    "entries": (
        "[" + "," * (2 * guard.MOST_NODES),
        "The timeline has more than 2 million entries.",
        "Die Timeline hat mehr als 2 Millionen Einträge.",
    ),
}


@pytest.mark.parametrize(("content", "english", "german"), TOLD.values(), ids=TOLD)
def test_what_is_wrong_and_where_is_said_in_the_language(refused, content, english, german):
    error = refused(content)
    assert (message(error), message(error, "de")) == (english, german)


def test_a_file_that_cannot_be_read_is_told_in_the_language(tmp_path):
    def told(path: Path) -> tuple[str, str]:
        with pytest.raises(TimelineRefused) as caught:
            read_timeline(path)
        return message(caught.value), message(caught.value, "de")

    assert told(tmp_path / "Akt 1.otio") == (
        f"There is no timeline file “Akt 1.otio” at “{tmp_path}”.", f"Eine Timeline-Datei „Akt 1.otio“ gibt es in „{tmp_path}“ nicht.",
    )  # fmt: skip
    (tmp_path / "Akt").mkdir()
    assert told(tmp_path / "Akt") == (
        "“Akt” is a folder, not a timeline file.",
        "„Akt“ ist ein Ordner, keine Timeline-Datei.",
    )
    large = tmp_path / "groß.otio"
    with large.open("wb") as held:
        held.truncate(guard.LARGEST_BYTES + 1)
    assert told(large) == (
        "“groß.otio” is larger than 64 MiB.",
        "„groß.otio“ ist größer als 64 MiB.",
    )


def test_names_out_of_a_file_are_quoted_and_never_obeyed(refused):
    error = refused(timeline(track(clip("{days}[x]\x1b[31m\n" + "y" * 500, rate=0))))
    for language, (left, right) in zip(LANGUAGES, ("“”", "„“"), strict=True):
        assert f"{left}{{days}}[x]\ufffd[31m\ufffd{'y' * 64}…{right}" in message(error, language)
