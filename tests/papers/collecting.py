"""A plugin of pytest that writes each collected test with the rows that its marks name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rows-to", type=Path, help="write [test, [row, ...]] for each test")


def pytest_collection_finish(session: pytest.Session) -> None:
    rows = [
        [item.nodeid, [row for mark in item.iter_markers("row") for row in mark.args]]
        for item in session.items
    ]
    path: Path = session.config.getoption("rows_to")
    path.write_text(json.dumps(rows), encoding="utf-8")
