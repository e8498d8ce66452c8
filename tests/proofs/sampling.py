"""Which points are tried: all of them, or some, spread evenly."""

from __future__ import annotations

from collections.abc import Callable

Sample = Callable[[int], list[int]]
"""How many points there are to which of them are tried."""


def every(total: int) -> list[int]:
    """All of them."""
    return list(range(1, total + 1))


def evenly(most: int) -> Sample:
    """So many at most, spread over all, the last among them."""

    def sample(total: int) -> list[int]:
        return (
            sorted({round(total * place / most) for place in range(1, most + 1)} - {0})
            if total > most
            else every(total)
        )

    return sample
