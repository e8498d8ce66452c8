"""Pure functions: no clock, disk, process or log."""
