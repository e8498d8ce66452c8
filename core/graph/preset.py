"""A deliverable's recipe: plain data from YAML, to which users can add their own."""

from __future__ import annotations

from typing import Literal

from core.system.codec import Value


class VideoRecipe(Value, frozen=True, forbid_unknown_fields=True):
    """How pictures are coded.

    `options` are the encoder's own, by ffmpeg's names without the dash. `cost_ms_per_megapixel`
    (one thread) and `bits_per_pixel` are estimates: they size segments, order the work and predict
    the space needed; they never affect a verdict. `copy` allows copying packets from sources that
    are already in this exact format; only intra-only codecs qualify.
    """

    encoder: str
    pixel_format: str
    options: dict[str, str | int | float] = {}
    cost_ms_per_megapixel: float = 50.0
    bits_per_pixel: float = 4.0
    copy: bool = False


class AudioRecipe(Value, frozen=True, forbid_unknown_fields=True):
    """How sound is coded.

    With `codec` pcm_s24le or pcm_s16le the sound is written as mixed; any other encoder runs once
    over the whole film.
    """

    codec: str = "pcm_s24le"
    bits_per_second: int | None = None

    @property
    def pcm(self) -> bool:
        """Whether the film contains the samples as they were mixed."""
        return self.codec.startswith("pcm_")


class Preset(Value, frozen=True, forbid_unknown_fields=True):
    """One way to deliver a film.

    `name` is as given to `--preset`, `container` is ffmpeg's muxer name, `extension` includes the
    dot. `even` requires even width and height; `minimum` is the smallest frame that the codec
    accepts. `fallback` names the preset to use when the encoder (a graphics device) does not work
    on this machine.
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
