"""What each output frame is made of: nodes, content keys, ffmpeg arguments. Pure."""
