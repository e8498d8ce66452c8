"""What can go wrong: the six error types, evidence, and refusals."""
