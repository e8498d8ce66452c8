"""The content of each output frame: nodes, content keys, ffmpeg arguments. Pure."""
