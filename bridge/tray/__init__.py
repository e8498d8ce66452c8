"""The tray: an icon, notices and a window.

The tray is a client of the daemon like any other; if it crashes, the film continues.
"""
