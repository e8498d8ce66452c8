"""The page of all codes is what the program says, and is found under the code by whoever looks it up."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from core.job.classify import TABLE
from core.messages.catalogue import entries, words
from core.report.errors_page import judged, page

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "errors.md"
RENEW = "python -m core.report.errors_page > docs/errors.md"


def test_the_page_in_the_repository_is_what_the_command_makes():
    made = subprocess.run(
        [sys.executable, *RENEW.split()[1:3]], cwd=ROOT, capture_output=True, check=True
    ).stdout
    assert PAGE.read_bytes() == made, f"the catalogue or the tables have changed since: {RENEW}"
    assert RENEW in PAGE.read_text(encoding="utf-8")


def test_every_code_has_a_heading_to_which_its_words_point():
    headings = re.findall(r"^## (\S+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == list(entries())
    for code in entries():
        assert words(code).more == f"docs/errors.md#{code}"


def test_a_fault_says_its_class_and_what_is_done_first():
    assert judged("source-hung") == [
        ("transient_network", "wait_and_retry"),
        ("transient_resource", "wait_and_retry"),
    ]
    assert judged("source-damaged") == [("permanent_file_corruption", "skip_and_report")]
    assert judged("network-lost") == [("transient_network", "retry_with_backoff")]
    assert [kind for kind, _ in judged("unknown")] == ["transient_resource"]
    assert judged("preset-unknown") == []
    assert all(judged(row.code) for row in TABLE)
    section = page().split("\n## scratch-full\n")[1].split("\n## ")[0]
    assert "- Class: system_resource_exceeded, strategy: " in section
    assert (
        "What Hotsplice does: " in section
        and "What you can do *with care*: Free some space" in section
    )


def test_every_title_can_be_looked_up_in_both_languages():
    text = page()
    for code, entry in entries().items():
        assert f"| {entry.title} | {entries('de')[code].title} | [{code}](#{code}) |" in text
