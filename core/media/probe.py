"""Open a media file and describe it: streams, rates, counts, rotation, timecode, fingerprint."""

from __future__ import annotations

import os
import re
import stat
from fractions import Fraction
from pathlib import Path

import av
import msgspec

from core.media import container_check, hashes, packets, rational
from core.media.media_errors import NotMedia
from core.system import machine
from core.timeline.source import AudioFacts, Source, VideoFacts
from core.timeline.timing import exact_rate, frames_of_timecode

_STILL_CODECS = {
    "png",
    "tiff",
    "bmp",
    "jpeg2000",
    "webp",
    "exr",
    "dpx",
    "targa",
    "mjpeg",
    "gif",
    "psd",
    "jpegxl",
}


_MOST_PIXELS = 1 << 28
"""Pixel limit of one picture: a 16k square, which takes 800 MB to decode."""
_YOUNG_S, _LOOK_AGAIN_S, _WRITTEN_S = 2.0, 0.25, 5.0
"""Limits in seconds for files that may still be growing.

A file changed within the first limit is checked again after the second. A file that is cut short
may still be under way if it changed within the third.
"""


_UNRELIABLE = {"mpegts", "mpeg"}
"""Formats that declare no length.

Their apparent length is the last time stamp, and they may hold several recordings end to end, so
that one time names several places. They are always read to their end, whatever their size.
Otherwise a film would show the wrong recording.
"""
_RAW = {"h264", "hevc", "mpegvideo", "m4v", "vc1", "obu"}


def examine(path: str, *, count: bool = False) -> Source:
    """Open a file, read its header and decode its first picture.

    With `count`, all packets are read to find the length. Raises NotMedia, OSError or
    av.FFmpegError if that fails, and NotMedia("growing") while another program still writes to the
    file.
    """
    facts = os.stat(path)
    if not stat.S_ISREG(facts.st_mode):
        raise NotMedia("not-a-file")
    try:
        found = _examined(path, facts, count=count)
    except (NotMedia, av.FFmpegError, ValueError) as error:
        if _grows(path, facts) or (
            machine.now() - facts.st_mtime < _WRITTEN_S and container_check.cut_short(path)
        ):
            raise NotMedia("growing") from None
        if not isinstance(error, NotMedia):
            _refuse_words(path, invalid=isinstance(error, av.InvalidDataError))
        raise
    if _grows(path, facts):
        raise NotMedia("growing")
    return found


_LISTS = (b"#EXTM3U", b"ffconcat version", b"v=0")
"""Beginnings of texts that lead to other files: playlists, ffmpeg lists, session descriptions."""


def _refuse_words(path: str, *, invalid: bool) -> None:
    """Raise NotMedia if a file that failed to open is a text or does not begin like media.

    Such a file, named as a clip, is not a damaged clip. A demuxer chosen by the file's name misses
    content in it that was never there. The signature is checked only for `invalid` data.
    """
    with Path(path).open("rb") as handle:
        head = handle.read(container_check.HEAD)
        handle.seek(max(len(head), os.fstat(handle.fileno()).st_size - container_check.HEAD))
        both = head + handle.read()
    if head.startswith(_LISTS):
        raise NotMedia("refused", "it leads to other files")
    if head and all(byte in b"\t\n\r\f" or byte >= 32 for byte in head[:512]):
        raise NotMedia("not-media", "it is a text")
    if invalid and not container_check.begins_like_media(both):
        raise NotMedia("not-media", "it begins like no media file")


def _grows(path: str, before: os.stat_result) -> bool:
    """Return True if the file has changed since it was first examined."""
    if abs(machine.now() - before.st_mtime) < _YOUNG_S:
        machine.sleep(_LOOK_AGAIN_S)
    now = os.stat(path)
    return (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns)


