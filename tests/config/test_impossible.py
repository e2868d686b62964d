"""Settings that are valid one by one, and with which nothing can succeed."""

from __future__ import annotations

from typing import Any

import pytest

from checkup.checkers.runner import run_checks
from checkup.deadline import Deadline
from checkup.model import Status
from tests.config.world import Read, Refuse

HTTP = {"type": "http", "endpoint_name": "a", "endpoint_url": "http://127.0.0.1:1/"}
TCP = {"type": "tcp", "endpoint_name": "a", "endpoint_url": "127.0.0.1:1"}
TLS = {**TCP, "type": "tls"}
DNS = {**TCP, "type": "dns", "hostname_fqdn": "www.example.com"}
EXEC = {"type": "exec", "endpoint_name": "a", "command": "true"}
HEARTBEAT = {"type": "heartbeat", "endpoint_name": "a"}

NEVER: list[tuple[dict[str, Any], str]] = [
    ({**HTTP, "endpoint_url": "shop.example"}, "endpoint_url"),
    ({**HTTP, "endpoint_url": ""}, ""),
    ({**TCP, "endpoint_url": "tcp://db.example:5432"}, "endpoint_url"),
    ({**TLS, "endpoint_url": "https://shop.example/"}, "endpoint_url"),
    ({**DNS, "endpoint_url": "192.0.2.53"}, "endpoint_url"),
    ({**DNS, "hostname_fqdn": "https://www.example.com/"}, "hostname_fqdn"),
    ({**DNS, "hostname_fqdn": "www..example.com"}, "hostname_fqdn"),
    ({**HTTP, "up_status": 20}, "up_status"),
    ({**HTTP, "up_statuses": ["0-99"]}, "up_statuses"),
    ({**HTTP, "must_contain": "no error", "must_not_contain": "error"}, "must_not_contain"),
    ({**HTTP, "must_match": "a+", "must_not_match": "a+"}, "must_not_match"),
    ({**HTTP, "method": "HEAD", "must_contain": "a"}, "method"),
    ({**HTTP, "must_contain": "abc", "max_body": 2}, "max_body"),
    ({**HTTP, "must_hold": ["status == 'ok'"]}, "must_hold"),
    ({**HTTP, "must_hold": ['status === "ok"']}, "must_hold"),
    ({**HTTP, "must_hold": ["len(jobs) > 1"]}, "must_hold"),
    ({**HTTP, "must_hold": ["a == 1 and b == 2"]}, "must_hold"),
    ({**HTTP, "must_hold": ["done == ok || done == yes"]}, "must_hold"),
    ({**HTTP, "must_hold": ["a < null"]}, "must_hold"),
    ({**HTTP, "must_hold": ["a == 1", "a == 2"]}, "must_hold"),
    ({**TCP, "expect": "a" * 9000}, "expect"),
    ({**EXEC, "must_contain": "ab", "must_not_contain": "b"}, "must_not_contain"),
    ({**HEARTBEAT, "path": "s3://bucket"}, "path"),
]  # fmt: skip

SUSPICIOUS: list[tuple[dict[str, Any], str]] = [
    ({**HTTP, "must_hold": ["up == True"]}, "must_hold"),
    ({**HTTP, "must_hold": ["jobs.length > 1"]}, "must_hold"),
    ({**HTTP, "must_hold": ["age < 500ms"]}, "must_hold"),
    ({**HTTP, "up_statuses": [200, 20]}, "up_statuses"),
    ({**HTTP, "threshold_rtt": "10s", "timeout": "5s"}, "threshold_rtt"),
    ({**HTTP, "link": "shop.example"}, "link"),
    ({**TLS, "cert_expiry_down_threshold": "720h"}, "cert_expiry_down_threshold"),
    ({**DNS, "expected_rcode": "NXDOMAIN", "answers_contain": ["192.0.2.1"]}, "expected_rcode"),
    ({**EXEC, "command": "ls -l"}, "command"),
    ({**EXEC, "raise": "warm"}, "raise"),
]


@pytest.mark.parametrize(("checker", "field"), NEVER)
def test_checker_that_can_never_succeed_is_a_warning_and_unknown_in_a_run(
    read: Read, checker: dict[str, Any], field: str
) -> None:
    config = read({"checkers": [checker]})

    assert [warning.key for warning in config.warnings] == [
        ".".join(filter(None, ("checkers[0]", field)))
    ]
    (result,) = run_checks(config.checkers, deadline=Deadline.after(5), concurrency=1)
    assert (result.status, result.failure) == (Status.UNKNOWN, "config")
    assert config.warnings[0].text in result.error


@pytest.mark.parametrize(("checker", "field"), SUSPICIOUS)
def test_what_is_probably_a_slip_is_a_warning_and_is_checked_all_the_same(
    read: Read, checker: dict[str, Any], field: str
) -> None:
    config = read({"checkers": [checker]})

    assert [warning.key for warning in config.warnings] == [f"checkers[0].{field}"]
    config.checkers[0].require_workable()


@pytest.mark.parametrize(
    "condition",
    [
        "status == up and running",
        'up == "True"',
        'jobs["length"] > 1',
        "name == \"'quoted'\"",
        "version >= 2.0.0",
        "$ exists",
        "length > 1",
        "a not contains b",
    ],
)  # fmt: skip
def test_unusual_condition_that_may_hold_is_not_warned_of(read: Read, condition: str) -> None:
    assert read({"checkers": [{**HTTP, "must_hold": [condition]}]}).warnings == ()


