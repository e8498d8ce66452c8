"""Starting the companion with the session: a file for launchd, systemd or Windows, that is written and removed.

entries is pure: what such a file says on each system; placing puts it where the system looks.
"""
