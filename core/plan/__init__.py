"""Turns a timeline and its opened sources into a plan: segments, audio, framing. Pure."""
