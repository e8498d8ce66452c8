"""The `hotsplice` command."""