def _examined(path: str, facts: os.stat_result, *, count: bool) -> Source:
    if facts.st_size == 0:
        raise NotMedia("empty-file")
    fingerprint, mark = hashes.both_names(path)
    # Accept only real media containers: ffmpeg's tty demuxer takes a text file for a picture, and a
    # playlist opens other files. A still's name is not a pattern: `shot%02d.png` would open
    # shot01.png.
    with av.open(path, options={"protocol_whitelist": "file", "pattern_type": "none"}) as container:
        if container.format.name in ("tty", "hls", "concat", "sdp", "dash", "ffmetadata"):
            raise NotMedia("refused", container.format.name)
        video = _video(container) if container.streams.video else None
        audio = tuple(_audio(stream, container) for stream in container.streams.audio)
        timecode_s = _timecode(container, video)
        unreliable = not _UNRELIABLE.isdisjoint(container.format.name.split(","))
    if video is None and not audio:
        raise NotMedia("no-streams")
    if count or unreliable:
        video, audio = _counted(path, video, audio)
    return Source(
        path=path,
        size=facts.st_size,
        fingerprint=fingerprint,
        inode=(facts.st_dev, facts.st_ino),
        video=video,
        audio=audio,
        timecode_s=timecode_s,
        volume=machine.mount_point(path),
        mark=mark,
        identity=hashes.own_identity(path, facts.st_ino, fingerprint),
        modified_ns=facts.st_mtime_ns,
        short_bytes=_short_of_head(path, facts.st_size),
    )


def _counted(
    path: str, video: VideoFacts | None, audio: tuple[AudioFacts, ...]
) -> tuple[VideoFacts | None, tuple[AudioFacts, ...]]:
    """Return the facts with lengths that the packets prove.

    The container's own number of frames or samples stays if it is larger, since it may count frames
    that share a packet.
    """
    found = packets.lengths(path)
    anew = any(one.begins_anew for one in found.values())
    if video is not None and not video.still:
        length = found[video.stream]
        frames = length.packets if length.seconds is None else round(length.seconds * video.rate)
        video = msgspec.structs.replace(
            video, frames=max(video.frames, frames), counted=True, begins_anew=anew
        )
    heard = []
    for one in audio:
        seconds = found[one.stream].seconds
        samples = (
            max(one.samples, round(seconds * one.sample_rate))
            if seconds is not None
            else one.samples
        )
        heard.append(msgspec.structs.replace(one, samples=samples, counted=True, begins_anew=anew))
    return video, tuple(heard)


def _short_of_head(path: str, size: int) -> int:
    """Return how many bytes a WAV file lacks of what its header declares; 0 for other files.

    Either the file was cut off, or a piece is missing in its middle and all sound after that is
    early. Uncompressed sound does not reveal this in any other way.
    """
    with Path(path).open("rb") as handle:
        if handle.read(4) != b"RIFF" or handle.read(8)[4:] != b"WAVE":
            return 0
        at = 12
        while len(head := handle.read(8)) == 8:
            length = int.from_bytes(head[4:], "little")
            # Recorders stopped by a power cut leave 0 or all ones.
            if head[:4] == b"data":
                return max(0, at + 8 + length - size) if 0 < length < 0xFFFFFFFF else 0
            at += 8 + length + length % 2
            handle.seek(at)
    return 0


def _container_start(container: av.container.InputContainer) -> Fraction:
    return Fraction(container.start_time or 0, 1_000_000)


def _start(
    stream: av.VideoStream | av.AudioStream, container: av.container.InputContainer
) -> Fraction:
    if stream.start_time is None:
        return Fraction(0)
    offset = stream.start_time * rational.time_base(stream) - _container_start(container)
    return offset if abs(offset) > Fraction(1, 100_000) else Fraction(0)


def _duration(
    stream: av.VideoStream | av.AudioStream, container: av.container.InputContainer
) -> Fraction:
    """Return the duration of a stream in seconds.

    Matroska has no stream duration in its header but, in most files, a tag for each stream. The
    container's own duration is that of its longest stream. Both are rounded to milliseconds.
    """
    if stream.duration:
        return stream.duration * rational.time_base(stream)
    tagged = re.fullmatch(
        r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", stream.metadata.get("DURATION", "").strip()
    )
    if tagged:
        return int(tagged[1]) * 3600 + int(tagged[2]) * 60 + Fraction(tagged[3])
    return Fraction(container.duration or 0, 1_000_000)


