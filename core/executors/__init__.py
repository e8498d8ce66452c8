"""Worker processes: task in, outcome out."""
