"""Hotsplice's own files: journal, history, segment store, films, locks."""
