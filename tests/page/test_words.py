from __future__ import annotations

import pytest

from checkup.text import clean_line
from checkup.times import format_iso
from tests.page.worlds import NOW


@pytest.mark.row("134", "170")
@pytest.mark.parametrize(
    ("given", "shown"),
    [
        pytest.param("  two\n lines\u2028here ", "two lines here", id="lines"),
        pytest.param("a\u202egnp.exe", "agnp.exe", id="bidi-override"),
        pytest.param("\u2066isolated\u2069", "isolated", id="bidi-isolate"),
        pytest.param("A\u200bP\ufeffI\u00ad", "API", id="invisible"),
        pytest.param("nul\x00 bell\x07 escape\x1b[31m", "nul bell escape[31m", id="control"),
        pytest.param("half \ud800 pair", "half pair", id="surrogate"),
        pytest.param("o" + "\u0301" * 50, "o" + "\u0301" * 4, id="combining-storm"),
        pytest.param("👩\u200d🔧 बा\u200cद", "👩\u200d🔧 बा\u200cद", id="joiners-stay"),
        pytest.param("\u200b\u200b", "", id="nothing-left"),
    ],
)
def test_foreign_text_stays_in_its_line(given: str, shown: str) -> None:
    assert clean_line(given, 40) == shown


@pytest.mark.row("134", "170")
def test_long_text_ends_in_an_ellipsis() -> None:
    assert clean_line("x" * 10_000, 20) == "x" * 19 + "…"


def test_text_of_the_allowed_length_is_whole() -> None:
    assert clean_line("x" * 20, 20) == "x" * 20


def test_machines_read_times_in_utc() -> None:
    assert format_iso(NOW + 123_456_789) == "2026-08-03T10:02:42.123Z"
