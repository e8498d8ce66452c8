"""A deliverable's recipe: plain data, read from YAML, that a user can add to."""

from __future__ import annotations

from typing import Literal

from core.system.codec import Value


class VideoRecipe(Value, frozen=True, forbid_unknown_fields=True):
    """How pictures are coded. `options` are the encoder's own, by ffmpeg's names without the dash.

    `cost_ms_per_megapixel` (one thread) and `bits_per_pixel` are estimates: they size segments, order the work and
    foretell the space needed; they never enter a verdict. `copy` allows sources already in this very format to be
    taken over packet by packet; only intra-only codecs qualify.
    """

    encoder: str
    pixel_format: str
    options: dict[str, str | int | float] = {}
    cost_ms_per_megapixel: float = 50.0
    bits_per_pixel: float = 4.0
    copy: bool = False


class AudioRecipe(Value, frozen=True, forbid_unknown_fields=True):
    """`codec` pcm_s24le or pcm_s16le is written as mixed; any other encoder is run once over the whole film."""

    codec: str = "pcm_s24le"
    bits_per_second: int | None = None

    @property
    def pcm(self) -> bool:
        """Whether samples stand in the film as they were mixed."""
        return self.codec.startswith("pcm_")


class Preset(Value, frozen=True, forbid_unknown_fields=True):
    """One way to deliver: `name` as given to `--preset`, container by ffmpeg's muxer name, file extension with dot.

    `even` demands even width and height; `minimum` is the smallest frame the codec takes.
    `fallback` names the preset that is used when the encoder does not work on this machine (a graphics device).
    """

    name: str
    title: str
    container: Literal["mov", "mp4", "matroska"]
    extension: str
    video: VideoRecipe
    audio: AudioRecipe
    even: bool = True
    minimum: tuple[int, int] = (16, 16)
    fallback: str = ""
