"""Verify a film that was published earlier: its hash and, with `deep`, every frame and sample."""

from __future__ import annotations

from collections.abc import Callable

import av

from core.media import hashes, witness
from core.tasks import stream_copy
from core.tasks.spec import CheckFilm, Made, Refuted, Validated, ValidateSeal

OTHER_BYTES = "its bytes are not those that were published"


def check_film(
    order: CheckFilm, on_frames: Callable[[int], None], program: str = ""
) -> Made | Refuted:
    """Check a film; return Made if it is what was published, Refuted otherwise.

    A fault found by our own strict decoding counts only if `program`, an independent ffmpeg, does
    not decode every frame cleanly either. A changed hash counts at once. Raises OSError if the film
    cannot be read.
    """
    found = _checked(order, on_frames)
    if isinstance(found, Refuted) and order.deep and program and found.reason != OTHER_BYTES:
        with av.open(order.path) as container:
            rate = (
                container.streams.audio[0].codec_context.sample_rate
                if container.streams.audio
                else 0
            )
        if order.samples and not rate:
            return found
        sound_s = order.samples / rate if rate else 0.0
        heard = witness.of_film(
            program, order.path, frames=order.frames, sound_s=sound_s, on_frames=on_frames
        )
        return Made(frames=order.frames, digest=str(order.samples)) if heard.clean else found
    return found


def _checked(order: CheckFilm, on_frames: Callable[[int], None]) -> Made | Refuted:
    if order.film_hash and hashes.tree_hash(order.path, on_frames) != order.film_hash:
        return Refuted(reason=OTHER_BYTES)
    frames, samples = order.frames, order.samples
    if order.deep:
        frames, samples = 0, 0
        try:
            with (
                av.open(order.path) as container,
                stream_copy.complaints(of_all_threads=True) as said,
            ):
                if not container.streams.video:
                    return Refuted(reason="it has no pictures")
                video = container.streams.video[0]
                video.thread_type = "AUTO"
                # Otherwise the decoder conceals broken pictures.
                video.codec_context.options = {"err_detect": "explode"}
                audio = container.streams.audio[0] if container.streams.audio else None
                for frame in container.decode([video, audio] if audio else [video]):
                    if isinstance(frame, av.VideoFrame):
                        frames += 1
                        if frame.is_corrupt or said:
                            return Refuted(reason=f"frame {frames - 1} does not decode cleanly")
                        if frames % 48 == 0:
                            on_frames(frames)
                    elif isinstance(frame, av.AudioFrame):
                        samples += frame.samples
        except av.FFmpegError as error:
            # The disk failed or is gone: this says nothing about the pictures.
            if isinstance(error, OSError):
                raise
            return Refuted(reason=f"decoding stopped after {frames} frames: {error.strerror}")
        if said:
            return Refuted(reason="its pictures do not decode cleanly")
        if frames != order.frames or samples < order.samples:
            return Refuted(
                reason=f"{frames} of {order.frames} frames and {samples} of {order.samples} samples decode"
            )
    return Made(frames=frames, digest=str(samples))


def validate(order: ValidateSeal) -> Validated | Refuted:
    """Hash a checkpoint's file again; Refuted if it is gone or its bytes have changed."""
    try:
        found = hashes.file_hash(order.path)
    except FileNotFoundError:
        return Refuted(reason="its file is gone")
    return Validated() if found == order.file_hash else Refuted(reason="its bytes have changed")
