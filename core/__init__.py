"""Film assembly and recovery. No sockets, no windows, no editor-specific dialects."""
