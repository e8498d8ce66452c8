"""The client of the daemon."""
