"""Every language says the same things, each in its way."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from checkup.interfaces.kinds import LOCALES
from checkup_page.html import TEMPLATES
from checkup_page.locale import DEFAULT, Locale, available_languages, load_translations
from tests.page.worlds import MINUTE, NOW

others = pytest.mark.parametrize(
    "code", [code for code in available_languages() if code != DEFAULT]
)


@others
def test_every_language_has_the_same_phrases(code: str) -> None:
    assert load_translations(code).texts.keys() == load_translations().texts.keys()


@others
def test_every_phrase_has_the_same_places_for_values(code: str) -> None:
    for key, phrase in load_translations(code).texts.items():
        # "1" may be part of the words for one.
        optional = {"n"} if key.endswith(".one") else set()
        assert places(phrase) - optional == places(load_translations().texts[key]) - optional, key


@pytest.mark.parametrize("code", available_languages())
def test_no_phrase_is_empty_or_markup(code: str) -> None:
    for key, phrase in load_translations(code).texts.items():
        assert phrase.strip() == phrase != "", key
        assert not re.search(r"[<>&|]", phrase), key


def places(phrase: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(phrase) if name is not None}


def test_every_phrase_that_a_template_says_exists() -> None:
    said = {
        key
        for template in TEMPLATES.iterdir()
        for key in re.findall(r'\bsay\("([\w.-]+)"[,)]', template.read_text("utf-8"))
    }
    known = {re.sub(r"\.(one|other)$", "", key) for key in load_translations().texts}
    assert said <= known


def test_an_unknown_language_is_named_with_the_available_ones() -> None:
    with pytest.raises(
        LookupError, match=f'"tlh" is not available; choose one of {", ".join(LOCALES)}'
    ):
        load_translations("tlh")


def test_korean_reads_like_korean() -> None:
    korean = Locale(translations=load_translations("ko"), zone="Asia/Seoul")
    assert korean.format_datetime(NOW) == "2026년 8월 3일 19:02 KST"
    assert korean.format_short_datetime(NOW) == "8월 3일 19:02"
    assert korean.format_interval(MINUTE) == "1분마다"
    assert korean.format_duration(95 * MINUTE) == "1시간 35분"
    assert korean.translate("group.count", n=4, well=3) == "4개 중 3개 정상"


def test_no_korean_particle_follows_a_value() -> None:
    """Which one it is depends on the end of the word before, which no phrase knows."""
    particle = re.compile(r"\{\w+\}(?:은|는|이|가|을|를|와|과|으로|로)(?![가-힣])")
    assert not [
        key for key, phrase in load_translations("ko").texts.items() if particle.search(phrase)
    ]
