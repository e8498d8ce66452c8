"""An editor's timeline in OpenTimelineIO's terms: values without media."""
