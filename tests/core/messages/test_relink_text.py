"""What is said of media that is missing or was found again, in both languages."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from core.errors.failure import Lookalike
from core.job.relink_choice import Cost, contradicted, cost, found_again, given
from core.messages.relink_text import proposed, resembling, taking
from core.report.labels import remark_words
from core.tasks.spec import Match
from core.timeline.timeline import Remark

LOST = "/a/a.mov"


def looks(**how: str) -> list[Lookalike]:
    return [Lookalike(path=path, how=name) for name, path in how.items()]  # type: ignore[arg-type]


def told(remark: Remark, language: str = "en") -> str:
    return remark_words(remark, language).message  # type: ignore[arg-type]


def test_a_file_that_was_found_again_is_told_with_its_proof():
    here = Match(path=LOST, to="/b/x.mov", how="samples")
    assert told(found_again(here, 1, 0)) == "/a/a.mov is now /b/x.mov (the content is the same)."
    assert told(found_again(here, 3, 4_100_000)) == (
        "/a/a.mov is now /b/x.mov (everything that was used of it before is the same: 4.1 MB compared; "
        "of 3 copies this one is nearest to the other media)."
    )
    assert told(found_again(here, 1, 4_100_000), "de") == (
        "/a/a.mov ist jetzt /b/x.mov (alles, was bisher davon verwendet wurde, ist gleich: 4,1 MB verglichen)."
    )
    listed = Match(path=LOST, to="/b/x.mov", how="mhl", history="/b/ascmhl/1.mhl")
    assert (
        told(found_again(listed, 1, 0))
        == "/a/a.mov is now /b/x.mov (its hash is in /b/ascmhl/1.mhl)."
    )
    assert told(given(LOST, "/b/x.mov")) == "/a/a.mov is now /b/x.mov, as you said."


def test_the_cost_of_a_search_is_written_as_the_language_writes_it():
    (said,) = cost(Cost(missing=2, looked_at=1200, bytes=3_400_000_000, seconds=12.34))
    assert told(said) == "1200 files looked at for 2 missing, 3.4 GB read in 12.3 s."
    assert told(said, "de") == "1200 Dateien angesehen für 2 fehlende, 3,4 GB gelesen in 12,3 s."


def test_a_remark_of_an_older_journal_is_told_as_it_stands_there():
    assert told(
        Remark(
            code="source-relinked", severity="note", text="a is now b (the content is the same)."
        )
    ).startswith("a is now b")
    assert told(contradicted(LOST, [Match(path=LOST, to="/d/a.mov", how="unlike")])[0]).startswith(
        "/d/a.mov has the name of /a/a.mov"
    )


def test_what_resembles_a_missing_file_is_named_with_what_speaks_for_and_against_it():
    seen = looks(unproven="/b/new name.mov", named="/c/a.mov", other="/c/v2.mov", unlike="/d/a.mov")
    assert resembling(seen) == (
        "Perhaps /b/new name.mov: same size and samples, but not all that the film uses of it is on record. "
        "Perhaps /c/a.mov: same name and size, but nothing proves that it is the same file. "
        "Not /c/v2.mov: same size, but other content where it was used. It is another version. "
        "Not /d/a.mov: same name, but other content than is on record."
    )
    assert resembling(looks(instead=LOST), "de") == "Sie sollte /a/a.mov ersetzen."
    many = [Lookalike(path=f"/{n}/a.mov", how="named") for n in range(8)]
    assert "/0/a.mov or /1/a.mov or /2/a.mov or one of 5 more" in resembling(many)
    assert resembling([]) == ""


def test_the_likeliest_file_is_proposed_and_one_with_other_content_never():
    assert proposed(looks(other="/c", named="/b", unproven="/a")) == "/a"
    assert proposed(looks(other="/c", named="/b")) == "/b"
    assert proposed(looks(other="/c")) == "/c", "a person may want another version"
    assert proposed(looks(unlike="/d", instead="/e")) == ""


@pytest.mark.parametrize(
    "path",
    [
        "/b/new name.mov",
        "/b/it's.mov",
        f"/b/{'long ' * 60}.mov",
        "/b/two\nlines\\n's.mov",
        "/b/Größe.mov",
    ],
)
def test_the_command_can_be_pasted_whatever_the_name(path):
    command = taking(path, "x83hcq", "4").partition(": ")[2]
    words = subprocess.run(
        ["bash", "-c", command.replace("hotsplice ", "printf '%s\\0' ", 1)], capture_output=True, check=True
    ).stdout.decode().split("\0")  # fmt: skip
    assert words[:-1] == ["answer", "x83hcq", "4", "relink", path]
    if path.isprintable():
        assert shlex.split(command)[-1] == path
