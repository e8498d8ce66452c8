"""Start of the daemon at login, through a file for launchd, systemd or Windows.

`entries` is pure and builds the file's content for each system; `files` writes it where the system
looks for it, and removes it.
"""
