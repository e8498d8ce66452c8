"""The machine: clock, processes, private files, values as JSON."""
