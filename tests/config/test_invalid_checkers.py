"""What is left of a file with errors, for a stack that has nothing better to go by."""

from __future__ import annotations

import json
from typing import Any

import pytest

from checkup.app import registered_kinds
from checkup.config import Config, read
from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError, ConfigError

GOOD = {"type": "tcp", "endpoint_name": "Good", "endpoint_url": "127.0.0.1:1"}


def left_of(content: Any) -> Config:
    with pytest.raises(ConfigError) as refusal:
        read("checkup.json", json.dumps(content).encode(), registered_kinds(), {})
    partial = refusal.value.usable_config
    assert isinstance(partial, Config)
    return partial


@pytest.mark.parametrize(
    "bad",
    [
        {"type": "htpp", "endpoint_name": "Shop", "endpoint_url": "http://x/"},
        {"endpoint_name": "Shop"},
        {"type": "exec", "name": "Shop", "command": "x", "attempts": "many"},
        {"type": "http", "endpoint_name": "Shop", "timeout": "soon", "must_contain": []},
        {"type": "tcp", "endpoint_name": "Shop", "depends_on": ["nobody"]},
    ],
)
def test_checker_with_an_error_keeps_its_place_and_cannot_look(bad: dict[str, Any]) -> None:
    config = left_of({"checkers": [bad, GOOD]})

    assert [checker.id for checker in config.checkers] == ["shop", "good"]
    assert [checker.kind for checker in config.checkers] == ["misread", "tcp"]
    with pytest.raises(CheckUnknownError, match="its configuration has an error") as reason:
        config.checkers[0].attempt(Deadline.after(1))
    assert reason.value.failure == "config"


def test_its_id_is_the_one_that_it_has_when_it_is_right() -> None:
    twins = [{**GOOD, "endpoint_name": "Shop"}, {**GOOD, "endpoint_name": "Shop", "timeout": "?"}]
    bad_first = left_of({"checkers": [{**twins[0], "type": "?"}, twins[0]]})
    bad_last = left_of({"checkers": twins})

    assert bad_first.checkers[0].id == bad_last.checkers[0].id == "shop"
    assert bad_first.checkers[1].id == bad_last.checkers[1].id


@pytest.mark.parametrize(
    "wrong", [{"hidden": "perhaps"}, {"public_name": ["a"]}, {"type": "?", "hidden": True}]
)
def test_what_may_be_private_stays_off_the_page(wrong: dict[str, Any]) -> None:
    config = left_of({"checkers": [{**GOOD, **wrong}]})
    assert config.checkers[0].hidden


def test_error_elsewhere_harms_no_checker() -> None:
    config = left_of({"checkers": [GOOD], "page": {"timeframe": "?"}, "notifiers": [{"type": "?"}]})
    assert [checker.kind for checker in config.checkers] == ["tcp"]
    assert config.notifiers == ()


def test_of_a_file_that_is_no_json_nothing_is_left() -> None:
    with pytest.raises(ConfigError) as refusal:
        read("checkup.json", b'{"checkers": [', registered_kinds(), {})
    assert refusal.value.usable_config is None
