"""From an editor's timeline file to `core.timeline.timeline.Timeline`: the only room that knows OpenTimelineIO.

The files in the order in which a timeline passes through them:

    reader.py           the door: `read_timeline(path)`, a Timeline or `TimelineRefused`, never another exception
    guard.py            bytes to plain JSON data, within limits, before OpenTimelineIO sees any of it
    schemas.py          which OTIO objects are read, and the edits that make a newer file readable
    layout.py           nested compositions to stretches of clips in exact seconds
    timeline.py         stretches to the tracks and clips of a Timeline, in frames
    media.py            a media reference to a Media: addresses, paths, picture sequences
    effects.py          what effects and speed changes will not show
    resolve_dialect.py  what DaVinci Resolve writes in its own way
    settings.py         frame rate and settings of the whole timeline
    times.py            OTIO times to exact seconds
    refused.py          `TimelineRefused`, and how names are put in messages

Nothing here opens, lists or checks a media file: a share that hangs must not hang the reader.
"""
