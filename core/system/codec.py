"""Values to JSON and back: one codec for the journal, the workers' pipes and content keys.

Fractions travel as "24000/1001". Keys are sorted in `canonical`, so equal values have equal bytes.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


class Value(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="is"):
    """Base of every value: frozen, compared by content, written to the journal and the workers' pipes as JSON."""


def _encode(value: Any) -> Any:
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    raise NotImplementedError(f"{type(value).__name__} is not a value of the model")


def _decode(kind: type, value: Any) -> Any:
    if kind is Fraction:
        return Fraction(value)
    raise NotImplementedError(f"{kind.__name__} is not a value of the model")


_encoder = msgspec.json.Encoder(enc_hook=_encode)
_canonical = msgspec.json.Encoder(enc_hook=_encode, order="sorted")


def encode(value: Any) -> bytes:
    """One line of JSON without a newline."""
    return _encoder.encode(value)


def canonical(value: Any) -> bytes:
    """JSON with sorted keys: the bytes that content keys are hashed from."""
    return _canonical.encode(value)


def decode(data: bytes | str, kind: type[T]) -> T:
    """The value; msgspec.ValidationError (a ValueError) names the path of what does not fit."""
    return msgspec.json.decode(data, type=kind, dec_hook=_decode)


def plain(value: Any) -> Any:
    """The value as dicts, lists, strings and numbers, for reports and `--json`."""
    return msgspec.json.decode(encode(value))
