"""What an editor's timeline says, in OpenTimelineIO's terms: values without media."""
