"""What the daemon and its clients say to each other, and the keys they use."""
