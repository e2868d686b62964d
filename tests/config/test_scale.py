"""Large files: read at once, and never by the square of their size."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from checkup.config import load
from checkup.errors import ConfigError
from tests.config.world import KINDS, Read, Refuse

PATIENCE = 15
"""Seconds of CPU: many times what it takes, and far less than the square of it."""


def tcp(index: int, **fields: Any) -> dict[str, Any]:
    url = f"192.168.{index // 256}.{index % 256}:80"
    return {"type": "tcp", "endpoint_name": f"tcp-{url}", "endpoint_url": url, **fields}


def seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def test_case_31_2048_checkers_load(read: Read) -> None:
    document = {"checkers": [tcp(index, timeout="5s", interval="15s") for index in range(2048)]}
    assert len(read(document).checkers) == 2048
    assert seconds(lambda: read(document)) < PATIENCE


def test_5000_problems_are_all_reported(refuse: Refuse) -> None:
    checkers = [tcp(index, attempts="3", timout="5s") for index in range(5000)]
    assert len(refuse({"checkers": checkers})) == 5000
    assert seconds(lambda: refuse({"checkers": checkers})) < PATIENCE


@pytest.mark.parametrize(
    "fields",
    [
        lambda _: {"endpoint_name": "Same"},
        lambda _: {"endpoint_name": "Same", "endpoint_url": "same:1"},
        lambda index: {"id": f"id-{index}", "depends_on": f"id-{max(0, index - 1)}x"},
        lambda index: {"id": f"id-{index}", "depends_on": [f"id-{index + 1}"] * (index < 4999)},
        lambda index: {"group": f"group {index}"},
        lambda index: {f"unknown {index}": 1},
    ],
    ids=["one-title", "one-checker", "names-of-nothing", "long-chain", "groups", "unknown-keys"],
)
def test_5000_checkers_take_time_by_their_number(
    tmp_path: Path, fields: Callable[[int], dict[str, Any]]
) -> None:
    path = tmp_path / "checkup.json"
    document = {
        "checkers": [tcp(index, **fields(index)) for index in range(5000)],
        "groups": [f"group-{index}" for index in range(2000)],
    }
    path.write_text(json.dumps(document))

    def settle() -> None:
        with suppress(ConfigError):
            load(str(path), KINDS, {})

    assert seconds(settle) < PATIENCE
