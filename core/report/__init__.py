"""The views of a job, and the renderers that turn them into text and HTML."""
