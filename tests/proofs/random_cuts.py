"""A cut at random that leaves no corner out: first and last frames, shots of one and two frames, borders of groups of
pictures, gaps at both ends and between, covers on upper tracks, what is disabled, stills, other rates, overlapping sound.
"""

from __future__ import annotations

import random
from fractions import Fraction

from tests.film.cutlist import Cut, Row
from tests.film.footage import Card
from tests.film.media import Movie
from tests.proofs.stock import GOP, RATES, Stock

Shot = tuple[Movie, Fraction, int]
"""Source, first frame of it, record frames."""


def random_cut(stock: Stock, rate: str, seed: str, *, shots: int, tone: bool) -> Cut:
    """A film at a rate from the whole stock: about `shots` random ones besides the corners."""
    rng = random.Random(seed)
    exact = RATES[rate]
    drop = rate in ("29.97", "59.94")
    cut = Cut(exact, start="01:00:00;00" if drop else "01:00:00:00")
    own = stock.all(rate, tone=tone)
    row = _corners(own, rng) + [_random_shot(rng, rng.choice(own), exact) for _ in range(shots)]
    others = [
        stock.movie(name, rng.choice(("prores", "h264-mp4", "h264-mov")), tone=tone)
        for name in RATES
        if name != rate
    ]
    row += [_random_shot(rng, movie, exact) for movie in others for _ in range(2)]
    rng.shuffle(row)
    row += [
        _random_shot(rng, own[0], exact)
    ]  # picture to the end, so that the last gap is a gap of all tracks
    _lay(cut, row, stock.cards(), rng)
    length = cut.rows[0][2].track.length
    _cover(cut, own, stock.cards(), length, rng)
    _lay_more_sound(cut, own, length, rng)
    return cut


def _corners(sources: list[Movie], rng: random.Random) -> list[Shot]:
    row: list[Shot] = []
    for movie in sources:
        last = movie.frames - 1
        row += [
            (movie, Fraction(0), 1),
            (movie, Fraction(last), 1),
            (movie, Fraction(last - 1), 2),
            (movie, Fraction(0), rng.randint(2, 9)),
        ]
        if movie.codec == "h264":
            row += [
                (movie, Fraction(GOP * 2 + place), length)
                for place, length in ((-1, 1), (-1, 3), (0, 2), (1, 2), (0, GOP))
            ]
    return row


def _random_shot(rng: random.Random, movie: Movie, rate: Fraction) -> Shot:
    """Somewhere in a source; of one at another rate the in-point lies on its own grid or on the film's."""
    frames = rng.choice((1, 2, 3, 5, 8, 13, 21))
    room = movie.frames - frames * movie.rate / rate - 1
    if movie.rate == rate:
        return movie, Fraction(rng.randint(0, movie.frames - frames)), frames
    at = Fraction(rng.randint(0, int(room)))
    if rng.random() < 0.5:
        at = int(at / movie.rate * rate) * movie.rate / rate
    return movie, at, frames


def _lay(cut: Cut, row: list[Shot], cards: list[Card], rng: random.Random) -> None:
    """The lowest picture track with its sound; gaps at the start, now and then, and at the end."""
    picture, sound = cut.video(), cut.audio()
    for track in (picture, sound):
        track.gap(7)
    for number, (movie, first, frames) in enumerate(row):
        picture.clip(movie, first, frames)
        sound.clip(movie, first, frames, channels=movie.channels)
        if number % 9 == 4:
            length = rng.randint(1, 6)
            picture.gap(length)
            sound.gap(length)
        if number % 17 == 8:
            length = rng.randint(1, 9)
            picture.clip(rng.choice(cards), 0, length)
            sound.gap(length)
    picture.gap(5)


def _cover(
    cut: Cut, sources: list[Movie], cards: list[Card], length: int, rng: random.Random
) -> None:
    """Upper tracks: one that covers here and there (some of it disabled), one that is disabled as a whole."""
    upper, off = cut.video(), cut.video(enabled=False)
    off.clip(sources[-1], 0, min(60, length))
    while upper.track.length < length - 40:
        upper.gap(rng.randint(3, 25))
        movie = rng.choice(sources)
        frames = rng.randint(1, 9)
        if rng.random() < 0.2:
            upper.clip(rng.choice(cards), 0, frames)
        else:
            upper.clip(
                movie, rng.randint(0, movie.frames - frames), frames, enabled=rng.random() < 0.7
            )


def _lay_more_sound(cut: Cut, sources: list[Movie], length: int, rng: random.Random) -> None:
    """A second track that overlaps the first at other places, a third that starts in the first gap, one disabled."""
    second, third, off = cut.audio(), cut.audio(), cut.audio(enabled=False)
    off.clip(sources[0], 0, min(60, length))
    _sprinkle(second, sources, length, rng, 11)
    third.clip(sources[0], 3, 5)
    _sprinkle(third, sources, length, rng, 31)


def _sprinkle(row: Row, sources: list[Movie], length: int, rng: random.Random, apart: int) -> None:
    while row.track.length < length - 50:
        row.gap(rng.randint(1, apart))
        movie = rng.choice(sources)
        frames = rng.randint(1, 30)
        row.clip(
            movie,
            rng.randint(0, movie.frames - frames),
            frames,
            enabled=rng.random() < 0.85,
            channels=movie.channels,
        )
