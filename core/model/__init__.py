"""Values only, frozen: what a film is, what can happen, what can go wrong."""
