"""Our own files: journal, workspace, presets."""
