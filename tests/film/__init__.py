"""Real pictures and sound: media that names its own frames and samples, timelines over it, and what came out."""
