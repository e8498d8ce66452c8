"""Planning: a timeline and its opened sources become shots, segments, sound chunks and problems.

All problems are found at once. Rules:

1. Every record frame belongs to exactly one segment, every film sample to exactly one chunk
   (`check` asserts it).
2. A segment never costs much more than `Policy.segment_cost_s` of encoding. Longer shots are cut at
   multiples in the *source*, so that trimming a long shot only renders its first or last piece
   again.
3. A source in the deliverable's own format is copied; every other source is conformed, fitted and
   encoded.
4. A shot that cannot be rendered is planned as a slate of exact length, and as a problem that names
   the shot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor

from core.errors.failure import Evidence, Failure, Lookalike
from core.graph import content_key
from core.graph.nodes import Black, Copy, Picture, Piece, Plan, Problem, Segment, Shot, Slate, Still
from core.graph.preset import Preset
from core.plan.audio_plan import lay_sounds
from core.plan.framing import fit, format_of
from core.plan.policy import Policy
from core.plan.slate_text import SlateWords, slate_lines, stretch
from core.timeline import flatten
from core.timeline.source import Source, VideoFacts
from core.timeline.timeline import Clip, Colour, Format, Remark, Timeline
from core.timeline.timing import showing_frame

COPY_FRAMES = 480
_RUN_UP_S = Fraction(5)
"""Longer than the groups of pictures that cameras record and TV stations send."""
_DECODE_MS_PER_MEGAPIXEL = 8.0

Sources = Mapping[str, Source | Failure]


@dataclass
class _Draft:
    """Working state of the planner."""

    timeline: Timeline
    sources: Sources
    form: Format
    preset: Preset
    policy: Policy
    build: str
    signature: str
    slate_words: SlateWords
    shots: list[Shot] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    problems: dict[tuple[str, str], tuple[list[int], list[str], str]] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)
    short: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    """By code and path: the frames that exist, and those that the shots of the file need."""

    def problem(
        self, code: str, path: str, detail: str, *, shot: int | None = None, clip: str = ""
    ) -> None:
        shots, clips, _ = self.problems.setdefault((code, path), ([], [], detail))
        if shot is not None and shot not in shots:
            shots.append(shot)
        if clip and clip not in clips:
            clips.append(clip)

    def too_short(self, code: str, path: str, there: int, shot: Shot) -> None:
        """Add a shot to the one problem for its file, which counts the frames of all such shots."""
        before, asked = self.short.get((code, path), (0, 0))
        have, wanted = self.short[code, path] = before + there, asked + shot.frames
        self.problem(code, path, "", shot=shot.number)
        shots, clips, _ = self.problems[code, path]
        self.problems[code, path] = shots, clips, f"{have} of {wanted} frames"

    def lay(self, shot: Shot, at: int, frames: int, picture: Picture) -> None:
        key = content_key.picture_key(picture, frames, self.form, self.preset, self.build)
        self.segments.append(
            Segment(
                key=key,
                shot=shot.number,
                record_in=shot.record_in + at,
                frames=frames,
                picture=picture,
            )
        )


def segment_frames(form: Format, preset: Preset, policy: Policy) -> int:
    """Return the maximum number of frames in one segment.

    A segment may be up to half as long again where this avoids a short remainder.
    """
    megapixels = form.width * form.height / 1e6
    cost_s = (preset.video.cost_ms_per_megapixel + _DECODE_MS_PER_MEGAPIXEL) * megapixels / 1000
    return max(8, int(policy.segment_cost_s / cost_s))


def cuts(first: int, frames: int, limit: int) -> list[tuple[int, int]]:
    """Return (offset, length) of the pieces of `frames` frames whose first is source frame `first`.

    One piece if the range is not longer than `limit`. Otherwise the range is cut at multiples of
    `limit`, except where a piece would be shorter than a quarter of it.
    """
    if frames <= limit:
        return [(0, frames)]
    edges = [0]
    edge = limit - first % limit
    while edge < frames:
        if edge - edges[-1] >= limit // 4 and frames - edge >= limit // 4:
            edges.append(edge)
        edge += limit
    return [(a, b - a) for a, b in zip(edges, [*edges[1:], frames], strict=True)]


def plan(
    timeline: Timeline,
    sources: Sources,
    *,
    preset: Preset,
    policy: Policy,
    signature: str,
    build: str,
    slate_words: SlateWords,
) -> Plan:
    """Plan the whole film.

    `sources` has an entry for every path of `flatten.wanted_paths`: the source, or the failure that
    explains why there is none.
    """
    form = format_of(timeline, sources, preset)
    draft = _Draft(timeline, sources, form, preset, policy, build, signature, slate_words)
    row, losses = flatten.visible(timeline)
    draft.remarks += [*timeline.remarks, *losses]
    for number, (record_in, frames, clip) in enumerate(row, start=1):
        if clip is None:
            shot = Shot(number=number, name="", record_in=record_in, frames=frames, kind="gap")
            draft.shots.append(shot)
            _hold(draft, shot, 0, frames, Black())
        else:
            _clip(draft, number, record_in, frames, clip)
    chunks, samples = lay_sounds(timeline, sources, form, preset, policy, draft.problem)
    for clip in flatten.heard(timeline):
        draft.remarks += clip.remarks
    heard = {clip.id: (clip.record_in, clip.frames) for clip in flatten.heard(timeline)}
    problems = tuple(
        Problem(
            code=code,
            path=path,
            shots=tuple(shots),
            detail=detail,
            clips=tuple(clips),
            heard=tuple(heard[clip] for clip in clips),
            fingerprint=fingerprint,
            lookalikes=lookalikes,
        )
        for (code, path), (shots, clips, detail) in draft.problems.items()
        for fingerprint, lookalikes in [_seen(sources, path)]
    )
    made = Plan(
        name=timeline.name,
        format=form,
        preset=preset.name,
        signature=signature,
        start_frame=timeline.start_frame,
        drop_frame=timeline.drop_frame,
        frames=timeline.frames,
        samples=samples,
        shots=tuple(draft.shots),
        segments=tuple(draft.segments),
        chunks=chunks,
        problems=problems,
        remarks=tuple(dict.fromkeys(draft.remarks)),
    )
    check(made)
    return made


def _seen(sources: Sources, path: str) -> tuple[str, tuple[Lookalike, ...]]:
    """Return the fingerprint of a problem's file, or "" if there is none, and its lookalikes."""
    for asked, source in sources.items():
        found = source.evidence if isinstance(source, Failure) else source
        if path in (asked, found.path):
            return found.fingerprint, found.lookalikes if isinstance(found, Evidence) else ()
    return "", ()


