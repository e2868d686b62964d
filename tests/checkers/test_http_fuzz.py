"""Whatever bytes come back, an attempt ends with a class and a sentence, or without a fault."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from checkup.errors import CheckUnknownError
from tests.checkers.answers import LIMIT, RawServer, answers, look_at, plausible
from tests.checkers.results import GENEROUS


@pytest.fixture(scope="module")
def server() -> Iterator[RawServer]:
    with RawServer() as running:
        yield running


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(answer=answers | plausible)
def test_any_answer_is_dealt_with(server: RawServer, answer: bytes) -> None:
    started = time.monotonic()

    outcome = look_at(server, answer)

    assert time.monotonic() - started < LIMIT + GENEROUS
    if isinstance(outcome, CheckUnknownError):
        assert outcome.failure in {"client_limit", "unsupported"}
    else:
        assert bool(outcome.error) is bool(outcome.failure)
        assert outcome.error.isprintable()
        assert len(outcome.error) < 300
