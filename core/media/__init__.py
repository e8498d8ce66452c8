"""Reading media files: ffmpeg, packets, hashes, media hash lists."""
