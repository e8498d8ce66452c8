"""Identity of a folder, so that another volume at the same path is not mistaken for it."""

from __future__ import annotations

from core.system.codec import Value


class FolderIdentity(Value, frozen=True):
    """A folder as it was when it was recorded.

    `mount` is its mount point. `device` (st_dev) and `filesystem` (f_fsid, 0 where the system has
    none) number the volume; a drive may get another device number each time it is connected.
    `inode` is the folder's own. `token` is the content of the file `mark`, whose path is relative
    to the folder; the token stays with the drive. It is empty if it could not be written.
    """

    path: str
    mount: str
    device: int = 0
    filesystem: int = 0
    inode: int = 0
    mark: str = ""
    token: str = ""
