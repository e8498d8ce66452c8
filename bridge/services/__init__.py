"""The composition root: opens the data folder and builds what a job needs."""
