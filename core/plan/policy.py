"""Limits and delays. The names contain the units."""

from __future__ import annotations

from core.system.codec import Value


class Policy(Value, frozen=True):
    """Limits of a job's patience and care.

    Tests shorten delays here; nothing else is tuned anywhere.
    """

    attempts: int = 4
    first_delay_s: float = 0.2
    longest_delay_s: float = 5.0
    retry_budget_s: float = 25.0
    stall_s: float = 60.0
    segment_cost_s: float = 10.0
    """Planned encoding time of one segment on one thread.

    This is half of the 20 s that a kill may cost at most.
    """
    chunk_s: int = 10
    free_margin_bytes: int = 64 * 1024 * 1024
    gate_patience_s: float = 60.0
    """How long to wait for a volume that disappeared, when everything else is done."""
    gate_times: int = 5
    """How often a circuit breaker may hold up one task before that counts as an attempt."""
    probe_every_s: float = 1.0
    probe_stall_s: float = 10.0
    answer_patience_s: float = 0.0
    """How long to wait for a user's answer, when everything else is done."""
    stall_factor: float = 10.0
    """A task counts as hung after this many times its expected time without a frame."""
    stall_least_s: float = 20.0
    """Lower limit of that time; `stall_s` is the upper limit."""
    free_memory_bytes: int = 256 * 1024 * 1024
    worker_memory_bytes: int = 3 * 1024 * 1024 * 1024
    """A worker process that has used more memory is replaced after its current task."""
    looks: int = 3
    """How often one run may replan the film because media was replaced during rendering."""
    collect_before_s: float = 5.0
    """Time limit for reading films again before a job, when scratch is over its budget."""
    collect_after_s: float = 60.0
    """The same time limit after a job."""
    kept_films: int = 2
    """Number of replaced films kept beside a film; the last complete one is kept in addition."""
    search_s: float = 20.0
    """Time limit for the search for all missing files, including reading them to compare hashes."""
    search_files: int = 200_000
