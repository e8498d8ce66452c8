"""What runs inside DaVinci Resolve: standard library only, in whatever Python it has."""
