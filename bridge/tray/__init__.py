"""The tray: an icon, notices and a window. One more client of the companion; if it dies, the film goes on."""
