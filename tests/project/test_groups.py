"""`make test` runs everything."""

from __future__ import annotations

from pathlib import Path

from tests.run import BESIDE, GROUPS

TESTS = Path(__file__).parent.parent


def test_every_folder_of_tests_is_in_one_group() -> None:
    there = sorted({path.parent.relative_to(TESTS).parts[0] for path in TESTS.rglob("test_*.py")})
    assert sorted([*(folder for group in GROUPS.values() for folder in group), BESIDE]) == there
