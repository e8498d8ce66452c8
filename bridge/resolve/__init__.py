"""The hand: what the menu script inside DaVinci Resolve starts, and what tells it what to do."""
