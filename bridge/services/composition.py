"""Builds what a job needs from the data folder and its settings.

This is a separate module because it loads the whole engine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import msgspec

from bridge.services.locations import Locations, program_version
from bridge.settings import settings
from core.engine.request import Services
from core.executors.worker_process import Hand
from core.job import scratch_budget
from core.media import ffmpeg_binary
from core.messages.slate_phrases import slate_words
from core.plan.policy import Policy
from core.system import machine, process


def services(
    where: Locations,
    *,
    jobs: int | None,
    policy: Policy | None = None,
    wait_s: float | None = None,
    search: Sequence[str] = (),
    share: Callable[[], int] | None = None,
    ahead: list[Hand] | None = None,
) -> Services:
    """Build everything that a job needs.

    `search` lists folders for missing media besides those of the settings. If `low_priority` is
    set, the priority of this process is lowered. Raises Refused(ffmpeg-missing) and the refusals of
    the journal.
    """
    if where.settings.low_priority:
        process.step_back()
    found = ffmpeg_binary.find(where.settings.ffmpeg, where.home)
    return Services(
        journal=where.journal(),
        workspace=where.workspace(),
        build=found,
        policy=policy or _policy(where.settings, wait_s),
        workers=jobs or where.settings.jobs or machine.cores(),
        version=program_version(),
        slate_words=slate_words(where.settings.language),
        hwaccel=where.settings.decode_with or "",
        media_folders=tuple(
            os.path.abspath(os.path.expanduser(folder))
            for folder in (*search, *where.settings.media_folders)
        ),
        share=share,
        ahead=[] if ahead is None else ahead,
        scratch_budget=scratch_budget.budget(where.settings.scratch_budget),
    )


def _policy(chosen: settings.Settings, wait_s: float | None) -> Policy:
    """Build the policy from the settings.

    `wait_s`, from `--wait`, also applies to user decisions; the setting applies to drives alone.
    """
    usual = Policy(kept_films=chosen.kept_films)
    if wait_s is not None:
        return msgspec.structs.replace(usual, gate_patience_s=wait_s, answer_patience_s=wait_s)
    return (
        usual
        if chosen.wait is None
        else msgspec.structs.replace(usual, gate_patience_s=chosen.wait)
    )
