"""What the page may be asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from checkup.config.page import contrast_ratio
from checkup.interfaces.kinds import LOCALES
from checkup_page.locale import available_languages
from tests.config.world import Read, Refuse, place


def test_every_language_of_the_page_can_be_configured_and_no_other() -> None:
    assert set(LOCALES) == set(available_languages())


@pytest.mark.parametrize(
    ("page", "key", "said"),
    [
        ({"languages": ["en", "kr"]}, "page.languages", f"must be one of {', '.join(LOCALES)}"),
        ({"languages": []}, "page.languages", "is empty"),
        ({"timezone": "Berlin"}, "page.timezone", 'unknown time zone "Berlin"'),
        ({"css": "</style><script>"}, "page.css", 'contains "<"'),
        ({"colors": {"dark": {"accent": "red"}}}, "page.colors.dark.accent", "not a colour"),
    ],
)
def test_what_the_page_cannot_do_is_an_error(
    refuse: Refuse, page: dict[str, Any], key: str, said: str
) -> None:
    (problem,) = refuse(json.dumps({"page": page}))
    assert place(problem) == (1, key)
    assert said in problem.text


def test_a_colour_that_is_hard_to_read_is_a_warning_with_its_line(read: Read) -> None:
    text = (
        '{"page": {"colors": {\n"light": {"accent": "#8cf0ff"},\n"dark": {"accent": "#8cf0ff"}}}}'
    )
    (warning,) = read(text).warnings
    assert place(warning) == (2, "page.colors.light.accent")
    assert "hard to read" in warning.text


def test_contrast_is_that_of_wcag() -> None:
    assert contrast_ratio("#000000", "#ffffff") == pytest.approx(21)
    assert contrast_ratio("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)
