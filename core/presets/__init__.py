"""Presets that come with Hotsplice, one YAML file each."""
