"""Generate `docs/errors.md`, the reference of all codes and their texts.

Run `python -m core.report.errors_page > docs/errors.md`. The page is built from the catalogue and
the decision tables, so it always agrees with the program.
"""

from __future__ import annotations

import sys

from core.errors.failure import ErrorType, Evidence, Failure
from core.job.classify import TABLE
from core.job.retry_policy import recover
from core.messages.catalogue import Entry, entries
from core.plan.policy import Policy

_HEAD = """\
# What can go wrong, in words

Every message of Hotsplice has a code; this page has all of them. It is made of the program's own catalogue
(`python -m core.report.errors_page > docs/errors.md`) and is not written by hand.

What is safe is not on this page: Hotsplice counts it at the moment and says it with the message (“212 of 214 shots are
verified; your media was not touched”). In braces stands what is filled in; a part in [brackets] is said where it is known.
Advice marked *with care* cannot be undone, or something can be lost by it; all other advice is safe.

## By title

| title | Titel | code |
|---|---|---|
"""


def page() -> str:
    """Return the whole page as Markdown; each code is a heading, and thereby an anchor."""
    english, german = entries("en"), entries("de")
    rows = sorted((entry.title, german[code].title, code) for code, entry in english.items())
    table = "".join(f"| {title} | {titel} | [{code}](#{code}) |\n" for title, titel, code in rows)
    return _HEAD + table + "".join(_section(code, entry) for code, entry in english.items())


def _section(code: str, entry: Entry) -> str:
    lines = [f"## {code}", "", f"**{entry.title}.** {entry.message}", ""]
    lines += [f"- Class: {kind}, strategy: {strategy}" for kind, strategy in judged(code)]
    if entry.did:
        lines.append(f"- What Hotsplice does: {entry.did}")
    lines += [
        f"- What you can do{'' if one.safe else ' *with care*'}: {one.do}" for one in entry.actions
    ]
    return "\n" + "\n".join(lines) + "\n"


def judged(code: str) -> list[tuple[str, str]]:
    """Return (class, strategy at the first attempt) for each classification of this code.

    Empty for codes that are not faults.
    """
    rows = [(row.type, row.place[:1] or ("source",)) for row in TABLE if row.code == code]
    if code == "unknown":
        rows = [(ErrorType.TRANSIENT_RESOURCE, ("source",))]
    found: dict[tuple[str, str], None] = {}
    for kind, (place,) in rows:
        failure = Failure(type=kind, code=code, evidence=Evidence(operation="render", place=place))  # type: ignore[arg-type]
        decision = recover(
            failure,
            attempt=1,
            first_failed_at=0.0,
            now=0.0,
            chance=0.5,
            policy=Policy(),
            gate="its place",
        )
        found[kind.value, decision.strategy.value] = None
    return list(found)


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.write(page())
