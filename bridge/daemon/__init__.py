"""The background process: takes submissions, schedules jobs, reports events."""
