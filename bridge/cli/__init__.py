"""The command hotsplice."""
