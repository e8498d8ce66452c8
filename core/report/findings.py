"""Findings: what a person should know about a job, in words and with its place in the film.

Rules:
1. There is one finding per cause (code and file): a file that is missing at three places is one
   finding with three places.
2. Only results of the last run count; problems that were fixed since are no findings.
3. For a repaired shot, and for partly missing sound, the place covers only what is missing.
4. An answer is offered only where it can change something.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal

import msgspec

from core.graph.nodes import Plan
from core.job import damage_repair
from core.job.events import PreviousUsed
from core.job.relink_choice import LOOKED_FOR
from core.messages import catalogue
from core.messages.catalogue import Words
from core.messages.phrases import phrase
from core.messages.relink_text import proposed, resembling
from core.messages.template import Language
from core.report import film_places
from core.report.event_text import sentence, word
from core.report.film_places import Run
from core.report.labels import remark_words, words_of
from core.report.view_model import Act, Finding, JobView, ShotView, Trouble
from core.timeline.timeline import Remark

_Severity = Literal["error", "warning", "note"]
_WEIGHT = {"error": 0, "warning": 1, "note": 2}

ANOTHER_FILE_HELPS = LOOKED_FOR | {
    "source-too-short", "sound-too-short", "sound-begins-late", "sound-damaged", "sound-file-incomplete", "source-no-sound",
    "source-refused", "source-codec-unsupported", "source-proposed", "source-unlike-record", "source-changed", "source-growing",
    "picture-too-large", "ffmpeg-crashed", "worker-died", "program-hung",
}  # fmt: skip
"""Faults for which another media file could change the result."""


def findings(
    told: JobView, plan: Plan | None, *, earlier: Collection[int] = (), language: Language = "en"
) -> tuple[Finding, ...]:
    """Return all findings: first what ended the job, then in film order, worst first.

    `earlier` are the shots for which an earlier good render is available.
    """
    finder = _Finder(told, plan, earlier, language)
    found = [*finder.gates(), *finder.shots(), *finder.sounds(), *finder.remarks()]
    found.sort(key=lambda one: (-1 if one.first is None else one.first, _WEIGHT[one.severity]))
    return (*finder.end(), *_one_for_each_cause(found, language))


def _one_for_each_cause(found: Iterable[Finding], language: Language) -> list[Finding]:
    """Merge findings of one cause: keep the first, with the shots, places and answers of all.

    Sound without a shot stays a finding of its own, because it is answered by its code.
    """
    alike: dict[tuple[object, ...], list[Finding]] = {}
    for number, one in enumerate(found):
        cause = (
            (one.code, one.path, one.severity, one.decided, bool(one.shots))
            if one.path
            else (number,)
        )
        alike.setdefault(cause, []).append(one)
    return [_joined(group, language) if len(group) > 1 else group[0] for group in alike.values()]


def _joined(group: list[Finding], language: Language) -> Finding:
    first, *rest = group
    return msgspec.structs.replace(
        first,
        message=f"{first.message} {phrase('times', language, count=len(group))}",
        shots=tuple(sorted({shot for one in group for shot in one.shots})),
        others=tuple((one.first, one.frames) for one in rest if one.first is not None),
        answers=tuple(dict.fromkeys(answer for one in group for answer in one.answers)),
    )


class _Finder:
    def __init__(
        self, told: JobView, plan: Plan | None, earlier: Collection[int], language: Language
    ) -> None:
        self.told, self.plan, self.earlier, self.language = told, plan, earlier, language

    # --- The job ---

    def end(self) -> list[Finding]:
        """Return the finding about what ended a failed job."""
        told = self.told
        if told.outcome != "failed":
            return []
        fatal = told.fatal
        if fatal is not None:
            return [self._finding("error", words_of(fatal, self.language), path=fatal.path)]
        said = catalogue.words(
            told.code, self.language, path=told.detail, detail=told.detail, name=told.detail
        )
        return [self._finding("error", said)]

    def gates(self) -> list[Finding]:
        """Return findings about what the job is waiting for now."""
        if self.told.outcome != "running":
            return []
        began = self.told.runs[-1].began if self.told.runs else 0.0
        return [
            self._finding(
                "warning", catalogue.explain(closed.failure, self.language), did=sentence(closed, self.language),
                path=closed.path, answers=("stop",),
            )
            for at, closed, opened in self.told.gates
            if opened is None and at >= began
        ]  # fmt: skip

    # --- Pictures ---

    def shots(self) -> list[Finding]:
        """Return findings about shots: slates, missing parts, earlier renders, altered renders."""
        causes: dict[
            tuple[str, str, _Severity, bool], tuple[Trouble, list[tuple[Run, ShotView]]]
        ] = {}
        found: list[Finding] = []
        instead: list[Finding] = []
        for shot in self.told.shots:
            for cause in (
                shot.causes if shot.state in ("slate", "mended", "previous", "missing") else ()
            ):
                if cause.places:
                    found += [self._mend(shot, cause, run) for run in cause.places]
                    continue
                severity: _Severity = "warning" if shot.state == "previous" else "error"
                where = causes.setdefault(
                    (cause.code, cause.path, severity, shot.taken), (cause, [])
                )[1]
                where += [(run, shot) for run in self._slated(shot, cause)]
            instead += self._instead(shot)
        for (_, _, severity, _), (cause, where) in causes.items():
            found += self._at(severity, cause, where)
        return found + instead

    def _slated(self, shot: ShotView, cause: Trouble) -> list[Run]:
        planned = (
            film_places.slates(self.plan, shot.number)
            if self.plan is not None and cause.failure is None
            else []
        )
        return planned or [(shot.record_in, shot.frames)]

    def _at(
        self, severity: _Severity, cause: Trouble, where: list[tuple[Run, ShotView]]
    ) -> list[Finding]:
        said, found = self._words(cause), []
        runs: list[Run | None] = [*film_places.joined(run for run, _ in where)]
        for run in runs or [None]:  # without the plan, the length of a shot is unknown
            shots = [shot for at, shot in where if run is None or film_places.within(at, [run])]
            answers = self._answers(cause, shots)
            one = self._finding(
                severity, said, shots=shots, run=run, path=cause.path, answers=answers
            )
            one = msgspec.structs.replace(one, proposed=proposed(cause.lookalikes))
            by = "slate" if severity == "error" else "as it is"
            found.append(self._decided(one, by) if shots and shots[0].taken else one)
        return found

    def _mend(self, shot: ShotView, cause: Trouble, run: Run) -> Finding:
        assert self.plan is not None
        segment, rate = film_places.planned_at(self.plan, run[0]), self.plan.format.rate
        frame = damage_repair.source_frame(segment.picture, run[0] - segment.record_in, rate)
        at = run[0] - shot.record_in
        detail = phrase(
            "frames-bad", self.language, count=run[1], shot=shot.number, first=at + 1, last=at + run[1], frames=shot.frames,
            source_frame=frame,
        )  # fmt: skip
        said = catalogue.words(
            catalogue.partly(cause.code), self.language, path=cause.path, detail=detail,
            record_timecode=self.told.timecode(run[0]),
            source_timecode=damage_repair.source_timecode(self.plan.shots[shot.number - 1], segment.picture, frame, rate),
        )  # fmt: skip
        severity: _Severity = "warning" if shot.state == "previous" else "error"
        one = self._finding(
            severity,
            said,
            shots=[shot],
            run=run,
            path=cause.path,
            answers=self._answers(cause, [shot]),
        )
        return self._decided(one, "as it is") if shot.taken else one

    def _instead(self, shot: ShotView) -> list[Finding]:
        run = (shot.record_in, shot.frames)
        found = []
        if shot.state == "previous" and any(isinstance(note, PreviousUsed) for note in shot.notes):
            said = catalogue.words(
                "previous-render-used", self.language, shot=shot.number, name=shot.name
            )
            one = self._finding("warning", said, shots=[shot], run=run, path=shot.path)
            found.append(self._decided(one, "previous") if shot.taken else one)
        for how in shot.degraded:
            said = catalogue.explain(how.failure, self.language)
            did = sentence(how, self.language)
            found.append(
                self._finding("note", said, did=did, shots=[shot], run=run, path=shot.path)
            )
        return found

    def _answers(self, cause: Trouble, shots: list[ShotView]) -> tuple[str, ...]:
        fits = [
            ("retry", True),
            ("relink", self._relink(cause) and all(shot.path == shots[0].path for shot in shots)),
        ]
        fits += [
            (
                "previous",
                any(shot.number in self.earlier for shot in shots) and shots[0].state != "previous",
            )
        ]
        fits += [("skip", True), ("stop", self.told.outcome == "running")]
        return tuple(answer for answer, fit in fits if fit)

    def _relink(self, cause: Trouble) -> bool:
        of_media = cause.failure is None or cause.failure.evidence.place == "source"
        return bool(cause.path) and of_media and cause.code in ANOTHER_FILE_HELPS

    # --- Sound ---

    def sounds(self) -> list[Finding]:
        """Return findings about silence, by where it is heard.

        Silence is left out where a finding about the picture of the same file covers the same
        place.
        """
        heard = film_places.heard(self.plan) if self.plan is not None else {}
        causes: dict[tuple[str, str, bool, bool], tuple[Trouble, list[Run]]] = {}
        for clip, trouble in self.told.silenced:
            whole = heard.get(clip)
            part = bool(trouble.places) and list(trouble.places) != [whole]
            taken = clip in self.told.taken_clips
            where = causes.setdefault((trouble.code, trouble.path, part, taken), (trouble, []))[1]
            where += trouble.places if part else [whole] if whole is not None else []
        found = []
        for (code, path, part, taken), (trouble, where) in causes.items():
            seen = self._seen(code, path)
            runs: list[Run | None] = [
                run for run in film_places.joined(where) if not film_places.within(run, seen)
            ]
            if not where and not seen:
                runs = [None]
            told = [self._silence(trouble, run, part=part) for run in runs]
            found += [self._decided(one, "silence") for one in told] if taken else told
        return found

    def _seen(self, code: str, path: str) -> list[Run]:
        told = [
            s
            for s in self.told.shots
            if s.state == "slate" and any((c.code, c.path) == (code, path) for c in s.causes)
        ]
        return film_places.joined((shot.record_in, shot.frames) for shot in told)

    def _silence(self, trouble: Trouble, run: Run | None, *, part: bool) -> Finding:
        said = self._words(trouble)
        if part and run is not None:
            detail = f"{self.told.timecode(run[0])} – {self.told.timecode(sum(run))}"
            said = catalogue.words(
                catalogue.partly(trouble.code, sound=True),
                self.language,
                path=trouble.path,
                detail=detail,
            )
        severity: _Severity = "warning" if trouble.code == "sound-file-incomplete" else "error"
        alone = {c.path for s in self.told.shots for c in s.causes if c.code == trouble.code} | {
            t.path for _, t in self.told.silenced if t.code == trouble.code
        } == {trouble.path}
        # An answer about a code can name one file only.
        answers = (
            ("retry", "relink", "skip") if alone and self._relink(trouble) else ("retry", "skip")
        )
        one = self._finding(severity, said, run=run, path=trouble.path, answers=answers)
        return msgspec.structs.replace(one, proposed=proposed(trouble.lookalikes))

    # --- The timeline ---

    def remarks(self) -> list[Finding]:
        """Return findings about timeline features that the film cannot carry.

        Remarks without a place appear once per kind.
        """
        found: list[Finding] = []
        placed: dict[tuple[str, Literal["note", "loss"], str], list[Run]] = {}
        loose: dict[tuple[str, str], list[Remark]] = {}
        for remark in self.told.remarks:
            if remark.record_in is None:
                loose.setdefault((remark.code, remark.severity), []).append(remark)
            else:
                placed.setdefault((remark.code, remark.severity, remark.text), []).append(
                    self._around(remark.record_in)
                )
        for remarks in loose.values():
            found.append(self._remark(remarks[0], None, count=len(remarks)))
        for (code, severity, text), runs in placed.items():
            one = Remark(code=code, severity=severity, text=text)
            found += [self._remark(one, run) for run in film_places.joined(runs)]
        if self.told.clipped:
            text = phrase("samples-clipped", self.language, count=self.told.clipped)
            found.append(
                self._remark(Remark(code="sound-clipped", severity="note", text=text), None)
            )
        return found

    def _around(self, frame: int) -> Run:
        """Return the run of the shot that begins at this frame, else this single frame."""
        shot = next((shot for shot in self.told.shots if shot.record_in == frame), None)
        return (frame, shot.frames if shot is not None and shot.frames else 1)

    def _remark(self, remark: Remark, run: Run | None, *, count: int = 1) -> Finding:
        said = remark_words(remark, self.language)
        if count > 1:
            said = said._replace(
                message=f"{said.message} {phrase('times', self.language, count=count)}"
            )
        shots = (
            []
            if run is None
            else [
                s
                for s in self.told.shots
                if run[0] < s.record_in + s.frames and s.record_in < sum(run)
            ]
        )
        if remark.severity != "loss":
            return self._finding("note", said, shots=shots, run=run)
        one = self._finding("warning", said, shots=shots, run=run, answers=("skip",))
        return self._decided(one, "as it is") if remark.code in self.told.taken_remarks else one

    # --- Texts ---

    def _decided(self, one: Finding, how: str) -> Finding:
        """Return the finding as accepted by a person.

        It becomes a mere note, with a way to take the decision back.
        """
        about = str(one.shots[0]) if one.shots and one.answers != ("skip",) else one.code
        back = Act(do=phrase("take-decision-back", self.language, job=self.told.job, about=about))
        title, message = word("decided", how, self.language), f"{one.title}. {one.message}"
        return msgspec.structs.replace(
            one,
            severity="note",
            title=title,
            message=message,
            did="",
            actions=(back,),
            answers=("retry",),
            decided=True,
        )

    def _words(self, cause: Trouble) -> Words:
        said = words_of(cause, self.language)
        if cause.failure is None and cause.code in LOOKED_FOR and cause.detail:
            # The detail tells where a copy may be.
            said = said._replace(message=f"{said.message} {cause.detail}")
        hint = resembling(cause.lookalikes, self.language)
        return said._replace(message=f"{said.message} {hint}") if hint else said

    def _finding(
        self,
        severity: _Severity,
        said: Words,
        *,
        did: str = "",
        shots: Iterable[ShotView] = (),
        run: Run | None = None,
        path: str = "",
        answers: tuple[str, ...] = (),
    ) -> Finding:
        first, frames = run if run is not None and run[1] else (None, 0)
        return Finding(
            severity=severity,
            code=said.code,
            title=said.title,
            message=said.message,
            did=did or said.did,
            actions=tuple(Act(do=action.text, safe=action.safe) for action in said.actions),
            shots=tuple(dict.fromkeys(shot.number for shot in shots)),
            first=first,
            frames=frames,
            path=path,
            answers=answers,
        )
