"""What people and programs talk to: the command line, settings; later the companion."""
