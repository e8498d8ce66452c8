"""Record the film's folder and the scratch folder, and compare them before anything is written.

Both are recorded when a job is accepted. A drive that is not connected leaves its mount point
behind, an empty folder on the system's disk. So a folder counts as the one on record if our token
is in it, or if volume and inode are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from core.engine.output_path import check_output
from core.engine.request import Request, Services
from core.engine.run_tasks import Stopped
from core.errors.refusal import Refused
from core.graph import content_key
from core.job.events import FolderRecorded
from core.storage import folder_mark, scratch_leases
from core.storage.history import History
from core.storage.jobs import open_jobs
from core.storage.journal import Journal
from core.system import machine
from core.system.folder import FolderIdentity
from core.tasks import volume_probe

_CONTENT_LOST = ("tmpfs", "ramfs")
"""File systems that are empty after a restart without being another volume."""


def record_film_folder(
    seen: FolderIdentity, output: Path, home: Path, *, by_person: bool = False
) -> FolderRecorded:
    """Leave a token in the film's folder and return the record of the folder.

    Raises Refused(output-gone) if the folder is not the one that was `seen` a moment ago, because
    its drive was removed since.
    """
    gone = Refused("output-gone", path=seen.path, drive=seen.mount if seen.mount != "/" else "")
    if _changed(seen):
        raise gone
    mark = folder_mark.name(home, output)
    try:
        token = folder_mark.leave(output, mark, machine.token(16))
    except OSError as error:
        if _changed(seen):  # nothing would identify the drive when it is back
            raise gone from error
        token = ""  # full or read-only: only volume and inode identify the folder then
    folder = msgspec.structs.replace(seen, mark=mark, token=token)
    return FolderRecorded(role="film", folder=folder, by_person=by_person)


def film_folder(journal: Journal, job: str) -> FolderIdentity | None:
    """Return the recorded folder of a job's film, or None.

    There is none for a job of an older version, nor after the job has produced a film: its mark is
    removed then, and a drive may have another number when an answer continues the job.
    """
    return next(
        (fact.folder for fact in History(journal).folders(job=job) if fact.role == "film"), None
    )


def open_job(request: Request, journal: Journal) -> str | None:
    """Return the job of this very request that can be resumed, or None."""
    jobs = open_jobs(journal, str(request.output))
    digest = (
        content_key.request_digest(request.raw, request.preset, str(request.output)) if jobs else ""
    )
    return next((job for job, known in jobs if known == digest), None)


def film_is_away(journal: Journal, job: str | None) -> bool:
    """Whether the folder of an accepted job's film is missing or replaced.

    The job then waits for the folder before it joins the film.
    """
    known = film_folder(journal, job) if job is not None else None
    return known is not None and bool(_changed(known))


def _changed(known: FolderIdentity) -> str:
    try:
        return volume_probe.changed(known)
    except OSError as error:
        if not machine.names_a_path(error):
            raise
        return "volume-gone"  # the job waits for a share that answers with an error as well


def check_place(
    output: Path, journal: Journal, ours: Iterable[Path], *, accept_folder: bool = False
) -> FolderIdentity:
    """Return the film's folder as it is now.

    Raises Refused if a new job's film cannot be placed there: as `check_output` does, and with
    output-drive-out if the drive that held the films of this path is not mounted, so that its empty
    mount point would take the film. `accept_folder` skips the check of the drive.
    """
    known = next(
        (
            fact.folder
            for fact in History(journal).folders(output=str(output))
            if fact.role == "film"
        ),
        None,
    )
    if known is not None and not accept_folder and _is_unmounted(known, output):
        raise Refused("output-drive-out", path=str(output.parent), drive=known.mount)
    check_output(output, ours)
    try:
        return volume_probe.identify(output.parent)
    except OSError as error:
        if not machine.names_a_path(error):
            raise
        raise Refused("output-folder-missing", path=str(output.parent)) from error


def check_request(request: Request, house: Services, job: str | None) -> FolderIdentity | None:
    """Return the film's folder as it is now; None if an accepted job waits for it.

    Raises Refused if the film cannot be placed at its path.
    """
    journal, accepted = house.journal, job or open_job(request, house.journal)
    if not request.accept_folder and film_is_away(journal, accepted):
        return None
    recorded = accepted is not None and film_folder(journal, accepted) is not None
    ours, accept = house.workspace.own_folders, request.accept_folder or recorded
    return check_place(request.output, journal, ours, accept_folder=accept)


def may_be_away(output: Path, journal: Journal) -> bool:
    """Whether an accepted job waits, or will wait, for this film's folder."""
    return any(film_is_away(journal, job) for job, _ in open_jobs(journal, str(output)))


def _is_unmounted(known: FolderIdentity, output: Path) -> bool:
    """Whether the recorded mount point above the output path is no longer a mount point."""
    mount = machine.mount_point(output.parent)
    return (
        mount != known.mount
        and Path(known.mount).is_relative_to(mount)
        and not volume_probe.marked(known)
    )


def await_scratch(
    request: Request,
    house: Services,
    on_step: Callable[[str, int, int], None],
    stopped: Callable[[], str],
) -> str:
    """Wait until the scratch folder is on the volume on record; return its mount point.

    The wait is as long as for a circuit breaker (`policy.gate_patience_s`). Raises Stopped or
    Refused(scratch-gone).
    """
    known = _scratch_on_record(house)
    if known is None or request.accept_folder:
        return machine.mount_point(house.workspace.scratch)
    began = machine.monotonic()
    while _scratch_is_away(known):
        if stopped():
            raise Stopped
        waited = machine.monotonic() - began
        if waited >= house.policy.gate_patience_s:
            raise _scratch_gone(known.path, known.mount)
        on_step("scratch", int(waited), int(house.policy.gate_patience_s))
        machine.sleep(
            max(0.01, min(house.policy.probe_every_s, house.policy.gate_patience_s - waited))
        )
    return machine.mount_point(known.path)


def refuse_scratch_elsewhere(scratch: Path, mount: str) -> None:
    """Raise Refused(scratch-gone) if the scratch folder's drive was removed since it was checked.

    Its mount point is no longer one then, and nothing may be created or recorded there.
    """
    if machine.mount_point(scratch) != mount:
        raise _scratch_gone(str(scratch), mount)


def _scratch_gone(path: str, mount: str) -> Refused:
    return Refused("scratch-gone", path=path, drive=mount if mount != "/" else "")


def _scratch_on_record(house: Services) -> FolderIdentity | None:
    path = str(house.workspace.scratch)
    folders = History(house.journal).folders(role="scratch")
    return next((fact.folder for fact in folders if fact.folder.path == path), None)


def _scratch_is_away(known: FolderIdentity) -> bool:
    """Whether another volume is now at the path of the scratch folder.

    A folder that was emptied or removed on the same volume is created again, because everything in
    it can be rendered again. The root file system cannot go away, and its numbers change with
    every container.
    """
    if known.mount == "/" or volume_probe.marked(known) or not volume_probe.other_volume(known):
        return False
    same_mount = machine.mount_point(known.path) == known.mount
    return not (same_mount and machine.listed_mount(known.path)[1] in _CONTENT_LOST)


def scratch_folder(house: Services) -> tuple[FolderIdentity | None, bool]:
    """Return the scratch folder as it is now, and whether it differs from the one on record.

    (None, False) for a scratch folder inside the data folder, where the journal is. Raises OSError.
    """
    scratch, home = house.workspace.scratch, house.workspace.home
    if scratch.is_relative_to(home):
        return None, False
    now = volume_probe.identify(scratch, *scratch_leases.mark_of(home))
    return now, now != _scratch_on_record(house)
