"""Values to JSON and back: one codec for the journal, the worker processes' pipes and content keys.

Fractions are written as "24000/1001". `canonical` sorts keys, so that equal values have equal
bytes.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


class Value(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="is"):
    """Base of every value: frozen, compared by content.

    Values are written as JSON to the journal and to the worker processes' pipes.
    """


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
    """Return the value as one line of JSON, without a newline."""
    return _encoder.encode(value)


def canonical(value: Any) -> bytes:
    """Return the value as JSON with sorted keys: the bytes from which content keys are hashed."""
    return _canonical.encode(value)


def decode(data: bytes | str, kind: type[T]) -> T:
    """Return the value that `data` encodes.

    Raises msgspec.ValidationError (a ValueError), which gives the path of what does not fit.
    """
    return msgspec.json.decode(data, type=kind, dec_hook=_decode)


def plain(value: Any) -> Any:
    """Return the value as dicts, lists, strings and numbers, for reports and `--json`."""
    return msgspec.json.decode(encode(value))
