"""The watch folder: a timeline dropped into it is a submission, and the reply is written beside it.

The format is specified in docs/folder-door.md. `names`, `submission`, `reply` and `lua` are pure:
the meaning of a listing, the request of a drop, the content of a reply and its form in Lua.
`folder` accesses the disk, and `watcher` scans the folder. `bridge.daemon.watch_folder_process` is
the daemon's side of it.
"""
