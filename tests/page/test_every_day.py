"""What people write is on the page on days that are unlike others; `make audit` tries every day."""

from __future__ import annotations

import pytest

from tests.page.every_day import DAYS, ZONES, Life, differences


@pytest.mark.parametrize("zone", ZONES)
def test_what_was_written_is_on_the_page_when_months_years_and_summer_time_begin(
    zone: str,
) -> None:
    """A process that has lived through all of it makes the same page as a new one."""
    life, days, lengths = Life(zone, every=12), set(), set()
    for _ in range(DAYS):
        for moment in life.live():
            if life.is_special():
                files = life.pages()
                assert [*life.missing(files)] == [], (life.day, moment)
                days.add(f"{life.day:%m-%d}")
                lengths.add(life.midnight(1) - life.midnight())
        if life.day.day == 1:
            new = life.pages(anew=True)
            assert [*life.missing(new)] == [], life.day
            assert differences(files, new) == [], life.day
    assert {"11-30", "12-01", "12-31", "01-01", "02-29", "03-01"} <= days
    assert len(lengths) == (1 if zone == "UTC" else 3)
