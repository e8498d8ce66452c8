"""How a folder is known again, so that another volume under the same path is not taken for it."""

from __future__ import annotations

from core.system.codec import Value


class FolderIdentity(Value, frozen=True):
    """A folder as it was when it was recorded.

    `mount` is its mount point. `device` (st_dev) and `filesystem` (f_fsid, 0 where the system has none) number the volume;
    a drive may get another device number each time it is plugged in. `inode` is the folder's own. `token` stands in the file
    `mark`, relative to the folder, and travels with the drive; it is empty when it could not be written.
    """

    path: str
    mount: str
    device: int = 0
    filesystem: int = 0
    inode: int = 0
    mark: str = ""
    token: str = ""
