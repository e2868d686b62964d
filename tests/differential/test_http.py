"""HTTP servers are what curl says they are, except where we mean to differ."""

from __future__ import annotations

import pytest

from tests.differential.http_clients import Outcome, ShapeServer, ask_curl, ask_us, curl_version
from tests.differential.http_shapes import DIFFERENCES, shapes

SHAPES = shapes()
MEANT = {name: said for difference in DIFFERENCES for name, said in difference.ours.items()}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Outcome, Outcome]]:
    """What we and curl say, by shape."""
    if not curl_version():
        pytest.skip("needs curl: apt-get install --no-install-recommends curl")
    with ShapeServer(list(SHAPES.values())) as server:
        urls = server.urls()
        ours = [ask_us(url) for url in urls]
        theirs = ask_curl(urls, tmp_path_factory.mktemp("bodies"))
    return dict(zip(SHAPES, zip(ours, theirs, strict=True), strict=True))


@pytest.mark.parametrize("shape", SHAPES)
def test_http_as_curl(outcomes: dict[str, tuple[Outcome, Outcome]], shape: str) -> None:
    ours, theirs = outcomes[shape]

    if shape in MEANT:
        assert ours.status == MEANT[shape]
        assert ours != theirs, "no difference any more"
    else:
        assert ours == theirs


def test_table_of_differences_is_short_and_has_reasons() -> None:
    assert len(DIFFERENCES) <= 20
    assert sum(len(difference.ours) for difference in DIFFERENCES) == len(MEANT)
    assert set(MEANT) <= set(SHAPES)
    assert all(len(difference.why) > 10 for difference in DIFFERENCES)
