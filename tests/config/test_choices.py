from __future__ import annotations

import pytest

from tests.config.world import Refuse


@pytest.mark.parametrize(
    ("checker", "text"),
    [
        (
            {"type": "tls", "minimum_version": "1.1"},
            "must be one of 1.2, 1.3",
        ),
        (
            {"type": "dns", "record_type": "mx"},
            "must be one of A, AAAA, CNAME, MX, NS, TXT, SOA, SRV, CAA, PTR",
        ),
        (
            {"type": "dns", "record_type": "A", "answers_equal": "localhost"},
            "'localhost' is not valid as a record of type A",
        ),
        (
            {"type": "heartbeat", "period": "-1h"},
            "must be more than 0",
        ),
    ],
)
def test_value_that_is_none_of_the_possible_is_refused(
    refuse: Refuse, checker: dict[str, str], text: str
) -> None:
    (problem,) = refuse({"checkers": [{"endpoint_url": "127.0.0.1:1", **checker}]})

    assert problem.key.startswith("checkers[0]")
    assert problem.text == text
