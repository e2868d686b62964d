"""Badges, as pictures and for shields.io."""

from __future__ import annotations

import json
import unicodedata
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from msgspec.structs import replace

from checkup.history.tally import Tally
from checkup.model import Status
from checkup_page.formats import badges
from checkup_page.formats.badges import _STATUS_COLORS, _STEPS, text_width
from checkup_page.view import PageView
from tests.page.formats.world import view

HEALTHY, DOWN, UNKNOWN = Status.HEALTHY, Status.DOWN, Status.UNKNOWN
SVG = "{http://www.w3.org/2000/svg}"

ENDPOINT = {
    "type": "object",
    "required": ["schemaVersion", "label", "message"],
    "properties": {
        "schemaVersion": {"const": 1},
        "label": {"type": "string"},
        "message": {"type": "string", "minLength": 1},
        "color": {"type": "string", "pattern": "^#[0-9a-f]{6}$"},
        "isError": {"type": "boolean"},
        "cacheSeconds": {"type": "integer", "minimum": 300},
    },
    "additionalProperties": False,
}
"""What https://shields.io/badges/endpoint-badge takes, of the properties that we use."""


def endpoints(of: PageView, key: str) -> dict[str, Any]:
    start = f"badges/{key}/"
    return {
        path.removeprefix(start).removesuffix(".json"): json.loads(file.body)
        for path, file in badges.files(of).items()
        if path.startswith(start)
    }


def keys(of: PageView) -> list[str]:
    return [item.key for group in of.groups for item in group.components]


def test_each_badge_is_what_shields_takes() -> None:
    page = view(HEALTHY, DOWN, UNKNOWN)
    found = [it for key in (*keys(page), "page") for it in endpoints(page, key).values()]
    assert len(found) > 20
    for it in found:
        jsonschema.validate(it, ENDPOINT)


def test_a_component_has_a_badge_for_each_span() -> None:
    page = view(HEALTHY)
    assert sorted(endpoints(page, keys(page)[0])) == [
        "health",
        "response-24h",
        "response-30d",
        "response-7d",
        "uptime-24h",
        "uptime-30d",
        "uptime-365d",
        "uptime-7d",
        "uptime-90d",
    ]


def test_health_is_the_status() -> None:
    page = view(HEALTHY, DOWN, UNKNOWN)
    said = [endpoints(page, key)["health"]["message"] for key in (*keys(page), "page")]
    assert said == ["Operational", "Major outage", "Unknown", "Partial outage"]


def test_nobody_can_paint_green_what_is_not_known() -> None:
    page = view(HEALTHY, UNKNOWN)
    api, west, _ = keys(page)
    assert endpoints(page, api)["health"]["isError"] is False
    assert endpoints(page, west)["health"]["isError"] is True


def test_uptime_and_response_are_shown() -> None:
    page = view(HEALTHY)
    found = endpoints(page, keys(page)[0])
    assert found["uptime-7d"]["label"] == "API uptime 7d"
    assert found["uptime-7d"]["message"] == "99.34%"
    assert found["response-24h"]["message"] == "98 ms"


def test_the_page_counts_the_observed_time_of_all_components() -> None:
    page = view(HEALTHY, HEALTHY)
    (first, *_), shop = page.groups[0].components, page.groups[1]
    bad = [replace(it, tally=Tally(down=it.tally.up)) for it in first.periods]
    api = replace(first, periods=tuple(bad))
    half = replace(page, groups=(replace(page.groups[0], components=(api,)), shop))
    assert endpoints(half, "page")["uptime-24h"]["message"] == "50.00%"


def test_a_span_in_which_nothing_was_observed_is_unknown() -> None:
    page = view(HEALTHY)
    (item,) = page.groups[0].components
    blind = [replace(it, tally=Tally(unknown=1), response=None) for it in item.periods]
    group = replace(page.groups[0], components=(replace(item, periods=tuple(blind)),))
    found = endpoints(replace(page, groups=(group,)), item.key)
    assert {found[name]["message"] for name in ("uptime-7d", "response-7d")} == {"Unknown"}
    assert found["uptime-7d"]["isError"]


def picture(of: PageView, key: str) -> ET.Element:
    return ET.fromstring(badges.files(of)[f"badges/{key}.svg"].body)


def test_a_picture_says_to_everybody_what_it_shows() -> None:
    page = view(HEALTHY, DOWN)
    svg = picture(page, keys(page)[1])
    title = svg.find(f"{SVG}title")
    assert title is not None
    assert (svg.get("role"), svg.get("aria-label"), title.text) == (
        "img",
        "West: Major outage",
        "West: Major outage",
    )


def test_a_picture_asks_nobody_for_anything() -> None:
    page = view(HEALTHY)
    body = badges.files(page)[f"badges/{keys(page)[0]}.svg"].body.decode()
    assert "http" not in body.replace("http://www.w3.org/2000/svg", "")
    assert "@import" not in body


def test_texts_have_the_room_that_they_are_given() -> None:
    svg = picture(view(HEALTHY), "page")
    label, message = svg.iter(f"{SVG}text")
    total, right = (int(it.get("width", 0)) for it in svg.iter(f"{SVG}rect"))
    left = total - right
    assert int(svg.get("width", 0)) == total
    assert int(label.get("x", 0)) + int(label.get("textLength", 0)) < left
    assert int(message.get("x", 0)) + int(message.get("textLength", 0)) < total


def test_pictures_can_stand_side_by_side_in_one_document() -> None:
    assert not [it for it in picture(view(HEALTHY), "page").iter() if it.get("id")]


def test_wide_letters_are_wide() -> None:
    assert text_width("iiii", 11) < text_width("aaaa", 11) < text_width("WWWW", 11)
    assert text_width("日本", 11) == 22
    assert text_width(unicodedata.normalize("NFD", "é"), 11) == text_width("e", 11)


def luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colour", [*_STATUS_COLORS.values(), *(colour for _, colour in _STEPS)])
def test_white_letters_can_be_read_on_every_colour(colour: str) -> None:
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5
