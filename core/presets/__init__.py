"""Presets that ship with Hotsplice, one YAML file each."""