def _clip(draft: _Draft, number: int, record_in: int, frames: int, clip: Clip) -> None:
    path = clip.media.path or ""
    source = draft.sources.get(path) if clip.media.kind == "file" else None
    shot = Shot(
        number=number,
        name=clip.name,
        record_in=record_in,
        frames=frames,
        kind="clip",
        clip=clip.id,
        path=path,
        source_in_s=clip.source_in + Fraction(record_in - clip.record_in) / draft.form.rate,
        timecode_s=source.timecode_s if isinstance(source, Source) else None,
    )
    draft.shots.append(shot)
    draft.remarks += clip.remarks
    if isinstance(source, Source) and source.video is not None and not source.video.begins_anew:
        _pictures(draft, shot, clip, source, source.video)
        return
    if isinstance(source, Failure):
        path, code, detail = source.evidence.path or path, source.code, source.evidence.detail
    elif isinstance(source, Source) and source.video is not None:
        path, code, detail = source.path, "source-begins-anew", ""
    elif isinstance(source, Source):
        # The path of the file that was opened, which may be a substitute.
        path, code, detail = (source.path, "source-no-picture", "")
    else:
        code = {
            "generator": "generator-not-rendered",
            "sequence": "image-sequence-unsupported",
        }.get(clip.media.kind, "source-unnamed")
        detail = clip.media.name
    draft.problem(code, path, detail, shot=number)
    _slate(draft, shot, 0, frames, code)


def _slate(draft: _Draft, shot: Shot, at: int, frames: int, code: str) -> None:
    words, film = draft.slate_words, draft.timeline
    where = stretch(
        words,
        film.start_frame + shot.record_in,
        shot.frames,
        draft.form.rate,
        drop_frame=film.drop_frame,
    )
    _hold(draft, shot, at, frames, Slate(lines=slate_lines(words, shot, code, where)))


def _hold(draft: _Draft, shot: Shot, at: int, frames: int, picture: Picture) -> None:
    """Add a picture that does not change, in equal pieces.

    Pieces of one length share one key and are rendered once.
    """
    limit = segment_frames(draft.form, draft.preset, draft.policy)
    for offset, length in cuts(0, frames, limit):
        draft.lay(shot, at + offset, length, picture)


