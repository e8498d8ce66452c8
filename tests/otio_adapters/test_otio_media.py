"""Addresses to paths, and the kinds of media."""

from __future__ import annotations

from pathlib import Path

import pytest
from opentimelineio import schema
from otio_building import clip, file, span, timeline, track

from otio_adapters.media import locate

FOLDER = Path("/edit/reels")


@pytest.mark.parametrize(
    "path",
    [
        "/Users/j/Picchu edit/A title.png",
        "/a/100%25 grey.mov",
        "/a b/x#1.mov",
        "/a/b?c.mov",
        "/a/take:1.mov",
        "/a/../b.mov",
        r"C:\Users\r\qt.mov",
        "C:/projects/sq001.mov",
        r"\\server\share\x.mov",
        "//server/share/x.mov",
        "/a/汐洛.mp4",
    ],
)
def test_a_bare_absolute_path_is_literal(path):
    assert locate(path, FOLDER, "x").path == path


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///a/b%20c.mov", "/a/b c.mov"),
        ("FILE:///a/x%231.mov", "/a/x#1.mov"),
        ("file:///a/x#1.mov", "/a/x#1.mov"),
        ("file:///a/x?1.mov", "/a/x?1.mov"),
        ("file:///a/100%2525.mov", "/a/100%25.mov"),
        ("file:/a/b.mov", "/a/b.mov"),
        ("file://localhost/D%3a/media/s.mov", "D:/media/s.mov"),
        ("file:///C:/a%20b.mov", "C:/a b.mov"),
        ("file://C:/a.mov", "C:/a.mov"),
        ("file:///a/%C3%BC.mov", "/a/ü.mov"),
        ("file:///a/50%.mov", "/a/50%.mov"),
        ("file:////server/share/x.mov", "//server/share/x.mov"),
        ("file:b.mov", "/edit/reels/b.mov"),
    ],
)
def test_a_file_url_is_decoded_once(url, path):
    assert locate(url, FOLDER, "x").path == path


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("red.png", "/edit/reels/red.png"),
        ("./m/a%20b.mov", "/edit/reels/m/a%20b.mov"),
        ("../m/a.mov", "/edit/reels/../m/a.mov"),
        ("Seq/BART#1.wav", "/edit/reels/Seq/BART#1.wav"),
    ],
)
def test_a_relative_path_counts_from_the_timeline(url, path):
    assert locate(url, FOLDER, "x").path == path


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/a.mov",
        "bal:///rv_asset1",
        "concat:a|b",
        "data:text/plain,x",
        "s3://bucket/a.mov",
        "/a/b\nc.mov",
        "/a/b\0.mov",
        "file:///a/%00.mov",
        "file:///a/%0a.mov",
        "file:///a/%ff.mov",
        "file:",
        "file://localhost",
        "/a/\x1b[2J.mov",
        "C:relative.mov",
    ],
)
def test_what_is_no_file_is_not_opened(url):
    found = locate(url, FOLDER, "x")
    assert (found.path, found.remark.code, found.remark.severity) == (
        None,
        "media-address-unsupported",
        "loss",
    )
    assert not any(ord(character) < 32 for character in found.remark.text)


def test_a_file_on_another_computer_is_said(read):
    found = (
        read(timeline(track(clip("a", media=file("file://server/share/x.mov"))))).tracks[0].clips[0]
    )
    assert (found.media.kind, found.media.path) == ("none", None)
    assert [(r.code, r.severity, "server" in r.text) for r in found.remarks] == [
        ("media-remote-address", "loss", True)
    ]


def media(read, reference, **more):
    return read(timeline(track(clip("shot", media=reference, **more)))).tracks[0].clips[0].media


def test_names_come_from_the_reference_then_the_file_then_the_clip(read):
    assert media(read, file("/m/a.mov", name="Camera A")).name == "Camera A"
    assert media(read, file("C:\\m\\a.mov")).name == "a.mov"
    assert media(read, schema.MissingReference()).name == "shot"


def test_relative_media_is_found_beside_the_timeline_file(read, tmp_path):
    assert media(read, file("red.png")).path == str(tmp_path / "red.png")


def test_kinds(read):
    assert media(read, file("")).kind == "none"
    assert media(read, schema.GeneratorReference("bars", "SMPTEBars")).kind == "generator"
    assert media(read, schema.MissingReference()).kind == "none"


def test_the_active_reference_counts(read):
    made = clip("shot")
    made.set_media_references({"hi": file("/m/hi.mov"), "lo": file("/m/lo.mov")}, "lo")
    assert read(timeline(track(made))).tracks[0].clips[0].media.path == "/m/lo.mov"


def sequence(base, *, first=1000, padding=4, **more):
    return schema.ImageSequenceReference(
        base, "output.", ".tif", first, 1, 24.0, padding, available_range=span(0, 101), **more
    )


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        (sequence(r"C:\data\tif"), r"C:\data\tif\output.1000.tif"),
        (sequence("C:/data\\"), "C:/data\\output.1000.tif"),
        (sequence("/data/tif"), "/data/tif/output.1000.tif"),
        (sequence("file:///data/a%20b/"), "/data/a b/output.1000.tif"),
        (sequence("/d/", first=-3, padding=5), "/d/output.-00003.tif"),
        (sequence("/d/", first=0, padding=0), "/d/output.0.tif"),
    ],
)
def test_a_sequence_names_its_first_picture_and_is_a_loss(read, reference, path):
    found = read(timeline(track(clip("shot", media=reference)))).tracks[0].clips[0]
    assert (found.media.kind, found.media.path) == ("sequence", path)
    assert [(r.code, r.severity) for r in found.remarks] == [("image-sequence-unsupported", "loss")]


def test_a_relative_sequence_is_beside_the_timeline(read, tmp_path):
    assert media(read, sequence("")).path == str(tmp_path / "output.1000.tif")


def test_absurd_picture_numbers_are_refused_before_they_fill_memory(refused):
    assert (
        refused(timeline(track(clip(media=sequence("/d", padding=2_000_000_000))))).code
        == "timeline-invalid"
    )
