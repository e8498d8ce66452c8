"""A media file's streams are counted as editors count them: from the first of their kind."""

from __future__ import annotations

from tests.core.props import source, voice


def test_the_nth_audio_stream_or_none():
    two = source("/m/a.mov", None, voice(stream=1), voice(stream=3))
    assert [two.audio_stream(n) and two.audio_stream(n).stream for n in (0, 1)] == [1, 3]
    assert two.audio_stream(2) is None
    assert two.audio_stream(-1) is None, "not the last one"
