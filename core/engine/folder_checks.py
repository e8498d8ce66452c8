"""The film's folder and the scratch folder: recorded when a job is accepted, and compared before anything is written there.

A drive that is out leaves its mount point behind, an empty folder on the system's disk. So a folder counts as the one on record
when our token stands in it, or when volume and inode are the same.
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
"""File systems that are empty after a restart, and no other volume for it."""


def record_film_folder(
    seen: FolderIdentity, output: Path, home: Path, *, by_person: bool = False
) -> FolderRecorded:
    """The film's folder with a token left in it. Refused(output-gone) when it is not the one that was `seen` a
    moment ago: the drive was pulled since."""
    gone = Refused("output-gone", path=seen.path, drive=seen.mount if seen.mount != "/" else "")
    if _changed(seen):
        raise gone
    mark = folder_mark.name(home, output)
    try:
        token = folder_mark.leave(output, mark, machine.token(16))
    except OSError as error:
        if _changed(seen):  # nothing would show that it is the same drive when it is back
            raise gone from error
        token = ""  # full, or read-only: then volume and inode alone tell
    folder = msgspec.structs.replace(seen, mark=mark, token=token)
    return FolderRecorded(role="film", folder=folder, by_person=by_person)


def film_folder(journal: Journal, job: str) -> FolderIdentity | None:
    """The folder of a job's film on record; None for a job of an older version, and once it came to a film: its mark is removed
    then, and a drive may have another number when an answer continues the job."""
    return next(
        (fact.folder for fact in History(journal).folders(job=job) if fact.role == "film"), None
    )


def open_job(request: Request, journal: Journal) -> str | None:
    """The job of this very request that can be taken up."""
    jobs = open_jobs(journal, str(request.output))
    digest = (
        content_key.request_digest(request.raw, request.preset, str(request.output)) if jobs else ""
    )
    return next((job for job, known in jobs if known == digest), None)


def film_is_away(journal: Journal, job: str | None) -> bool:
    """Whether the folder of an accepted job's film is not there, or is another one. Then the job waits for it before it joins."""
    known = film_folder(journal, job) if job is not None else None
    return known is not None and bool(_changed(known))


def _changed(known: FolderIdentity) -> str:
    try:
        return volume_probe.changed(known)
    except OSError as error:
        if not machine.names_a_path(error):
            raise
        return "volume-gone"  # a share that answers with an error is waited for as well


def check_place(
    output: Path, journal: Journal, ours: Iterable[Path], *, accept_folder: bool = False
) -> FolderIdentity:
    """The film's folder as it is now. Refused when a new job's film cannot stand there: what `check_output` refuses, and
    output-drive-out when the drive that held the films of this place is not mounted, so that its empty mount point would take
    the film."""
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
    """The film's folder as it is now; None when an accepted job waits for it. Refused when the film cannot stand at its place."""
    journal, accepted = house.journal, job or open_job(request, house.journal)
    if not request.accept_folder and film_is_away(journal, accepted):
        return None
    recorded = accepted is not None and film_folder(journal, accepted) is not None
    ours, accept = house.workspace.own_folders, request.accept_folder or recorded
    return check_place(request.output, journal, ours, accept_folder=accept)


def may_be_away(output: Path, journal: Journal) -> bool:
    """Whether some accepted job waits, or will wait, for this film's folder."""
    return any(film_is_away(journal, job) for job, _ in open_jobs(journal, str(output)))


def _is_unmounted(known: FolderIdentity, output: Path) -> bool:
    """Whether the mount point on record, which the place lies in, is none now."""
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
    """Wait until the scratch folder is on the volume that it was on before, for as long as gates are waited for; its mount point.
    Stopped; Refused(scratch-gone)."""
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
    """Refused(scratch-gone) when the scratch folder's drive was taken out since it was looked at: its mount point is none now,
    and nothing may be made or recorded there."""
    if machine.mount_point(scratch) != mount:
        raise _scratch_gone(str(scratch), mount)


def _scratch_gone(path: str, mount: str) -> Refused:
    return Refused("scratch-gone", path=path, drive=mount if mount != "/" else "")


def _scratch_on_record(house: Services) -> FolderIdentity | None:
    path = str(house.workspace.scratch)
    folders = History(house.journal).folders(role="scratch")
    return next((fact.folder for fact in folders if fact.folder.path == path), None)


def _scratch_is_away(known: FolderIdentity) -> bool:
    """Whether another volume is there. A folder that was emptied or removed on the same volume is made anew: all that is in it
    can be made again. The root of the system cannot go away, and its numbers change with every container."""
    if known.mount == "/" or volume_probe.marked(known) or not volume_probe.other_volume(known):
        return False
    same_mount = machine.mount_point(known.path) == known.mount
    return not (same_mount and machine.listed_mount(known.path)[1] in _CONTENT_LOST)


def scratch_folder(house: Services) -> tuple[FolderIdentity | None, bool]:
    """The scratch folder as it is now, and whether that is news. None below the data folder, where the journal is. OSError."""
    scratch, home = house.workspace.scratch, house.workspace.home
    if scratch.is_relative_to(home):
        return None, False
    now = volume_probe.identify(scratch, *scratch_leases.mark_of(home))
    return now, now != _scratch_on_record(house)
