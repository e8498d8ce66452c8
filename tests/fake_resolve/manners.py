"""How a Resolve behaves where versions, editions and moments differ. Each of these was measured or reported in real ones."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Manners:
    """`version` is major, minor, patch, build; the free edition is `studio` False."""

    version: tuple[int, int, int, int] = (20, 3, 2, 9)
    studio: bool = True
    rate_as: str = "number"
    """GetSetting("timelineFrameRate"): a `number` or `text`."""
    export: str = "well"
    """`refuses` (False), `lies` (True, no file), `empty` (True, a file of no bytes), `damaged` (True, half a file)."""
    borrowed: bool = False
    """A method of another class seems to be there; it returns None."""
    singular: bool = True
    """GetSetting is still there from 21.1 on."""
    custom_lost: bool = False
    """customData of a new marker is not kept."""
    dialog: bool = False
    """A window waits for the user: every call returns None or False."""
    raises: list[str] = field(default_factory=list)
    """Methods that end in an exception, as `Timeline.GetMarkers`."""
    given: str = "menu"
    """How a script finds Resolve: `menu` globals, only `app`, a `module`, or `nothing`."""

    @property
    def name(self) -> str:
        """The product's name."""
        return "DaVinci Resolve Studio" if self.studio else "DaVinci Resolve"

    @property
    def plural(self) -> bool:
        """Whether GetSettings is there."""
        return self.version >= (21, 1, 0, 0)

    @property
    def otio(self) -> bool:
        """Whether a timeline can be exported as OTIO."""
        return self.version >= (18, 5, 0, 0)

    @property
    def windows(self) -> bool:
        """Whether a script may open windows of its own; where not, to touch it opens a dialog."""
        return self.studio or self.version < (19, 1, 0, 0)
