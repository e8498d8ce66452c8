"""Files of Hotsplice itself: journal, history, segment store, kept films, locks."""
