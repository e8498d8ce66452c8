"""Requests that cannot be carried out, each with the refusal it must get."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.proofs import hindrances
from tests.proofs.hindrances import Setting, file, link, mode, small_volume
from tests.proofs.stage import Lane


@dataclass(frozen=True)
class Bad:
    """What is asked for, what is put in place for it, and the code it is refused with (`` for words of another kind).

    `plainly` runs it as an account that file permissions bind; root is not bound by them. `full` needs a small volume.
    """

    name: str
    code: str
    argv: list[str]
    setting: Setting = hindrances.nothing
    json: bool = True
    plainly: bool = False
    full: bool = False
    home_broken: bool = False


@dataclass(frozen=True)
class Material:
    """Good media and a good timeline over it, and where the film of the lane stands."""

    folder: Path
    lane: Lane

    @property
    def film(self) -> Path:
        """A film that was published before."""
        return self.lane.root / "out" / "film.mov"

    def asked(
        self, cut: str | Path = "good.otio", output: str | Path | None = None, *more: str
    ) -> list[str]:
        """An assemble request."""
        return [
            "assemble",
            str(self.folder / cut),
            "-o",
            str(output or self.film),
            "-j",
            "2",
            *more,
        ]


def requests(material: Material, job: str) -> list[Bad]:
    """All of them. `job` is the one that made the film that stands there."""
    return [*_timelines(material), *_outputs(material), *_house(material), *_words(material, job)]


def _timelines(m: Material) -> list[Bad]:
    rows: list[tuple[str, str, str]] = [
        ("a movie as timeline", "timeline-not-json", "movie.otio"),
        ("a text as timeline", "timeline-not-json", "text.otio"),
        ("an empty file", "timeline-not-json", "nothing.otio"),
        ("half a timeline", "timeline-not-json", "half.otio"),
        ("JSON of another kind", "timeline-not-otio", "json.otio"),
        ("a JSON list", "timeline-not-otio", "list.otio"),
        ("a clip, not a timeline", "timeline-not-otio", "clip.otio"),
        ("a newer schema", "timeline-schema-unknown", "newer.otio"),
        ("an unknown schema", "timeline-schema-unknown", "other.otio"),
        ("an empty timeline", "timeline-empty", "empty.otio"),
        ("50,000 levels of JSON", "timeline-too-large", "deep.otio"),
        ("400,000 open brackets", "timeline-too-large", "brackets.otio"),
        ("a rate that is no number", "timeline-not-json", "nan.otio"),
        ("a rate of zero", "timeline-invalid", "still.otio"),
        ("a missing timeline", "timeline-missing", "nowhere.otio"),
        ("a timeline below a file", "timeline-missing", "a.mov/good.otio"),
        ("a folder as timeline", "timeline-no-file", "folder.otio"),
        ("a pipe as timeline", "timeline-no-file", "pipe.otio"),
        ("a name too long for a timeline", "timeline-no-file", "x" * 300 + ".otio"),
    ]
    secret = m.lane.root / "bystanders" / "secret.otio"
    return [
        *(Bad(name, code, m.asked(cut)) for name, code, cut in rows),
        Bad(
            "a timeline without read permission",
            "timeline-no-permission",
            m.asked(secret),
            hindrances.unreadable_cut(m.folder / "good.otio"),
            plainly=True,
        ),
    ]


def _outputs(m: Material) -> list[Bad]:
    root, source = m.lane.root, m.folder / "a.mov"
    otherwise = f"{m.folder}/../{m.folder.name}/./a.mov"
    full = root.with_name("full")
    return [
        Bad(
            "output folder missing",
            "output-folder-missing",
            m.asked(output=root / "nowhere" / "film.mov"),
        ),
        Bad("output below a file", "output-folder-missing", m.asked(output=m.film / "film.mov")),
        Bad("output is a folder", "output-is-folder", m.asked(output=root / "out")),
        Bad(
            "a folder with a film's name",
            "output-is-folder",
            m.asked(output=root / "bystanders" / "x.mov"),
            hindrances.folder("bystanders/x.mov"),
        ),
        Bad("output is a device", "output-no-file", m.asked(output=Path("/dev/null"))),
        Bad(
            "output is a pipe",
            "output-no-file",
            m.asked(output=root / "out" / "pipe.mov"),
            hindrances.pipe("out/pipe.mov"),
        ),
        Bad("output is a source", "output-is-source", m.asked(output=source)),
        Bad("output is a source, otherwise spelled", "output-is-source", m.asked(output=otherwise)),
        Bad(
            "output is a hard link to a source",
            "output-is-source",
            m.asked(output=root / "out" / "hard.mov"),
            link("out/hard.mov", source, hard=True),
        ),
        Bad(
            "output is a symbolic link to a source",
            "output-is-source",
            m.asked(output=root / "out" / "soft.mov"),
            link("out/soft.mov", source, hard=False),
        ),
        Bad(
            "output is a source that is offline",
            "output-is-source",
            m.asked("lost.otio", m.folder / "offline.mov"),
        ),
        Bad(
            "output folder without write permission",
            "output-no-permission",
            m.asked(),
            mode("out", 0o555),
            plainly=True,
        ),
        Bad(
            "output without write permission",
            "output-no-permission",
            m.asked(),
            mode("out/film.mov", 0o444),
            plainly=True,
        ),
        Bad(
            "output on a full volume",
            "output-space",
            m.asked(output=full / "film.mov"),
            small_volume("full"),
            full=True,
        ),
        Bad(
            "output on a small volume",
            "output-space",
            m.asked(output=full / "film.mov"),
            small_volume("full", full=False),
            full=True,
        ),
        Bad(
            "a name too long for a film",
            "output-name-too-long",
            m.asked(output=root / "out" / ("x" * 300 + ".mov")),
        ),
        Bad(
            "a name too long for its part file",
            "output-name-too-long",
            m.asked(output=root / "out" / ("x" * 250 + ".mov")),
        ),
        *_named(m),
        Bad("wrong extension", "output-wrong-extension", m.asked(output=root / "out" / "film.avi")),
        Bad("no extension", "output-wrong-extension", m.asked(output=root / "out" / "film")),
        Bad(
            "extension and preset differ",
            "output-wrong-extension",
            m.asked("good.otio", None, "-p", "h264"),
        ),
        Bad("film under work elsewhere", "job-running", m.asked(), hindrances.under_work),
    ]


def _named(m: Material) -> list[Bad]:
    """Names and places that no film may have."""
    out = m.lane.root / "out"
    names = [
        ("a name with a line break", "fi\nlm.mov"), ("a name with an escape sequence", "\x1b[2Jfilm.mov"),
        ("a name with a bell", "film\x07.mov"), ("a name with a C1 control character", "film\x9b.mov"),
        ("a name read backwards", "film\u202evom.mov"), ("a name with a line separator", "film\u2028.mov"),
        ("an ending without a name", ".mov"), ("dots and an ending", "...mov"),
        ("a name of our own files", "film.incomplete.mov"), ("a name of a kept film", "film.mov.previous"),
    ]  # fmt: skip
    hidden, turned = hindrances.folder("out/.hotsplice"), hindrances.folder("out/.HotSplice")
    return [
        *(Bad(name, "output-name-unusable", m.asked(output=out / text)) for name, text in names),
        Bad(
            "output in our hidden folder",
            "output-in-our-folder",
            m.asked(output=out / ".hotsplice" / "a.mov"),
            hidden,
        ),
        Bad(
            "output in our hidden folder, otherwise spelled",
            "output-in-our-folder",
            m.asked(output=out / ".HotSplice" / "a.mov"),
            turned,
        ),
        Bad(
            "output in our hidden folder by a link",
            "output-in-our-folder",
            m.asked(output=m.lane.root / "way" / "a.mov"),
            link("way", out / ".hotsplice", hard=False),
        ),
        Bad(
            "output among our segments",
            "output-in-our-folder",
            m.asked(output=m.lane.home / "scratch" / "store" / "a.mov"),
        ),
        Bad(
            "a path of 10,000 characters",
            "output-name-too-long",
            m.asked(output="/" + "x" * 10_000 + ".mov"),
        ),
        Bad(
            "folders of 10,000 characters",
            "output-name-too-long",
            m.asked(output="/" + "x/" * 5_000 + "film.mov"),
        ),
        Bad(
            "a loop of links",
            "output-unreachable",
            m.asked(output=m.lane.root / "loop" / "a.mov"),
            link("loop", Path("loop"), hard=False),
        ),
        Bad(
            "a user that is none",
            "output-folder-missing",
            m.asked(output="~nobody-of-this-name/film.mov"),
        ),
    ]


def _house(m: Material) -> list[Bad]:
    def setting(name: str, text: str | bytes, code: str = "settings-invalid") -> Bad:
        return Bad(name, code, m.asked(), file("home/settings.yaml", text))

    def preset(name: str, text: str, code: str = "preset-invalid") -> Bad:
        return Bad(
            name,
            code,
            m.asked("good.otio", None, "-p", "mine"),
            file("home/presets/mine.yaml", text),
        )

    recipe: dict[str, Any] = {
        "name": "mine", "title": "Mine", "container": "mov", "extension": ".mov",
        "video": {"encoder": "nosuch", "pixel_format": "yuv422p10le"}, "audio": {"codec": "pcm_s24le"},
    }  # fmt: skip
    full = m.lane.root.with_name("full")
    return [
        setting("settings that are no YAML", "jobs: [1,\n  ffmpeg: {"),
        setting("an unknown setting", "colour: red\n"),
        setting("a setting of the wrong kind", "jobs: many\n"),
        setting("no workers in the settings", "jobs: 0\n"),
        setting("settings that are a list", "- jobs\n- scratch\n"),
        setting("settings that are no text", b"\x00\xff\xfe\x80"),
        setting("10,000 levels of YAML", "[" * 10_000),
        Bad(
            "settings that are a folder",
            "settings-invalid",
            m.asked(),
            hindrances.settings_are_a_folder,
        ),
        setting("ffmpeg path wrong", "ffmpeg: /nowhere/ffmpeg\n", "ffmpeg-missing"),
        setting("ffmpeg is a folder", "ffmpeg: /tmp\n", "ffmpeg-missing"),
        setting("ffmpeg is another program", "ffmpeg: /bin/true\n", "ffmpeg-missing"),
        setting(
            "scratch below a file", f"scratch: {m.folder / 'a.mov'}/scratch\n", "scratch-unusable"
        ),
        Bad(
            "scratch on a full volume",
            "scratch-full",
            m.asked(),
            small_volume("full", f"scratch: {full}\n"),
            full=True,
        ),
        Bad(
            "scratch on a small volume",
            "scratch-space",
            m.asked(),
            small_volume("full", f"scratch: {full}\n", full=False),
            full=True,
        ),
        Bad(
            "scratch without write permission",
            "scratch-no-permission",
            m.asked(),
            mode("home/scratch", 0o555),
            plainly=True,
        ),
        preset("a preset that is no YAML", "name: [mine"),
        preset("a preset without a recipe", "name: mine\ntitle: Mine\n"),
        preset("a preset with a wrong container", json.dumps({**recipe, "container": "avi"})),
        preset("a preset that is a word", "mine"),
        preset("a preset of 10,000 levels", "[" * 10_000),
        preset("a preset with an encoder that is none", json.dumps(recipe), "encoder-missing"),
        Bad("unknown preset", "preset-unknown", m.asked("good.otio", None, "-p", "nosuch")),
        Bad(
            "frame too small for DNxHR",
            "format-unfit",
            m.asked("small.otio", None, "-p", "dnxhr-hq"),
        ),
        Bad(
            "a journal that is none",
            "journal-damaged",
            m.asked(),
            file("home/journal.db", "no journal\n" * 99),
            home_broken=True,
        ),
        Bad("a journal of a newer version", "journal-newer", m.asked(), hindrances.newer_journal),
        Bad(
            "the data folder is a file",
            "data-folder-unusable",
            m.asked(),
            hindrances.home_is_a_file,
            home_broken=True,
        ),
    ]


def _words(m: Material, job: str) -> list[Bad]:
    """Commands that cannot be understood."""
    asked = m.asked()
    numbers = ("0", "-1", "x", "1.5", "257", "", "²")
    rows: list[tuple[str, str, list[str]]] = [
        ("no output", "command-unclear", asked[:2]),
        ("an unknown command", "command-unclear", ["assembel", "x"]),
        ("an unknown option", "command-unclear", [*asked, "--fast"]),
        ("two timelines", "command-unclear", [asked[0], asked[1], *asked[1:]]),
        *(
            (f"--jobs {text or 'of nothing'}", "command-unclear", [*asked, "-j", text])
            for text in numbers
        ),
        ("resume: unknown job", "job-unknown", ["resume", "zzzzzz"]),
        ("resume: no job is open", "nothing-to-resume", ["resume"]),
        ("resume: the job has ended", "job-finished", ["resume", job]),
        ("resume: unknown checkpoint", "checkpoint-unknown", ["resume", job, "--from", "99999"]),
        (
            "resume: a checkpoint that is a word",
            "checkpoint-unknown",
            ["resume", job, "--from", "first"],
        ),
        ("show: unknown job", "job-unknown", ["show", "zzzzzz"]),
        ("checkpoints: unknown job", "job-unknown", ["checkpoints", "zzzzzz"]),
        (
            "check: a film that is not there",
            "film-not-there",
            ["check", str(m.lane.root / "out" / "other.mov")],
        ),
        ("check: not our film", "film-unknown", ["check", str(m.folder / "a.mov")]),
        ("check: unknown job", "job-unknown", ["check", "zzzzzz"]),
    ]
    return [
        *(Bad(name, code, argv) for name, code, argv in rows),
        Bad("rollback: nothing kept", "no-previous-film", ["rollback", str(m.film)], json=False),
        Bad(
            "rollback: not our film",
            "no-previous-film",
            ["rollback", str(m.folder / "a.mov")],
            json=False,
        ),
        Bad("no arguments", "", [], json=False),
    ]
