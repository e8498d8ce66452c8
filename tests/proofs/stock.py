"""Footage for the proof of frames: for every rate one source of each codec, with every kind of sound, made when first used."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from tests.film.footage import Card, card
from tests.film.media import Movie, make_movie

FRAMES, GOP = 96, 24
RATES = {
    "24": Fraction(24),
    "25": Fraction(25),
    "23.976": Fraction(24000, 1001),
    "29.97": Fraction(30000, 1001),
    "30": Fraction(30),
    "50": Fraction(50),
    "59.94": Fraction(60000, 1001),
}


class Stock:
    """Movies by rate and kind, each with a source id of its own. With `tone` all sound is tones, for lossy presets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._made: dict[tuple[str, str, bool], Movie] = {}
        self._cards: list[Card] = []

    def movie(self, rate: str, kind: str, *, tone: bool = False) -> Movie:
        """One of `KINDS` at a rate."""
        key = (rate, kind, tone)
        if key not in self._made:
            suffix, options = KINDS[kind]
            exact = RATES[rate]
            drop = rate in ("29.97", "59.94")
            options = {"start_timecode": "01:00:00;00" if drop else "01:00:00:00", **options}
            if options["start_timecode"] is None or not drop:
                pass
            elif kind == "h264-mp4":
                options["start_timecode"] = (
                    "09:59:50:12"  # without drop-frame, as cameras also write it
                )
            wants_tone = (
                tone or options.get("audio") == "aac" or options.get("sample_rate", 48000) != 48000
            )
            self._made[key] = make_movie(
                self.folder / f"{kind}-{rate}{'-tone' if tone else ''}{suffix}",
                source_id=len(self._made) + 1,
                frames=FRAMES,
                rate=exact,
                gop=GOP,
                tone=wants_tone,
                **options,  # type: ignore[arg-type]
            )
        return self._made[key]

    def all(self, rate: str, *, tone: bool = False) -> list[Movie]:
        """One of every kind at a rate."""
        return [self.movie(rate, kind, tone=tone) for kind in KINDS]

    def cards(self) -> list[Card]:
        """Stills of three kinds and shapes, one larger than the film."""
        if not self._cards:
            shapes = (("a.png", (320, 180)), ("b.tif", (400, 400)), ("c.jpg", (640, 200)))
            self._cards = [
                card(self.folder / name, 240 + place, size)
                for place, (name, size) in enumerate(shapes)
            ]
        return self._cards


KINDS: dict[str, tuple[str, dict[str, object]]] = {
    "prores": (".mov", {"codec": "prores", "audio": "pcm", "bits": 24}),
    "dnxhr": (".mov", {"codec": "dnxhr", "audio": "pcm", "bits": 16, "sample_rate": 44100}),
    "h264-mp4": (".mp4", {"codec": "h264", "audio": "aac", "start_timecode": "10:00:00:00"}),
    "h264-mov": (
        ".mov",
        {"codec": "h264", "audio": "pcm", "bits": 16, "channels": 1, "start_timecode": None},
    ),
    "ffv1": (".mkv", {"codec": "ffv1", "audio": "pcm", "bits": 24, "channels": 6}),
    "mjpeg": (".mov", {"codec": "mjpeg", "audio": "pcm", "bits": 16, "start_timecode": None}),
}
"""File suffix and what `make_movie` is asked for, by name."""
