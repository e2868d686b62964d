"""What is said of an address that cannot work."""

from __future__ import annotations

import pytest

from checkup.checkers.addresses import host_port_problem, http_url_problem

BAD_PORT = "the port must be a number from 1 to 65535"


@pytest.mark.parametrize(
    ("url", "text", "fix"),
    [
        ("http;//192.0.2.1/admin", "not an http or https URL", 'begin with "http://"'),
        ("https:/shop.example/", "not an http or https URL", 'begin with "https://"'),
        ("https//shop.example", "not an http or https URL", 'begin with "https://"'),
        (
            "shop.example/health",
            "not an http or https URL",
            'put "https://" or "http://" in front of it',
        ),
        (
            "localhost:8080",
            "not an http or https URL",
            'put "https://" or "http://" in front of it',
        ),
        ("/health", "not an http or https URL", "write it like https://www.example.com/path"),
        (
            "ftp://shop.example/",
            'unsupported protocol scheme "ftp"',
            "use http:// or https://; for another protocol, use a checker of type tcp",
        ),
        (" http://shop.example/", "starts or ends with white space", "remove it"),
        ("http://shop.example/100%", "invalid URL", "write a percent sign as %25"),
        ("http://shop.example:99999/", "invalid URL", BAD_PORT),
        ("http://shop.example:0/", "port 0 cannot be reached", BAD_PORT),
        (
            "http://2001:db8::1/",
            "invalid URL",
            "write an IPv6 address in brackets: http://[2001:db8::1]:80/",
        ),
        (
            "http://{host}/",
            'a host name cannot contain "{"',
            "for an environment variable, write ${NAME}",
        ),
        ("http://my shop/", "a host name cannot contain white space", "remove it"),
    ],
)
def test_url_that_cannot_work_has_a_fix(url: str, text: str, fix: str) -> None:
    problem = http_url_problem(url)

    assert problem is not None
    assert (problem.text, problem.fix) == (text, fix)
    assert problem.is_fatal


@pytest.mark.parametrize(
    ("address", "text", "fix"),
    [
        ("tcp://db.example:5432", "is a URL", 'write it without tcp://, as "db.example:5432"'),
        (
            "https://shop.example/a?b",
            "is a URL",
            'write it without https://, as "shop.example:443"',
        ),
        ("shop.example", "missing port in address", 'add the port: "shop.example:443"'),
        (
            "2001:db8::1:8443",
            "missing port in address",
            'put the IPv6 address in brackets: "[2001:db8::1]:8443"',
        ),
        ("::1", "missing port in address", 'put the IPv6 address in brackets: "[::1]:443"'),
        ("db.example:99999", "invalid port", BAD_PORT),
        ("db.example:0", "port 0 cannot be reached", BAD_PORT),
        ("db.example:5432/", "invalid port", "remove what follows the port"),
        (
            "db.example:postgress",
            "invalid port",
            'this machine knows no service "postgress"; write its port as a number',
        ),
        ("db.example:5432 ", "starts or ends with white space", "remove it"),
        ("db example:5432", "a host name cannot contain white space", "remove it"),
    ],
)
def test_host_and_port_that_cannot_work_have_a_fix(address: str, text: str, fix: str) -> None:
    problem = host_port_problem(address, 443)

    assert problem is not None
    assert (problem.text, problem.fix) == (text, fix)
    assert problem.is_fatal


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example",
        "HTTPS://shop.example:8443/a%20b?c={d}&e=$f#g",
        "http://[2001:db8::1]:80/",
        "http://a_b.example/",
        "http://bücher.example/",
        "http://me:secret@shop.example/",
        "http://shop.example:/",
    ],
)
def test_unusual_url_that_works_is_no_problem(url: str) -> None:
    assert http_url_problem(url) is None


@pytest.mark.parametrize(
    "address", ["db:1", ":80", "[::1]:80", "a_b.example:65535", "127.0.0.1:http"]
)
def test_unusual_address_that_works_is_no_problem(address: str) -> None:
    assert host_port_problem(address) is None


def test_white_space_behind_a_url_may_be_meant() -> None:
    problem = http_url_problem("http://shop.example/ ")
    assert problem is not None
    assert not problem.is_fatal


@pytest.mark.parametrize(("url", "version"), [("http://[::1]/", 4), ("http://192.0.2.1/", 6)])
def test_address_of_the_other_ip_version_cannot_work(url: str, version: int) -> None:
    problem = http_url_problem(url, version)
    assert problem is not None
    assert problem.fix == "remove ip_version"
    assert http_url_problem(url, 10 - version) is None


@pytest.mark.parametrize(
    "url", ["redis://me:hunter2@db/0?key=hunter2", "tcp://hunter2@db:1/hunter2"]
)
def test_nothing_secret_is_shown(url: str) -> None:
    assert "hunter2" not in str(host_port_problem(url)) + str(http_url_problem(url))
