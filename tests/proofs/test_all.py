"""Which proofs `python -m tests.proofs all` runs, and how."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proofs.__main__ import PROOFS, chosen

SHORT = sum(proof.quick_min for proof in PROOFS)


def test_every_proof_with_a_command_of_its_own_is_listed():
    found = set()
    for path in Path(__file__).parent.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        if f"python -m tests.proofs.{path.stem} [--quick]" in text:
            found.add(path.stem)
    assert found <= {proof.name for proof in PROOFS}


@pytest.mark.parametrize("minutes", [SHORT, SHORT + 15, 90.0, 1000.0])
def test_all_proofs_run_in_about_the_time_that_there_is(minutes):
    plan = chosen(minutes, quick=False)
    assert set(plan) == {proof.name for proof in PROOFS}
    took = sum(p.quick_min if plan[p.name] else p.full_min for p in PROOFS)
    longest = max(proof.full_min for proof in PROOFS)
    assert took <= minutes
    assert took > minutes - longest or not any(plan.values())


def test_a_quick_run_has_every_proof_that_needs_no_quiet_machine_and_no_network():
    assert chosen(None, quick=True) == {proof.name: True for proof in PROOFS if proof.anywhere}
