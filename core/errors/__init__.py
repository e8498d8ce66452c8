"""Error types, evidence of failures, and refusals."""