def test_all_contradictions_of_an_object_are_reported_each_at_its_key(refuse: Refuse) -> None:
    problems = refuse(
        {
            "checkers": [
                {
                    **HTTP,
                    "up_status": 200,
                    "up_statuses": [201],
                    "must_match": "(",
                    "must_hold": ["x", "y"],
                    "ip_version": 5,
                    "client_key": "key.pem",
                    "timeout": "soon",
                }
            ],
            "page": {"languages": [], "timezone": "Berlin"},
        }
    )

    assert sorted(problem.key for problem in problems) == [
        "checkers[0].client_key",
        "checkers[0].ip_version",
        "checkers[0].must_hold",
        "checkers[0].must_hold",
        "checkers[0].must_match",
        "checkers[0].timeout",
        "checkers[0].up_statuses",
        "page.languages",
        "page.timezone",
    ]


def test_contradiction_that_may_come_from_an_invalid_value_is_not_reported(refuse: Refuse) -> None:
    start = {"start": "2026-01-31T18:00:00Z", "duration": "soon"}
    (problem,) = refuse({"maintenance": [start]})
    assert problem.key == "maintenance[0].duration"


@pytest.mark.parametrize(
    ("content", "key", "text"),
    [
        ({"notifiers": [{"type": "slack"}]}, "notifiers[0]", '"webhook" or "token"'),
        ({"notifiers": [{"type": "slack", "token": "env:T"}]}, "notifiers[0]", '"channel"'),
        ({"notifiers": [{"type": "discord"}]}, "notifiers[0]", '"webhook"'),
        ({"notifiers": [{"type": "webhook"}]}, "notifiers[0]", '"url"'),
        ({"notifiers": [{"type": "pagerduty"}]}, "notifiers[0]", '"routing_key"'),
        ({"notifiers": [{"type": "sns", "topic_arn": "alerts"}]}, "notifiers[0].topic_arn", "ARN"),
        (
            {"notifiers": [{"type": "slack", "webhook": "${HOOK}"}]},
            "notifiers[0].webhook",
            "not an http or https URL",
        ),
        (
            {"notifiers": [{"type": "discord", "webhook": "env:NOPE"}]},
            "notifiers[0].webhook",
            "environment variable NOPE is not set",
        ),
        (
            {
                "notifiers": [
                    {
                        "type": "mail",
                        "from": "checkup",
                        "to": "ops@example.com",
                        "smtp": {"server": "mx.example.com"},
                    }
                ]
            },
            "notifiers[0].from",
            "not a mail address",
        ),
        (
            {
                "notifiers": [
                    {
                        "type": "mail",
                        "from": "a@example.com",
                        "to": "ops@example.com",
                        "smtp": {"server": "mx.example.com:587"},
                    }
                ]
            },
            "notifiers[0].smtp",
            "server is not a host name",
        ),
        ({"storage": {"type": "s3"}}, "storage", '"bucket"'),
        ({"storage": {"type": "sqlite3"}}, "storage", '"dsn"'),
        (
            {"storage": {"type": "s3", "bucket": "b", "endpoint_url": "minio:9000"}},
            "storage.endpoint_url",
            "not an http or https URL",
        ),
        ({"heartbeat_url": "${HOOK}"}, "heartbeat_url", "not an http or https URL"),
        ({"page": {"url": "status.example.com"}}, "page.url", "not an http or https URL"),
        ({"remind_every": "1m"}, "remind_every", "is less than 5m, which is used instead"),
        (
            {"checkers": [{**HTTP, "remind_every": "1m"}]},
            "checkers[0].remind_every",
            "is less than 5m",
        ),
        ({"checkers": [{**HTTP, "endpoint_name": " "}]}, "checkers[0]", "has no name"),
    ],
)
def test_what_cannot_be_used_is_a_warning_at_its_key(
    read: Read, content: dict[str, Any], key: str, text: str
) -> None:
    (warning,) = read(content, HOOK="hooks.example.com/T0").warnings

    assert warning.key == key
    assert text in warning.text


@pytest.mark.parametrize(
    ("section", "word", "key"),
    [
        ("checker", "name", "endpoint_name"),
        ("checker", "title", "endpoint_name"),
        ("checker", "endpoint_nam", "endpoint_name"),
        ("checker", "url", "endpoint_url"),
        ("checker", "host", "endpoint_url"),
        ("checker", "expected-status", "up_status"),
        ("checker", "retries", "attempts"),
        ("checker", "insecure", "tls_skip_verify"),
        ("notifier", "webhook_url", "webhook"),
        ("notifier", "url", "webhook"),
        ("file", "endpoints", "checkers"),
        ("file", "alerting", "notifiers"),
        ("file", "every", "interval"),
        ("storage", "path", "dir"),
    ],
)
def test_word_of_another_program_leads_to_the_key_of_this_one(
    read: Read, section: str, word: str, key: str
) -> None:
    slack = {"type": "slack", "webhook": "env:HOOK"}
    contents: dict[str, dict[str, Any]] = {
        "checker": {"checkers": [{**HTTP, word: "x"}]},
        "notifier": {"notifier": {**slack, word: "x"}},
        "storage": {"storage": {"type": "fs", word: "x"}},
        "file": {word: "x"},
    }

    (warning,) = read(contents[section]).warnings

    assert (warning.text, warning.fix) == ("unknown key, ignored", f'did you mean "{key}"?')
