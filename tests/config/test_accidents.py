"""Real files after accidents; ``python -m tests.config.fuzz`` has as many as wanted."""

from __future__ import annotations

import pytest

from tests.config.fuzz import fuzz


@pytest.mark.parametrize("seed", range(4))
def test_damaged_file_is_read_or_refused_with_places(seed: int) -> None:
    fuzz(250, seed)
