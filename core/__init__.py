"""The film and how it survives. No sockets, no windows, no editor's dialect."""
