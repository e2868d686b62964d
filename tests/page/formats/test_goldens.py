"""Every file for machines is the one that was last looked at."""

from __future__ import annotations

import pytest

from tests.page.formats.goldens import kept, made

KEPT = kept()


def test_each_format_has_its_golden_file_and_no_other() -> None:
    assert sorted(made()) == sorted(KEPT)


@pytest.mark.parametrize("path", sorted(KEPT))
def test_the_files_are_the_golden_ones(path: str) -> None:
    assert made()[path] == KEPT[path]
