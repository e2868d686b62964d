"""What holds for every kind of checker in the registry; a new one inherits these."""

from __future__ import annotations

import time

import msgspec
import pytest

from checkup.checkers import CHECKERS
from checkup.checkers.runner import run_checks
from checkup.deadline import Deadline
from tests.checkers.results import GENEROUS


@pytest.mark.parametrize("kind", CHECKERS)
def test_class_bears_the_name_of_the_registry(kind: str) -> None:
    assert CHECKERS[kind].kind == kind


@pytest.mark.parametrize("kind", CHECKERS)
def test_every_key_is_described(kind: str) -> None:
    schema = msgspec.json.schema(CHECKERS[kind])
    (definition,) = (part for part in schema["$defs"].values() if "properties" in part)

    undescribed = [
        key for key, part in definition["properties"].items() if "description" not in part
    ]

    assert undescribed == []


@pytest.mark.parametrize("kind", CHECKERS)
def test_nothing_configured_is_neither_healthy_nor_a_crash(kind: str) -> None:
    checker = CHECKERS[kind](id="empty", endpoint_name="Empty", timeout=1_000_000_000)
    started = time.monotonic()

    (result,) = run_checks([checker], deadline=Deadline.after(10), concurrency=1)

    assert time.monotonic() - started < 1 + GENEROUS
    assert (result.id, result.title, result.kind) == ("empty", checker.title, kind)
    assert not result.healthy
    assert result.failure not in {"", "internal"}
    assert result.error
