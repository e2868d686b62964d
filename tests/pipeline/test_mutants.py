"""The mutants are faults of the program as it is today."""

from __future__ import annotations

import pytest

from tests.pipeline.mutants import MUTANTS, PROGRAM, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda it: it.name)
def test_the_line_of_each_mutant_occurs_once(mutant: Mutant) -> None:
    assert (PROGRAM / mutant.file).read_text().count(mutant.right) == 1
