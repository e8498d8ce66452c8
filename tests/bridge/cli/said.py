"""What a command said, read by its tests."""

from __future__ import annotations

import json
from typing import Any


def summary_of(text: str) -> dict[str, Any]:
    last: dict[str, Any] = json.loads(text.splitlines()[-1])
    assert last["event"] == "summary"
    return last
