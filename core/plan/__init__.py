"""From a timeline and its opened sources to a plan: segments, audio, framing. Pure."""
