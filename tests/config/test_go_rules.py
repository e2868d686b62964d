"""The loading rules of the Go program: those that hold, those that were widened on purpose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from checkup.checkers.exec import ExecChecker
from checkup.config import load
from checkup.errors import ConfigError
from checkup.notifiers.mail import MailSettings
from checkup.notifiers.mailgun import MailgunSettings
from checkup.notifiers.slack import SlackSettings
from checkup.storage.folder import FolderSettings
from checkup.storage.s3 import S3Settings
from tests.config.world import KINDS, Read, Refuse, place

HTTP = {"type": "http", "endpoint_name": "Site", "endpoint_url": "http://localhost"}
SLACK = {"type": "slack", "username": "bot", "channel": "#ops", "webhook": "env:HOOK"}


def one(**fields: Any) -> dict[str, Any]:
    return {"checkers": [{**HTTP, **fields}]}


@pytest.mark.row("A01")
def test_sample_of_the_go_program_loads(read: Read) -> None:
    config = read(
        {
            "storage": {
                "type": "s3",
                "access_key_id": "env:ID",
                "secret_access_key": "env:KEY",
                "bucket": "test",
                "region": "us-east-1",
                "check_expiry": 604800000000000,
            },
            "checkers": [
                {**HTTP, "attempts": 5},
                {**HTTP, "endpoint_name": "TLS", "threshold_rtt": 500000000, "attempts": 5},
            ],
            "timestamp": "0001-01-01T00:00:00Z",
        }
    )
    assert config.storage == S3Settings(
        access_key_id="env:ID",
        secret_access_key="env:KEY",
        bucket="test",
        region="us-east-1",
        check_expiry=604800000000000,
    )
    assert [checker.attempts for checker in config.checkers] == [5, 5]
    assert config.checkers[1].threshold_rtt == 500000000
    assert config.timestamp == 0
    assert config.warnings == ()


@pytest.mark.row("A02")
@pytest.mark.parametrize("text", ["{}", "null", " {}\n"])
def test_nothing_configured_is_an_empty_configuration(read: Read, text: str) -> None:
    config = read(text)
    assert (config.checkers, config.storage, config.notifiers) == ((), None, ())


@pytest.mark.row("A03")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "the file is empty", id="empty-file"),
        pytest.param(b" \n\t", "the file is empty", id="blank-file"),
        pytest.param(b"[]", "expected an object with a list of checkers", id="list"),
        pytest.param(b"5", "expected an object", id="number"),
        pytest.param(b"\xef\xbb\xbf{}", "byte order mark", id="bom"),
        pytest.param(b"\xff\xfe{\x00}\x00", "UTF-16", id="utf-16"),
        pytest.param(b"{} {}", "text after the end", id="second-document"),
        pytest.param(b"{}x", "text after the end", id="text-after-the-end"),
    ],
)
def test_what_is_no_configuration_is_refused(refuse: Refuse, content: bytes, said: str) -> None:
    (problem,) = refuse(content)
    assert said in problem.text
    assert problem.line == 1


@pytest.mark.row("A03")
def test_comments_and_trailing_commas_are_warnings(read: Read) -> None:
    config = read('{\n// why\n"checkers": [ /* none */ ],\n}')
    assert [(problem.line, problem.text.split(",")[0]) for problem in config.warnings] == [
        (2, "comment"),
        (3, "trailing comma"),
    ]


@pytest.mark.row("A04")
def test_keys_match_in_any_case(read: Read) -> None:
    config = read(
        {
            "Checkers": [{"TYPE": "http", "Endpoint_Name": "A", "ENDPOINT_URL": "http://a"}],
            "STORAGE": {"Provider": "fs", "DIR": "x"},
            "Notifier": {"NAME": "slack", "WebHook": "env:HOOK"},
            "CONCURRENT_CHECKS": 3,
        }
    )
    assert config.checkers[0].endpoint_url == "http://a"
    assert config.storage == FolderSettings(dir="x")
    assert config.notifiers == (SlackSettings(webhook="env:HOOK"),)
    assert config.concurrent_checks == 3
    assert config.warnings == ()


@pytest.mark.row("A05")
def test_unknown_keys_are_warnings_with_a_guess(read: Read) -> None:
    config = read({**one(tiemout="5s", colour="red"), "notifers": []})
    assert [(problem.key, problem.fix) for problem in config.warnings] == [
        ("checkers[0].tiemout", 'did you mean "timeout"?'),
        ("checkers[0].colour", "remove it"),
        ("notifers", 'did you mean "notifiers"?'),
    ]


@pytest.mark.row("A06")
def test_of_two_equal_keys_the_last_wins_with_a_warning(read: Read) -> None:
    config = read('{"checkers": 5,\n "Checkers": [],\n "storage": {"type":"fs",\n"type":"s3"}}')
    assert config.checkers == ()
    assert isinstance(config.storage, S3Settings)
    assert [place(problem) for problem in config.warnings] == [
        (2, "Checkers"),
        (3, "storage"),
        (4, "storage.type"),
    ]
    assert "the first is on line 1" in config.warnings[0].fix


@pytest.mark.row("A07")
def test_null_is_absent(read: Read) -> None:
    config = read({**one(attempts=None, headers=None, threshold_rtt=None), "notifiers": None})
    assert config.checkers[0].attempts == 1
    assert read({"checkers": None}).checkers == ()
    assert config.warnings == ()


@pytest.mark.row("A08")
def test_storage_null_is_none(read: Read) -> None:
    assert read({"storage": None}).storage is None


@pytest.mark.row("A08")
@pytest.mark.parametrize("value", [None, {}, [], 5])
def test_a_notifier_without_type_is_refused(refuse: Refuse, value: object) -> None:
    (problem,) = refuse({"notifier": value})
    assert problem.key == "notifier"
    assert "type" in problem.text


@pytest.mark.row("A09")
def test_values_match_in_their_case_only(refuse: Refuse) -> None:
    (problem,) = refuse({"storage": {"type": "FS"}})
    assert problem.text == "unknown storage type: FS"
    assert problem.fix.startswith('did you mean "fs"? known types: appinsights, fs, github,')


@pytest.mark.row("A10")
@pytest.mark.parametrize(
    ("document", "key", "text"),
    [
        ({"checkers": [HTTP, {"type": "icmp", "endpoint_name": "Ping"}]}, "checkers[1].type",
         'unknown checker type: icmp ("Ping")'),
        ({"storage": {"type": "gcs"}}, "storage.type", "unknown storage type: gcs"),
        ({"notifiers": [{"type": "gotify"}]}, "notifiers[0].type",
         "unknown notifier type: gotify"),
        ({"checkers": [{"endpoint_name": "No type"}]}, "checkers[0]",
         'checker has no type ("No type")'),
        ({"checkers": [None]}, "checkers[0]",
         "unknown checker type: expected an object, got null"),
    ],
)  # fmt: skip
def test_unknown_types_are_refused_by_place_name_and_type(
    refuse: Refuse, document: object, key: str, text: str
) -> None:
    (problem,) = refuse(document)
    assert (problem.key, problem.text) == (key, text)


@pytest.mark.row("A11")
def test_the_single_notifier_comes_first(read: Read) -> None:
    config = read(
        {"notifiers": [{**SLACK, "channel": "#b"}], "notifier": {**SLACK, "channel": "#a"}}
    )
    assert [getattr(settings, "channel", "") for settings in config.notifiers] == ["#a", "#b"]


@pytest.mark.row("A12")
def test_provider_without_type_is_the_type(read: Read) -> None:
    assert read({"storage": {"provider": "fs", "dir": "d"}}).storage == FolderSettings(dir="d")


@pytest.mark.row("A13")
def test_name_without_type_is_the_notifiers_type(read: Read) -> None:
    old = {"name": "slack", "webhook": "env:HOOK"}
    expected = (SlackSettings(webhook="env:HOOK"),)
    assert read({"notifier": old}).notifiers == expected
    assert read({"notifiers": [old]}).notifiers == expected


@pytest.mark.row("A14")
def test_type_wins_over_provider(read: Read) -> None:
    config = read({"storage": {"provider": "s3", "type": "fs", "dir": "d"}})
    assert config.storage == FolderSettings(dir="d")


@pytest.mark.row("A15")
def test_the_name_of_an_exec_checker_is_its_title(read: Read) -> None:
    config = read(
        {"checkers": [{"type": "exec", "name": "Disk", "command": "df", "raise": "warn"}]}
    )
    (checker,) = config.checkers
    assert isinstance(checker, ExecChecker)
    assert (checker.title, checker.endpoint, checker.raise_) == ("Disk", "df", "warn")
    assert checker.id == "disk"


@pytest.mark.row("A16")
@pytest.mark.parametrize(
    ("value", "nanoseconds"),
    [("2s", 2_000_000_000), ("1h30m", 5_400_000_000_000), ("100ms", 100_000_000),
     ("1.5s", 1_500_000_000),
     (1_000_000, 1_000_000), ("-1s", -1_000_000_000)],
)  # fmt: skip
def test_durations_are_texts_or_nanoseconds(read: Read, value: object, nanoseconds: int) -> None:
    config = read({**one(timeout=value), "run_deadline": "2h", "interval": "2h"})
    assert config.checkers[0].timeout == nanoseconds
    assert config.warnings == ()


@pytest.mark.row("A16")
@pytest.mark.parametrize("value", ["2", "two seconds", "5 s", "", 1.5, 1e9, True, [], {}])
def test_other_durations_are_refused(refuse: Refuse, value: object) -> None:
    (problem,) = refuse(one(timeout=value))
    assert problem.key == "checkers[0].timeout"
    assert "duration" in problem.text


@pytest.mark.row("A17")
def test_a_negative_threshold_loads(read: Read) -> None:
    assert read(one(threshold_rtt=-1)).checkers[0].threshold_rtt == -1


@pytest.mark.row("A18")
@pytest.mark.parametrize("attempts", [0, -3, None])
def test_fewer_than_one_attempt_is_one(read: Read, attempts: int | None) -> None:
    assert read(one(attempts=attempts)).checkers[0].attempts == 1
    assert read(one()).checkers[0].attempts == 1


@pytest.mark.row("A19")
@pytest.mark.parametrize(
    "written",
    [
        '"3"',
        "5.0",
        "1e2",
        "true",
        "9223372036854775808",
        "-9223372036854775809",
        pytest.param("1" * 5000, id="5000-digits"),
    ],
)
def test_integers_are_json_integers_of_64_bits(refuse: Refuse, written: str) -> None:
    (problem,) = refuse('{"checkers": [{"type": "http", "attempts": ' + written + "}]}")
    assert problem.key == "checkers[0].attempts"
    assert "expected an integer" in problem.text


@pytest.mark.row("A20")
@pytest.mark.parametrize("document", [{}, {"concurrent_checks": 0}, {"concurrent_checks": None}])
def test_five_checkers_run_at_once(read: Read, document: object) -> None:
    assert read(document).concurrency == 5


@pytest.mark.row("A21")
def test_negative_concurrency_is_refused_where_checks_run(read: Read) -> None:
    config = read({"concurrent_checks": -1})
    text = "invalid value for ConcurrentChecks: -1 (must be set > 0)"
    assert [problem.text for problem in config.warnings] == [text]
    with pytest.raises(ConfigError) as caught:
        _ = config.concurrency
    assert [(problem.key, problem.text) for problem in caught.value.problems] == [
        ("concurrent_checks", text)
    ]


@pytest.mark.row("A22")
@pytest.mark.parametrize(
    "document", [{"concurrent_checks": "a"}, {"timestamp": 5}, {"timestamp": "yesterday"}]
)
def test_wrong_concurrency_and_timestamp_are_ignored_with_a_warning(
    read: Read, document: dict[str, object]
) -> None:
    config = read(document)
    assert (config.concurrency, config.timestamp) == (5, 0)
    assert [problem.key for problem in config.warnings] == list(document)


@pytest.mark.row("A23")
@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2020-01-02T03:04:05.6+02:00", 1577927045600000000),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("0001-01-01T00:00:00Z", 0),
    ],
)
def test_timestamps_are_read_to_the_nanosecond(read: Read, text: str, moment: int) -> None:
    config = read({"timestamp": text})
    assert config.timestamp == moment
    assert config.warnings == ()


@pytest.mark.row("A24")
def test_a_header_may_be_a_single_text(read: Read) -> None:
    config = read(one(headers={"User-Agent": "Mozilla", "X-A": ["1", "2"], "Host": []}))
    assert getattr(config.checkers[0], "headers", None) == {
        "User-Agent": ("Mozilla",),
        "X-A": ("1", "2"),
        "Host": (),
    }


@pytest.mark.row("A25")
@pytest.mark.parametrize("to", ["ops@example.com", ["ops@example.com"]])
def test_a_single_receiver_is_a_list_of_one(read: Read, to: object) -> None:
    fields = {"from": "a@example.com", "to": to}
    config = read({"notifiers": [{"type": "mail", **fields}, {"type": "mailgun", **fields}]})
    assert config.notifiers == (
        MailSettings(from_="a@example.com", to=("ops@example.com",)),
        MailgunSettings(from_="a@example.com", to=("ops@example.com",)),
    )


@pytest.mark.row("A27")
def test_a_missing_file_is_said_as_the_go_program_says_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, path in ((None, "checkup.json"), ("my.json", "my.json")):
        with pytest.raises(ConfigError) as caught:
            load(name, KINDS, {})
        (problem,) = caught.value.problems
        assert problem.text == f"open {path}: no such file or directory"
        assert str(caught.value).startswith(problem.text)


@pytest.mark.row("A28")
def test_mail_has_a_usual_port_and_subject(read: Read) -> None:
    config = read({"notifier": {"type": "mail", "subject": "  ", "smtp": {"server": "mx"}}})
    (mail,) = config.notifiers
    assert isinstance(mail, MailSettings)
    assert mail.subject == "Checkup: Service Unavailable"
    assert (mail.smtp.server, mail.smtp.port) == ("mx", 25)


@pytest.mark.row("A29")
def test_appinsights_refuses_a_missing_key_and_negative_numbers(refuse: Refuse) -> None:
    problems = refuse(
        {
            "storage": {
                "type": "appinsights",
                "max_retries": -1,
                "retry_interval": -1,
                "timeout": -1,
            }
        }
    )
    assert sorted(problem.key for problem in problems) == [
        "storage.instrumentation_key",
        "storage.max_retries",
        "storage.retry_interval",
        "storage.timeout",
    ]


EVERYTHING: list[tuple[str, dict[str, Any]]] = [
    ("checkers", {**HTTP, "up_status": 301, "threshold_rtt": 1_000_000, "must_contain": "a",
                  "must_not_contain": "b", "attempts": 2, "attempt_spacing": 1_000_000,
                  "headers": {"A": ["b"]}}),
    ("checkers", {"type": "tcp", "endpoint_name": "n", "endpoint_url": "h:1", "tls": True,
                  "tls_skip_verify": True, "tls_ca_file": "ca.pem", "timeout": 2_000_000,
                  "threshold_rtt": 1_000_000, "attempts": 1}),
    ("checkers", {"type": "dns", "endpoint_name": "n", "endpoint_url": "h:53",
                  "hostname_fqdn": "a.", "timeout": 2_000_000, "threshold_rtt": 1_000_000,
                  "attempts": 1}),
    ("checkers", {"type": "tls", "endpoint_name": "n", "endpoint_url": "h:443",
                  "timeout": 2_000_000, "cert_expiry_threshold": -1, "trusted_roots": ["a.pem"],
                  "threshold_rtt": 1_000_000, "attempts": 1}),
    ("checkers", {"type": "exec", "name": "n", "command": "c", "arguments": ["a"],
                  "threshold_rtt": 1_000_000, "must_contain": "a", "must_not_contain": "b",
                  "raise": "warn", "attempts": 1, "attempt_spacing": 1_000_000}),
    ("storage", {"type": "s3", "access_key_id": "env:A", "secret_access_key": "env:B",
                 "region": "r", "bucket": "b", "check_expiry": 1_000_000}),
    ("storage", {"type": "fs", "dir": "d", "url": "u", "check_expiry": 1_000_000}),
    ("storage", {"type": "github", "access_token": "env:T", "repository_owner": "o",
                 "repository_name": "n", "committer_name": "c", "committer_email": "e",
                 "branch": "b", "dir": "d", "check_expiry": 1_000_000,
                 "commit_message_suffix": " "}),
    ("storage", {"type": "mysql", "dsn": "env:D", "create": True, "check_expiry": 1_000_000}),
    ("storage", {"type": "postgres", "dsn": "env:D", "create": True, "check_expiry": 1_000_000}),
    ("storage", {"type": "sqlite3", "dsn": "f.db", "create": True, "check_expiry": 1_000_000}),
    ("storage", {"type": "sql", "sqlite_db_file": "f.db", "check_expiry": 1_000_000}),
    ("storage", {"type": "appinsights", "instrumentation_key": "env:K", "test_location": "l",
                 "tags": {"a": "b"}, "max_retries": 1, "retry_interval": 1, "timeout": 1}),
    ("notifiers", SLACK),
    ("notifiers", {"type": "discord", "webhook": "env:W"}),
    ("notifiers", {"type": "mail", "from": "a@b.c", "to": ["b@b.c"], "subject": "s",
                   "smtp": {"server": "s", "port": 465, "username": "u", "password": "env:P"}}),
    ("notifiers", {"type": "mailgun", "from": "a@b.c", "to": ["b@b.c"], "subject": "s",
                   "apikey": "env:K", "domain": "d"}),
    ("notifiers", {"type": "pushover", "token": "env:T", "recipient": "env:R", "subject": "s"}),
]  # fmt: skip


@pytest.mark.row("A26", "A30")
@pytest.mark.parametrize(
    ("section", "fields"), EVERYTHING, ids=[f"{fields['type']}" for _, fields in EVERYTHING]
)
def test_every_type_loads_with_every_field(
    read: Read, section: str, fields: dict[str, Any]
) -> None:
    config = read({section: fields if section == "storage" else [fields]})
    assert config.warnings == ()
    found = config.storage if section == "storage" else getattr(config, section)[0]
    assert found is not None
    assert found.kind == fields["type"]
    for key, value in fields.items():
        if key not in {"type", "smtp"}:
            read_as = getattr(found, {"from": "from_", "raise": "raise_"}.get(key, key))
            assert json.loads(json.dumps(read_as)) == value
