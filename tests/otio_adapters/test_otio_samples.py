"""Real timelines of many editors: each is read as a person would read it, or refused by its code."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from core.timeline.timeline import Timeline
from otio_adapters.read import read_timeline
from otio_adapters.refuse import TimelineRefused

REFUSED = {
    "otio_big_int.otio": "timeline-not-json",
    "otio_image_reference_sample.otio": "timeline-schema-unknown",
    "otio_srt_example.otio": "timeline-schema-unknown",
    "hiero_clip_qt_freeze_frame.otio": "timeline-not-otio",
    "hiero_clip_qt_reverse_speed_2x.otio": "timeline-not-otio",
}
NTSC_24 = Fraction(24000, 1001)
READ = {  # rate, start, frames, clips of each track
    "avid_time_warp_test_suite.otio": (24, 86400, 3197, "41 31"),
    "hiero_ayon_timeline.otio": (NTSC_24, 86400, 216, "5 3 1 1 5"),
    "kdenlive_test-color-clips.otio": (24, 0, 5, "2 1 0 0"),
    "kdenlive_test-missing-media.otio": (24, 0, 48, "2"),
    "kdenlive_test-transitions.otio": (24, 0, 72, "3 0 0 0"),
    "losslesscut_issue2441.otio": (60, 0, 28934, "0 3 3 0"),
    "oc_Chimera_2997.otio": (Fraction(30000, 1001), 0, 1810, "6"),
    "openrv_openassetio.otio": (24, 0, 49, "1"),
    "otio_enabled.otio": (24, 0, 6, "2 1"),
    "otio_nested_example.otio": (24, 0, 636, "7"),
    "otio_premiere_example_fcp7.otio": (30, 0, 1271, "1 4 1 2 2 1 1 2"),
    "raven_timecode_rates.otio": (NTSC_24, 0, 24, "1 1 1 1 1 1"),
    "tlrender_MultipleMediaRefs.otio": (24, 0, 48, "2"),
    "tlrender_SingleClipSeq.otio": (30, 0, 90, "1 1"),
    "tlrender_TransitionAndLinearTimeWarp.otio": (30, 0, 180, "2"),
    "toucan_Transition.otio": (24, 0, 10, "2"),
    "picchu_excerpt_effects.otio": (24, 86400, 1125, "13 1 1 1 4 0 0 0 0 2 2 0 6 2 1 1 1 1 1"),
}


def sample(samples: Path, name: str) -> Timeline:
    return read_timeline(next(samples.rglob(name)))


def clips(film: Timeline) -> list:
    return [c for t in film.tracks for c in t.clips]


def codes(film: Timeline) -> Counter:
    return Counter(r.code for r in [*film.remarks, *(r for c in clips(film) for r in c.remarks)])


def test_every_sample_is_read_or_refused_by_its_code(samples):
    for path in sorted(p for p in samples.rglob("*") if p.suffix in (".otio", ".json")):
        try:
            film = read_timeline(path)
        except TimelineRefused as error:
            single = path.name.startswith(("clip_", "fragment_", "summary_"))
            assert error.code == ("timeline-not-otio" if single else REFUSED.get(path.name)), (
                path.name
            )
        else:
            counts = " ".join(str(len(t.clips)) for t in film.tracks)
            assert (film.rate, film.start_frame, film.frames, counts) == READ[path.name], path.name


def test_resolves_own_export(samples):
    film = sample(samples, "picchu_excerpt_effects.otio")
    found = clips(film)
    assert film.name == "picchu_excerpt_effects"
    assert Counter(t.kind for t in film.tracks) == {"video": 8, "audio": 11}
    assert len(found) == 37
    assert sum(not c.enabled for c in found) == 6
    assert sum(c.media.kind == "file" for c in found) == 37
    assert sum("Layout/delivery" in c.media.path for c in found) == 4
    assert all(c.channels for t in film.tracks if t.kind == "audio" for c in t.clips)
    assert codes(film) == {"transition-as-cut": 1, "effect-not-rendered": 19}
    assert all("Equaliser" not in r.text for c in found for r in c.remarks)


def test_offline_media_of_resolve_is_a_file(samples):
    found = clips(sample(samples, "picchu_excerpt_effects.otio"))
    layouts = [c for c in found if c.name.startswith("sq0100")]
    assert [(c.media.path.rpartition("/")[2], c.frames) for c in layouts] == [
        ("sq0100_sh0010_layout_v004.mp4", 500),
        ("sq0100_sh0020_layout_v005.mp4", 316),
        ("sq0100_sh0030_layout_v004.mp4", 211),
        ("sq0100_sh0050_layout_v004.mp4", 98),
    ]


def test_hieros_export(samples):
    film = sample(samples, "hiero_ayon_timeline.otio")
    assert codes(film) == {"image-sequence-unsupported": 5, "speed-change-unsupported": 1}
    assert (
        film.tracks[0].clips[0].media.path
        == "C:/projects/AY01_VFX_demo/resources/reference/sq001.mov"
    )
    assert (
        film.tracks[1]
        .clips[0]
        .media.path.endswith("MER_sq001_sh010_P01\\MER_sq001_sh010_P01.0997.exr")
    )
    assert [round(float(c.source_in * film.rate), 1) for c in film.tracks[0].clips] == [
        0.1,
        24.1,
        76.1,
        127.1,
        192.1,
    ]
    assert all(0 <= c.source_in < 10 and not c.source_is_timecode for c in clips(film))


def test_premieres_export_with_newer_markers_and_empty_nests(samples):
    film = sample(samples, "otio_premiere_example_fcp7.otio")
    assert codes(film) == {
        "timeline-rate-mixed": 1,
        "transition-as-cut": 2,
        "nested-timeline-unsupported": 1,
    }
    assert film.tracks[0].clips[0].media.path == "D:/media/sc01_sh010_anim.mov"


def test_the_nested_example_is_flattened(samples):
    film = sample(samples, "otio_nested_example.otio")
    assert [c.name for c in clips(film)] == [
        "Normal Clip 1",
        "Clip Inside A Stack 1",
        "Normal Clip 2",
        "Clip Inside A Stack 2",
        "Normal Clip 3",
        "Clip Inside A Track",
        "Normal Clip 4",
    ]
    assert codes(film) == {"speed-change-unsupported": 2}


def test_the_time_warp_suite_is_remarked(samples):
    assert codes(sample(samples, "avid_time_warp_test_suite.otio")) == {
        "speed-change-unsupported": 36
    }


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("kdenlive_test-color-clips.otio", {"generator": 3}),
        ("kdenlive_test-missing-media.otio", {"file": 1, "none": 1}),
        ("toucan_Transition.otio", {"sequence": 1, "generator": 1}),
        ("openrv_openassetio.otio", {"none": 1}),
    ],
)
def test_kinds_of_media(samples, name, kinds):
    assert Counter(c.media.kind for c in clips(sample(samples, name))) == kinds
