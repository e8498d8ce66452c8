"""Limits and delays. Units are in the names."""

from __future__ import annotations

from core.model.film import Value


class Policy(Value, frozen=True):
    """How patient and how careful a job is. Tests shorten delays here; nothing else is tuned anywhere."""

    attempts: int = 4
    first_delay_s: float = 0.2
    longest_delay_s: float = 5.0
    retry_budget_s: float = 25.0
    stall_s: float = 60.0
    segment_cost_s: float = 10.0
    """Encoding time planned for one segment on one thread: half of the 20 s that a kill may cost at most."""
    chunk_s: int = 10
    free_margin_bytes: int = 64 * 1024 * 1024
