"""Worker processes: a task goes in, an outcome comes out."""
