"""The interfaces for people and programs: command line, settings, daemon, tray and watch folder."""
