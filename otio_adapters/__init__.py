"""Convert an editor's timeline file to `core.timeline.timeline.Timeline`.

This is the only package that knows OpenTimelineIO. Its modules, in the order in which a timeline
passes through them:

    read.py             the entry point: `read_timeline(path)` returns a Timeline or raises
                        `TimelineRefused`, and no other exception
    guard.py            bytes to plain JSON data, within limits, before OpenTimelineIO sees it
    schemas.py          which OTIO objects are read, and the edits that make a newer file readable
    nesting.py          nested compositions to pieces of clips in exact seconds
    timeline.py         pieces to the tracks and clips of a Timeline, in frames
    media.py            a media reference to a Media: addresses, paths, image sequences
    effects.py          the effects and speed changes that the film will not show
    resolve_dialect.py  the particular ways in which DaVinci Resolve writes
    settings.py         frame rate and settings of the whole timeline
    otio_times.py       OTIO times to exact seconds
    refuse.py           `TimelineRefused`, and how names are put in messages
    editor_export.py    markers removed from an editor's own export, and its start filled in

No module opens, lists or checks a media file: an unresponsive share must not block the reader.
"""
