"""Good media, good timelines over it, and everything that is not a timeline."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.film.media import make_movie
from tests.film.timelines import timeline


def make_material(folder: Path) -> None:
    """Media, the good cut, the cut of the film that stands there, and everything that is not a timeline."""
    folder.mkdir()
    a = make_movie(folder / "a.mov", source_id=1, frames=24, codec="prores", audio="pcm")
    small = make_movie(folder / "small.mov", source_id=2, frames=12, size=(128, 96), codec="prores")
    for name, media, frames in (("good", a, 12), ("old", a, 20), ("small", small, 12)):
        film = timeline(24, name=name)
        film.video().clip(media, 0, frames)
        film.save(folder / f"{name}.otio")
    lost = timeline(24, name="lost")
    lost.video().clip(a, 0, 12).clip(folder / "offline.mov", 0, 12)
    lost.save(folder / "lost.otio")
    timeline(24, name="empty").save(folder / "empty.otio")
    good = json.loads((folder / "good.otio").read_text(encoding="utf-8"))
    texts = {
        "movie.otio": (folder / "a.mov").read_bytes(),
        "text.otio": b"Dear editor,\nthe cut is on the drive.\n",
        "nothing.otio": b"",
        "json.otio": b'{"shots": [1, 2, 3]}',
        "list.otio": b"[1, 2]",
        "newer.otio": json.dumps({**good, "OTIO_SCHEMA": "Timeline.99"}).encode(),
        "other.otio": json.dumps({**good, "OTIO_SCHEMA": "Screenplay.1"}).encode(),
        "clip.otio": json.dumps(good["tracks"]["children"][0]["children"][0]).encode(),
        "half.otio": (folder / "good.otio").read_bytes()[:700],
        "deep.otio": b'{"OTIO_SCHEMA": "Timeline.1", "metadata": '
        + b'{"a":' * 50_000
        + b"1"
        + b"}" * 50_000
        + b"}",
        "brackets.otio": b"[" * 400_000,
        "nan.otio": (folder / "good.otio").read_bytes().replace(b'"rate": 24.0', b'"rate": NaN'),
        "still.otio": (folder / "good.otio").read_bytes().replace(b'"rate": 24.0', b'"rate": 0.0'),
    }
    for name, data in texts.items():
        (folder / name).write_bytes(data)
    (folder / "folder.otio").mkdir()
    os.mkfifo(folder / "pipe.otio")
