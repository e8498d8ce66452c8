"""Remarks on effects and speed changes that the film will not show.

There is one remark for the speed of an item, and one for all its other effects.
"""

from __future__ import annotations

from typing import Any

import opentimelineio as otio

from core.timeline.timeline import Remark
from otio_adapters import resolve_dialect
from otio_adapters.refuse import named

_SAME_SPEED = 1e-6
"""A film of three hours is then off by a hundredth of a second."""


def effect_remarks(item: Any, what: str = "") -> tuple[Remark, ...]:
    """Return the remarks on a clip, track or stack, without a position.

    `what` precedes its name in the texts.
    """
    name = f"{what} {named(item.name)}".strip()
    effects = [effect for effect in item.effects if effect.enabled]
    speeds = [_speed(effect) for effect in effects if isinstance(effect, otio.schema.TimeEffect)]
    others = [effect for effect in effects if not isinstance(effect, otio.schema.TimeEffect)]
    resolve = resolve_dialect.active_effects(
        [effect for effect in others if resolve_dialect.wrote(effect)]
    )
    names = [
        _label(e)
        for e in resolve + [effect for effect in others if not resolve_dialect.wrote(effect)]
    ]
    remarks = []
    if changed := [speed for speed in speeds if speed]:
        text = f"{name} plays at normal speed instead of {' and '.join(changed)}."
        remarks.append(Remark(code="speed-change-unsupported", severity="loss", text=text))
    if names:
        text = f"{name} is shown without {', '.join(dict.fromkeys(names))}."
        remarks.append(Remark(code="effect-not-rendered", severity="loss", text=text))
    return tuple(remarks)


def _speed(effect: otio.schema.TimeEffect) -> str:
    """Describe the speed in words; empty for a time warp that changes nothing."""
    if not isinstance(effect, otio.schema.LinearTimeWarp):
        return "a varying speed"
    scalar = effect.time_scalar
    if scalar == 0:
        return "a freeze frame (speed 0)"
    if abs(scalar - 1) <= _SAME_SPEED:
        return ""
    return f"{abs(scalar):g} times speed{' backwards' if scalar < 0 else ''} (speed {scalar:g})"


def _label(effect: otio.schema.Effect) -> str:
    label = resolve_dialect.effect_name(effect) or effect.name or effect.effect_name
    return named(label) if label else "an effect"
