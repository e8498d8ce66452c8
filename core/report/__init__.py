"""What is displayed of a job, and its renderers for text and HTML."""