def _pictures(draft: _Draft, shot: Shot, clip: Clip, source: Source, video: VideoFacts) -> None:
    placed = fit(video, draft.form)
    rgb = video.pixel_format.startswith(
        ("rgb", "bgr", "gbr", "argb", "abgr", "pal8", "ya", "gray", "mono")
    )
    matrix = 0 if rgb else video.colour[2]
    if not rgb and _other_colour(video.colour, draft.form.colour):
        draft.remarks.append(
            Remark(code="colour-differs", severity="loss", text=clip.name, record_in=shot.record_in)
        )
    if video.still:
        still = Still(
            path=source.path, fingerprint=source.fingerprint, identity=source.identity, fit=placed, matrix=matrix,
            alpha=video.alpha,
        )  # fmt: skip
        _hold(draft, shot, 0, shot.frames, still)
        return
    rate = draft.form.rate
    begin_s = flatten.source_offset(clip, source) + Fraction(shot.record_in - clip.record_in) / rate
    before = _frames_before(begin_s, shot.frames, video, rate)
    begin_s = max(Fraction(0), begin_s + Fraction(before) / rate)
    wanted = shot.frames - before
    first = showing_frame(begin_s, video.rate)
    direct = video.rate == rate and video.constant_rate
    there = _frames_there(begin_s, first, wanted, video, rate, direct)
    ends_early = "speed-runs-out" if flatten.at_normal_speed(clip) else "source-too-short"
    if there < shot.frames:
        draft.too_short(ends_early, source.path, there, shot)
    if before:
        _slate(draft, shot, 0, before, "source-before-media")
    if not direct:
        draft.remarks.append(
            Remark(
                code="rate-conformed",
                severity="note",
                record_in=shot.record_in,
                text=f"{clip.name}: {float(video.rate):.3f} to {float(rate):.3f} frames per second",
            )
        )
    if there > 0 and direct and _copyable(draft, video):
        for offset, length in cuts(first, there, COPY_FRAMES):
            draft.lay(
                shot,
                before + offset,
                length,
                Copy(
                    path=source.path,
                    fingerprint=source.fingerprint,
                    identity=source.identity,
                    stream=video.stream,
                    first_frame=first + offset,
                ),
            )
    elif there > 0:
        limit = segment_frames(draft.form, draft.preset, draft.policy)
        # A conformed source is cut on the film's own grid, counted from the source's first frame,
        # so that trimming keeps the other pieces.
        for offset, length in cuts(first if direct else floor(begin_s * rate), there, limit):
            at_s = begin_s + Fraction(offset) / rate
            frame = first + offset if direct else showing_frame(at_s, video.rate)
            shown_s = video.start_s + (
                Fraction(frame) / (video.grid or video.rate) if direct else at_s
            )
            seek_s = _seek(shown_s, video)
            draft.lay(
                shot,
                before + offset,
                length,
                Piece(
                    path=source.path,
                    fingerprint=source.fingerprint,
                    identity=source.identity,
                    stream=video.stream,
                    first_frame=frame,
                    source_rate=video.rate,
                    seek_s=seek_s,
                    fit=placed,
                    conform=not direct,
                    matrix=matrix,
                    alpha=video.alpha,
                    phase_s=shown_s - seek_s,
                    run_up_s=Fraction(0) if video.intra_only else _RUN_UP_S,
                    complains=video.codec == "h264",
                ),
            )
    if there < wanted:
        _slate(draft, shot, before + there, wanted - there, ends_early)


def _other_colour(have: Colour, film: Colour) -> bool:
    """Return whether primaries or transfer would need a conversion, which is not done here.

    The value 2 is unspecified and never differs.
    """
    return any(a != b and 2 not in (a, b) for a, b in zip(have[:2], film[:2], strict=True))


def _seek(shown_s: Fraction, video: VideoFacts) -> Fraction:
    """Return the time that the demuxer is asked to seek to for what is shown at `shown_s`.

    It is a little early, in whole microseconds. Demuxers find a key frame by its decoding time,
    which is earlier than its presentation time; where a file does not compensate for that, its
    first picture starts late by the same amount.
    """
    early = shown_s - Fraction(1, 4) / video.rate - (0 if video.intra_only else video.start_s)
    return max(Fraction(0), Fraction(floor(early * 1_000_000), 1_000_000))


def _frames_before(begin_s: Fraction, wanted: int, video: VideoFacts, rate: Fraction) -> int:
    """Return how many of the wanted record frames come before the source's first picture."""
    return min(wanted, max(0, ceil((-begin_s - Fraction(1, 10) / video.rate) * rate)))


def _frames_there(
    begin_s: Fraction, first: int, wanted: int, video: VideoFacts, rate: Fraction, direct: bool
) -> int:
    """Return for how many of the wanted record frames the source has pictures."""
    if first < 0 or first >= video.frames:
        return 0
    if direct:
        return min(wanted, video.frames - first)
    if showing_frame(begin_s + Fraction(wanted - 1) / rate, video.rate) < video.frames:
        return wanted
    return max(0, min(wanted, floor((Fraction(video.frames) / video.rate - begin_s) * rate)))


def _copyable(draft: _Draft, video: VideoFacts) -> bool:
    return (
        draft.preset.video.copy
        and video.intra_only
        and video.signature == draft.signature
        and video.colour == draft.form.colour
        and video.rotation == 0
        and video.pixel_aspect == 1
    )


def check(made: Plan) -> None:
    """Assert rule 1 for every plan: one with a gap or an overlap must never be rendered.

    Raises AssertionError, also where Python skips `assert` statements.
    """
    at = 0
    for segment in made.segments:
        if segment.record_in != at or segment.frames <= 0:
            raise AssertionError(f"segment at {segment.record_in}, expected at {at}")
        at += segment.frames
    if at != made.frames:
        raise AssertionError(f"{at} frames planned of {made.frames}")
    heard_to = 0
    for chunk in made.chunks:
        if chunk.first_sample != heard_to:
            raise AssertionError(f"sound at {chunk.first_sample}, expected at {heard_to}")
        heard_to += chunk.samples
    if made.chunks and heard_to != made.samples:
        raise AssertionError(f"{heard_to} samples planned of {made.samples}")
