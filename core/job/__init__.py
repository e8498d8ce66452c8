"""The state of a job: events, pending tasks, retry policy, circuit breakers, damage repair. Pure."""
