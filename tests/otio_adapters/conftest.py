from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.messages.refusal_text import refusal
from core.messages.template import LANGUAGES
from core.timeline.timeline import Timeline
from otio_adapters.read import read_timeline
from otio_adapters.refuse import TimelineRefused


@pytest.fixture
def read(tmp_path: Path) -> Callable[[Any], Timeline]:
    """Write bytes, text, JSON data or an OTIO object to `reel.otio` and read it."""

    def reading(content: Any) -> Timeline:
        if hasattr(content, "to_json_string"):
            content = content.to_json_string()
        if not isinstance(content, (str, bytes)):
            content = json.dumps(content)
        path = tmp_path / "reel.otio"
        path.write_bytes(
            content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
        )
        return read_timeline(path)

    return reading


@pytest.fixture
def refused(read: Callable[[Any], Timeline]) -> Callable[[Any], TimelineRefused]:
    """The refusal of the same."""

    def refusing(content: Any) -> TimelineRefused:
        with pytest.raises(TimelineRefused) as caught:
            read(content)
        for language in LANGUAGES:
            said = refusal(caught.value, language)
            assert said.message and said.action, "a refusal says what is wrong and what to do"
        return caught.value

    return refusing


@pytest.fixture
def samples() -> Path:
    """Real timelines, which are not part of the project."""
    folder = Path(__file__).parents[2].parent / "shared" / "samples"
    if not folder.is_dir():
        pytest.skip("the sample timelines are not on this machine")
    return folder
