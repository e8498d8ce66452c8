"""Values of a timeline are valid from birth, frozen, and equal when their content is."""

from __future__ import annotations

from fractions import Fraction

import pytest

from core.timeline.timeline import Media, Remark, Timeline
from tests.core.props import clip, cut


@pytest.mark.parametrize(("at", "frames"), [(0, 0), (0, -1), (-1, 10)])
def test_a_clip_has_a_length_and_a_place(at, frames):
    with pytest.raises(ValueError, match=r"a\.mov"):
        clip(at, frames)


def test_a_clip_ends_before_the_frame_after_it():
    assert clip(10, 5).record_out == 15


def test_neighbours_may_touch_and_never_overlap():
    cut([clip(0, 10), clip(10, 5), clip(20, 1)])
    with pytest.raises(ValueError, match=r"'V1'.*'b\.mov' overlaps"):
        cut([clip(0, 10), clip(9, 5, "/media/b.mov")])
    with pytest.raises(ValueError, match="overlaps"):
        cut([clip(20, 5), clip(0, 5)])


def test_a_timeline_holds_all_its_clips():
    with pytest.raises(ValueError, match="ends at 30, after the timeline's end at 29"):
        cut([clip(0, 10)], audio=([clip(10, 20)],), frames=29)
    with pytest.raises(ValueError, match="empty"):
        Timeline(name="", rate=Fraction(24), start_frame=0, frames=0, tracks=())


def test_values_do_not_change_and_are_equal_by_content():
    one = clip(0, 10)
    with pytest.raises(AttributeError):
        one.frames = 11  # type: ignore[misc]
    assert one == clip(0, 10)
    assert hash(one) == hash(clip(0, 10))
    assert one != clip(0, 10, "/media/b.mov")
    assert Media(name="a") != Media(name="a", kind="none")


def test_equal_remarks_are_one_whatever_fields_they_have() -> None:
    one = Remark(code="rate-conformed", severity="note", text="a", fields={"path": "/a"})
    other = Remark(code="rate-conformed", severity="note", text="a", fields={"path": "/b"})
    assert list(dict.fromkeys([one, other, one])) == [one, other]
