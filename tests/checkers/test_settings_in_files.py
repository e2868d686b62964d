"""The keys of http and tcp, as they stand in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from checkup import app
from checkup.checkers.http import HttpChecker
from checkup.checkers.tcp import TcpChecker
from checkup.errors import ConfigError


def read(folder: Path, **settings: Any) -> Any:
    file = folder / "checkup.json"
    url = "127.0.0.1:25" if settings.get("type") == "tcp" else "http://127.0.0.1/"
    checker = {"type": "http", "endpoint_name": "A", "endpoint_url": url, **settings}
    file.write_text(json.dumps({"checkers": [checker]}, indent=1))
    config = app.read_config(str(file), {"TOKEN": "x"})
    assert [str(warning) for warning in config.warnings] == []
    return config.checkers[0]


@pytest.mark.parametrize(
    ("written", "ranges"),
    [
        ([404, "200-299"], ((404, 404), (200, 299))),
        (["200 - 299"], ((200, 299),)),
        ("200-299", ((200, 299),)),
        (404, ((404, 404),)),
        ([], ()),
    ],
)
def test_statuses_are_numbers_and_ranges(tmp_path: Path, written: object, ranges: object) -> None:
    assert read(tmp_path, up_statuses=written).up_statuses == ranges


@pytest.mark.parametrize(
    "written", [["2xx"], ["299-200"], [True], [[200]], {"a": 1}, [-1], [200.5]]
)
def test_what_is_no_range_is_refused_with_its_line(tmp_path: Path, written: object) -> None:
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, up_statuses=written)

    (problem,) = raised.value.problems
    assert problem.key.startswith("checkers[0].up_statuses")
    assert problem.line >= 7
    assert "range" in problem.text


def test_every_key_of_http_is_read(tmp_path: Path) -> None:
    checker = read(
        tmp_path,
        method="POST",
        body="{}",
        headers={"Content-Type": "application/json"},
        bearer_token="${TOKEN}",
        follow_redirects=3,
        proxy="env",
        up_statuses=[200],
        must_have_headers={"X-Cache": "HIT", "X-Any": []},
        must_match="a+",
        must_not_match="b+",
        must_hold=["status == ok", "n < 5"],
        max_body=1000,
        ip_version=4,
        tls_skip_verify=True,
        server_name="a.test",
        cert_expiry_threshold="240h",
    )

    assert isinstance(checker, HttpChecker)
    assert checker.must_have_headers == {"X-Cache": ("HIT",), "X-Any": ()}
    assert checker.must_hold == ("status == ok", "n < 5")


def test_every_key_of_tcp_is_read(tmp_path: Path) -> None:
    checker = read(tmp_path, type="tcp", starttls="smtp", send="a\r\n", expect="b", ip_version=4)

    assert isinstance(checker, TcpChecker)
    assert checker.starttls == "smtp"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"method": "post"}, "must be one of GET"),
        ({"must_match": "(?=x)"}, "not a valid RE2 pattern: invalid perl operator"),
        ({"must_hold": "status"}, "not a valid condition"),
        ({"max_body": 0}, "must be at least 1"),
        ({"follow_redirects": 21}, "must be at most 20"),
        ({"type": "tcp", "starttls": "ftp"}, "must be one of"),
        ({"ip_version": 5}, "ip_version must be 4 or 6"),
    ],
)
def test_value_that_cannot_be_meant_is_refused(
    tmp_path: Path, settings: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence.replace("(", r"\(")):
        read(tmp_path, **settings)
