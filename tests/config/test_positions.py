"""A reported place is where the offending text stands, in both languages."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from checkup.config import load
from checkup.errors import ConfigError
from tests.config.world import KINDS

MARK = "offending"
TITLES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
SPACES = st.sampled_from(["", " ", "\n", "\r\n", "\r", "\t", " \n  "])


def places(body: str, suffix: str) -> list[tuple[int, int]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"checkup{suffix}"
        path.write_bytes(body.encode())
        with pytest.raises(ConfigError) as caught:
            load(str(path), KINDS, {})
    return [(problem.line, problem.column) for problem in caught.value.problems]


def at(body: str, place: tuple[int, int]) -> str:
    line, column = place
    lines = body.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[line - 1][column - 1 :]


@given(st.lists(TITLES, min_size=1, max_size=5), st.data())
def test_places_in_json_point_at_the_value(titles: list[str], data: st.DataObject) -> None:
    wrong = data.draw(st.integers(0, len(titles) - 1))
    parts = []
    for index, title in enumerate(titles):
        timeout = f'"{MARK}"' if index == wrong else '"1s"'
        gaps = [data.draw(SPACES) for _ in range(4)]
        name = json.dumps(title, ensure_ascii=data.draw(st.booleans()))
        parts.append(
            f'{gaps[0]}{{"type":"tcp","endpoint_url":"a:1",{gaps[1]}"endpoint_name":{name},'
            f'{gaps[2]}"timeout":{gaps[3]}{timeout}}}'
        )
    body = '{"checkers":[' + ",".join(parts) + "]}"
    (place,) = places(body, ".json")
    assert at(body, place).startswith(f'"{MARK}"')


@given(st.lists(TITLES, min_size=1, max_size=5), st.data())
def test_places_in_yaml_point_at_the_value(titles: list[str], data: st.DataObject) -> None:
    wrong = data.draw(st.integers(0, len(titles) - 1))
    checkers = [
        {"type": "tcp", "endpoint_url": "a:1", "endpoint_name": title,
         "timeout": MARK if index == wrong else "1s"}
        for index, title in enumerate(titles)
    ]  # fmt: skip
    flow = data.draw(st.sampled_from([True, False, None]))
    body = yaml.safe_dump({"checkers": checkers}, allow_unicode=True, default_flow_style=flow)
    (place,) = places(body, ".yaml")
    assert at(body, place).startswith(MARK)
