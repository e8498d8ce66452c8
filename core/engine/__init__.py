"""The engine: runs a job from its request to the published film."""
