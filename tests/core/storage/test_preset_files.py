"""Presets: those that come along are complete, the user's own win, and a mistake is named with its file and place."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from core.errors.refusal import Refused
from core.messages import refusal_text
from core.storage.preset_files import fallback_of, for_output, load_all

OWN = """\
name: mine
title: My own
container: mov
extension: .mov
video:
  encoder: prores_ks
  pixel_format: yuv422p10le
  options: {"profile:v": 2, vendor: apl0}
audio:
  codec: pcm_s16le
"""


def folder_with(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def refusal(folder: Path) -> Refused:
    with pytest.raises(Refused) as refused:
        load_all(folder)
    return refused.value


def test_the_presets_that_come_along():
    presets = load_all(None)
    assert set(presets) == {"dnxhr-hq", "ffv1", "h264", "h264-nvenc", "mjpeg", "prores-hq"}
    for name, preset in presets.items():
        assert preset.name == name
        assert preset.extension in (".mov", ".mp4", ".mkv")
        assert (
            preset.title
            and preset.video.cost_ms_per_megapixel > 0
            and preset.video.bits_per_pixel > 0
        )
        assert preset.audio.pcm or preset.audio.bits_per_second
    assert {name for name, preset in presets.items() if preset.video.copy} == {
        "dnxhr-hq",
        "ffv1",
        "mjpeg",
        "prores-hq",
    }, "only codecs whose every frame stands alone can be copied"


def test_a_folder_that_is_not_there_is_no_mistake(tmp_path):
    assert load_all(tmp_path / "nowhere") == load_all(None)


def test_a_users_own_is_added_and_wins_over_one_of_the_same_name(tmp_path):
    presets = load_all(
        folder_with(
            tmp_path, a=OWN, b=OWN.replace("name: mine", "name: h264").replace("My own", "Mine")
        )
    )
    assert presets["mine"].video.options == {"profile:v": 2, "vendor": "apl0"}
    assert presets["mine"].audio.codec == "pcm_s16le"
    assert presets["mine"].even is True, "what is not said has its default"
    assert presets["h264"].title == "Mine"


def test_only_yaml_files_are_presets(tmp_path):
    (tmp_path / "notes.txt").write_text("not a preset")
    (tmp_path / "mine.yaml~").write_text("an editor's backup: [")
    assert set(load_all(tmp_path)) == set(load_all(None))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a list"),
        ("- a\n- b\n", "not a list"),
        ("name: [mine\n", "line 2"),
        (OWN.replace("container: mov", "container: avi"), "$.container"),
        (OWN.replace("extension: .mov\n", ""), "extension"),
        (OWN.replace("  encoder: prores_ks\n", ""), "$.video"),
        (OWN.replace("profile:v\": 2", "profile:v\": [2]"), "$.video.options"),
        (OWN.replace("codec: pcm_s16le", "bits_per_second: many"), "$.audio.bits_per_second"),
        (OWN + "minimum: [16]\n", "$.minimum"),
        (OWN.replace("title: My own", "title: 7"), "$.title"),
        ("name: &a [*a]\n", ""),
        ("!!python/object/apply:os.system ['true']", ""),
        ("[" * 1000, "nested too deeply"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_file_and_place(tmp_path, text, said):
    refused = refusal(folder_with(tmp_path, mine=text))
    assert refused.code == "preset-invalid"
    assert refused.fields["path"] == str(tmp_path / "mine.yaml")
    told = refusal_text.refusal(refused).message
    assert said in told and "\n" not in told


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "mine.yaml").write_bytes(b"name: caf\xe9\n")
    assert "UTF-8" in str(refusal(tmp_path).fields["detail"])
    (tmp_path / "mine.yaml").unlink()
    (tmp_path / "mine.yaml").mkdir()
    assert refusal(tmp_path).fields["detail"] == "Is a directory"


@pytest.mark.parametrize(
    ("output", "usual"),
    [
        ("/f/a.mov", "prores-hq"),
        ("/f/a.mp4", "h264"),
        ("/f/a.mkv", "ffv1"),
        ("/f/A.MOV", "prores-hq"),
    ],
)
def test_the_names_ending_says_how_where_nobody_does(output, usual):
    assert for_output(load_all(None), None, Path(output)).name == usual


def test_a_preset_asked_for_by_name():
    assert for_output(load_all(None), "mjpeg", Path("/f/a.mov")).name == "mjpeg"


@pytest.mark.parametrize(
    ("name", "output", "code", "fields"),
    [
        (
            "h264",
            "/f/a.mov",
            "output-wrong-extension",
            {"path": "/f/a.mov", "preset": "h264", "extension": ".mp4"},
        ),
        (
            None,
            "/f/a.avi",
            "output-wrong-extension",
            {"path": "/f/a.avi", "preset": "", "extension": ".mov, .mp4, .mkv"},
        ),
        (
            None,
            "/f/a",
            "output-wrong-extension",
            {"path": "/f/a", "preset": "", "extension": ".mov, .mp4, .mkv"},
        ),
        (
            "vhs",
            "/f/a.mov",
            "preset-unknown",
            {"name": "vhs", "known": "dnxhr-hq, ffv1, h264, h264-nvenc, mjpeg, prores-hq"},
        ),
    ],
)
def test_what_does_not_fit_together_is_refused_with_what_would(name, output, code, fields):
    with pytest.raises(Refused) as refused:
        for_output(load_all(None), name, Path(output))
    assert (refused.value.code, refused.value.fields) == (code, fields)


def test_a_users_own_with_a_bundled_name_and_another_ending_does_not_make_a_film_of_the_wrong_kind(
    tmp_path,
):
    presets = load_all(folder_with(tmp_path, mine=OWN.replace("name: mine", "name: h264")))
    with pytest.raises(Refused) as refused:
        for_output(presets, None, Path("/f/a.mp4"))
    assert refused.value.code == "output-wrong-extension"


def test_a_preset_that_needs_a_device_names_another_that_needs_none():
    known = load_all(None)
    other = fallback_of(known, known["h264-nvenc"])
    assert other is not None and other.name == "h264"
    assert fallback_of(known, known["h264"]) is None
    for name, why in (
        ("none", "there is no such preset"),
        ("ffv1", "its films are named otherwise"),
        ("h264-nvenc", "itself"),
    ):
        assert (
            fallback_of(known, msgspec.structs.replace(known["h264-nvenc"], fallback=name)) is None
        ), why
