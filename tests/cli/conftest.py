"""A program in a folder of its own, and a service for it to look at."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.program import Program
from tests.cli.service import Service, running_service


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Let programs be interrupted: a shell that starts the tests in its background forbids it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def checkup(tmp_path: Path) -> Program:
    return Program(tmp_path)


@pytest.fixture
def service() -> Iterator[Service]:
    with running_service() as service:
        yield service
