"""Job state: events, pending tasks, retry policy, circuit breakers and damage repair. Pure."""
