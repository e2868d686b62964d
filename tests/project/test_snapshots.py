"""Behaviour that may only change on purpose: stored bytes, output, messages, lines of logs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.project.snapshots.goldens import MADE, kept


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", MADE)
def test_what_is_seen_from_outside_is_what_it_was(name: str, tmp_path: Path) -> None:
    make, places = MADE[name]
    assert make(tmp_path) == kept(*places)


def test_every_golden_file_is_compared() -> None:
    assert kept() == kept(*(place for _, places in MADE.values() for place in places))
