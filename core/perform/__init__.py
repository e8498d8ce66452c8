"""Other programs and the machine."""
