"""What runs inside DaVinci Resolve (nothing yet)."""
