"""Limits and delays. Units are in the names."""

from __future__ import annotations

from core.system.codec import Value


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
    gate_patience_s: float = 60.0
    """How long a volume that went away is waited for when everything else is done."""
    gate_times: int = 5
    """How often one piece of work may be held up by a gate before that counts as an attempt."""
    probe_every_s: float = 1.0
    probe_stall_s: float = 10.0
    answer_patience_s: float = 0.0
    """How long a person's answer is waited for when everything else is done."""
    stall_factor: float = 10.0
    """A piece of work hangs when no frame came for so many times its own expected time ..."""
    stall_least_s: float = 20.0
    """... but never sooner than this (and at `stall_s` at the latest)."""
    free_memory_bytes: int = 256 * 1024 * 1024
    worker_memory_bytes: int = 3 * 1024 * 1024 * 1024
    """A worker that took more is replaced when it has done its order."""
    looks: int = 3
    """How often a film is laid out anew, in one run, because media was replaced while it was made."""
    collect_before_s: float = 5.0
    """How long films may be read again before a job, when scratch is over its budget ..."""
    collect_after_s: float = 60.0
    """... and after one."""
    kept_films: int = 2
    """How many films that were replaced are kept beside a film; the last complete one is kept besides."""
    search_s: float = 20.0
    """How long files that are missing are looked for, all together; reading them to compare their hashes included."""
    search_files: int = 200_000