def _video(container: av.container.InputContainer) -> VideoFacts | None:
    stream = next(
        (s for s in container.streams.video if not s.disposition & s.disposition.attached_pic), None
    )
    if stream is None:
        return None
    context = stream.codec_context
    if context is None:
        raise NotMedia("no-decoder", "of its pictures")
    still = (
        "_pipe" in container.format.name
        or container.format.name == "image2"
        or (stream.frames == 1 and context.codec.canonical_name in _STILL_CODECS)
    )
    if context.width * context.height > _MOST_PIXELS:
        raise NotMedia("picture-too-large", f"{context.width}x{context.height}")
    base = rational.base_rate(stream)
    average = rational.average_rate(stream) or base or Fraction(25)
    # No average exceeds the rate that all time stamps fit: raw DV counts ticks as frames.
    if base and average > 2 * base:
        average = base
    if container.format.name in _RAW and (coded := rational.coded_rate(stream)):
        # The demuxer reports 25 whatever the stream holds, but playback follows the stream.
        base = average = coded
    rate = exact_rate(Fraction(average))
    frames = 1 if still else stream.frames or round(_duration(stream, container) * rate)
    intra = bool(context.codec.intra_only)
    frame = None
    for count, packet in enumerate(container.demux(stream)):
        # FFV1 frames may depend on the previous frame; only the packets tell.
        if context.codec.canonical_name == "ffv1" and count < 2 and packet.size:
            intra = packet.is_keyframe
        frame = frame or next(iter(packet.decode()), None)
        if frame is not None and count >= 1:
            break
    if frame is None:
        raise NotMedia("no-picture")
    start_s = _start(stream, container)
    # AVI gives the decoding time, which is before the first frame is shown.
    if container.format.name == "avi" and frame.pts:
        start_s = frame.pts * rational.time_base(frame) - _container_start(container)
    constant = base is not None and abs(Fraction(base) - Fraction(average)) * 1000 < average
    sign = packets.signature(stream)
    aspect = rational.pixel_aspect(stream)
    return VideoFacts(
        stream=stream.index,
        codec=context.codec.canonical_name,
        width=frame.width,
        height=frame.height,
        pixel_format=context.pix_fmt or "",
        rate=rate,
        frames=frames,
        start_s=start_s,
        constant_rate=constant,
        intra_only=intra,
        still=still,
        signature=sign,
        pixel_aspect=aspect,
        rotation=int(-frame.rotation) % 360,
        colour=(int(context.color_primaries), int(context.color_trc), int(context.colorspace)),
        alpha=any(part.is_alpha for part in frame.format.components),
        interlaced=bool(frame.interlaced_frame),
        grid=Fraction(base)
        if constant and base is not None and base != rate and exact_rate(Fraction(base)) == rate
        else None,
    )


def _audio(stream: av.AudioStream, container: av.container.InputContainer) -> AudioFacts:
    context = stream.codec_context
    # Skipping the stream would shift the numbers of the streams behind it.
    if context is None:
        raise NotMedia("no-decoder", "of its sound")
    rate = context.sample_rate or 0
    samples = round(_duration(stream, container) * rate)
    if samples and not stream.duration:
        samples += rate // 1000  # lengths rounded to a millisecond must not cost the last samples
    return AudioFacts(
        stream=stream.index,
        codec=context.codec.canonical_name if context.codec else "",
        sample_rate=rate,
        channels=context.channels,
        samples=samples,
        start_s=_start(stream, container),
    )


def _timecode(container: av.container.InputContainer, video: VideoFacts | None) -> Fraction | None:
    rate = video.rate if video else Fraction(25)
    for metadata in (container.metadata, *(stream.metadata for stream in container.streams)):
        # Matroska writes its tags in capitals.
        text = metadata.get("timecode") or metadata.get("TIMECODE")
        if text:
            try:
                return frames_of_timecode(text, rate) / rate
            except ValueError:
                return None
    return None
