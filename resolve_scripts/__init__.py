"""Scripts that run inside DaVinci Resolve: standard library only, in whatever Python it has."""
