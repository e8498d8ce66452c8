"""One test file for each file of core/."""
