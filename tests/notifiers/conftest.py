"""A server that plays a provider."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.provider import Provider


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider
