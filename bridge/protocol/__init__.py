"""The messages between the daemon and its clients, and the keys that protect them."""
