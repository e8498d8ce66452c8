"""Patience of the property tests (results count, not how long one example took on a busy machine), and a studio for the engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.core.studio import Studio

settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("steady")


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """A job with everything real but the workers."""
    return Studio(tmp_path)
