from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.differential.http_clients import curl_version
from tests.differential.http_shapes import CURL

# The tables are for one version of curl; with another these tests are no tests at all.
collect_ignore = (
    ["test_http.py", "test_no_proxy.py", "test_tls.py"]
    if curl_version() and not curl_version().startswith(CURL)
    else []
)

ENCODINGS = Path(__file__).parents[2] / "var" / "tools" / "encodings"


@pytest.fixture(scope="session", autouse=True)
def with_encodings() -> Iterator[None]:
    """The extra for them, which is not installed in the environment of the tests."""
    if not ENCODINGS.exists():
        pytest.skip("scripts/tools encodings has not been run")
    sys.path.insert(0, str(ENCODINGS))
    yield
    sys.path.remove(str(ENCODINGS))
