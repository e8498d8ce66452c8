"""PyAV's rational numbers are converted in one place: PyAV 19 gives a type of its own that is no Fraction."""

from __future__ import annotations

import ast

import pytest

from tests.laws.reading import Module, modules, read

_RATIONALS = {
    "time_base",
    "base_rate",
    "average_rate",
    "guessed_rate",
    "sample_aspect_ratio",
    "display_aspect_ratio",
    "framerate",
}
_OWNER = "core/media/rational.py"


def reads(module: Module) -> list[str]:
    """Attributes of PyAV whose value is a rational number, where they are read."""
    nodes = (
        node
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    )
    return [
        node.attr
        for node in nodes
        if node.attr in _RATIONALS and getattr(node.value, "id", "") != "rational"
    ]


@pytest.mark.parametrize(
    "module", [m for m in modules() if m.name != _OWNER], ids=lambda module: module.name
)
def test_rational_numbers_of_media_are_read_in_one_place(module: Module) -> None:
    assert not reads(module), f"{module.name} reads {reads(module)} itself: ask {_OWNER}"


def test_the_law_sees_what_it_forbids() -> None:
    assert reads(read("a.py", "base = stream.time_base or 1")) == ["time_base"]
    assert not reads(read("a.py", "stream.time_base = tick\nbase = rational.time_base(stream)"))
    assert reads(next(module for module in modules() if module.name == _OWNER))
