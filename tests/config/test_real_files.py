"""What real configuration files do that no documentation mentions, one test per case."""

from __future__ import annotations

from typing import Any

import pytest

from checkup.checkers.dns import DnsChecker
from checkup.checkers.http import HttpChecker
from checkup.checkers.tcp import TcpChecker
from checkup.notifiers import NOTIFIERS
from checkup.notifiers.mailgun import MailgunSettings
from checkup.notifiers.slack import SlackSettings
from checkup.storage.folder import FolderSettings
from checkup.storage.sql import SqlSettings
from tests.config.world import Read, Refuse

HTTP = {"type": "http", "endpoint_name": "Site", "endpoint_url": "http://localhost"}
TCP = {"type": "tcp", "endpoint_name": "Port", "endpoint_url": "localhost:80"}


def one(checker: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"checkers": [{**checker, **fields}]}


def test_case_01_provider_is_the_old_type_and_type_wins(read: Read) -> None:
    assert read({"storage": {"provider": "fs"}}).storage == FolderSettings()
    assert read({"storage": {"provider": "x", "type": "fs"}}).storage == FolderSettings()


def test_case_02_name_is_the_old_type_of_a_notifier(read: Read) -> None:
    for form in ({"notifier": {"name": "slack"}}, {"notifiers": [{"name": "slack"}]}):
        assert read(form).notifiers == (SlackSettings(),)


def test_case_03_old_and_new_spellings_mix_freely(read: Read) -> None:
    config = read({"notifier": {"type": "slack"}, "storage": {"type": "fs", "dir": "d"}})
    assert config.notifiers == (SlackSettings(),)
    assert config.storage == FolderSettings(dir="d")


def test_case_04_a_notifier_with_an_empty_name_is_none_with_a_warning(read: Read) -> None:
    config = read({"notifier": {"name": "", "webhook": "x"}})
    assert config.notifiers == ()
    (warning,) = config.warnings
    assert (warning.key, warning.text) == ("notifier", "has an empty name: no alert is sent")


def test_case_05_an_empty_webhook_loads_with_a_warning(read: Read) -> None:
    config = read({"notifier": {"type": "slack", "webhook": ""}})
    assert config.notifiers == (SlackSettings(webhook=""),)
    assert [(problem.key, problem.text) for problem in config.warnings] == [
        ("notifier", 'cannot be used without "webhook" or "token"'),
        ("notifier.webhook", "is empty"),
    ]


def test_case_06_any_webhook_host_and_channel_is_taken_as_it_is(read: Read) -> None:
    fields: Any = {
        "username": "123:abc",
        "channel": "http://x/(ignored)",
        "webhook": "https://d/slack",
    }
    assert read({"notifier": {"type": "slack", **fields}}).notifiers == (SlackSettings(**fields),)


@pytest.mark.parametrize(
    ("text", "seconds"), [("2s", 2), ("5s", 5), ("15s", 15), ("30m", 1800), ("100ms", 0.1)]
)
def test_case_07_durations_are_texts(read: Read, text: str, seconds: float) -> None:
    config = read({**one(TCP, timeout=text), "storage": {"type": "fs", "check_expiry": text}})
    assert config.checkers[0].timeout == seconds * 1_000_000_000
    assert config.storage == FolderSettings(check_expiry=round(seconds * 1_000_000_000))


def test_case_08_a_number_meant_as_seconds_is_nanoseconds_with_a_warning(read: Read) -> None:
    config = read(one(TCP, timeout=2))
    assert config.checkers[0].timeout == 2
    (warning,) = config.warnings
    assert warning.text == "2 means 2 nanoseconds"
    assert warning.fix == 'for seconds write "2s"'


def test_case_09_early_names_of_tls_keys_weaken_nothing(read: Read) -> None:
    config = read(one(TCP, tls=True, tls_verify=False, tls_cafile="ca.pem"))
    (checker,) = config.checkers
    assert isinstance(checker, TcpChecker)
    assert (checker.tls, checker.tls_skip_verify, checker.tls_ca_file) == (True, False, "")
    assert [(problem.key.rpartition(".")[2], problem.fix) for problem in config.warnings] == [
        ("tls_verify", "remove it"),
        ("tls_cafile", 'did you mean "tls_ca_file"?'),
    ]


def test_case_10_a_name_without_its_final_dot_loads_unchanged(read: Read) -> None:
    config = read(one({"type": "dns", "endpoint_url": "h:53"}, hostname_fqdn="host.example.com"))
    assert config.checkers == (
        DnsChecker(endpoint_url="h:53", hostname_fqdn="host.example.com", id=config.checkers[0].id),
    )
    assert [problem.text for problem in config.warnings] == [
        "has no name, by which alerts and the page call it"
    ]


def test_case_11_trailing_commas_are_a_warning_with_their_place(read: Read) -> None:
    config = read(
        '{"checkers": [\n{"type": "tcp", "endpoint_name": "a",\n "endpoint_url": "h:1",\n},\n],}'
    )
    assert [checker.endpoint for checker in config.checkers] == ["h:1"]
    (warning,) = config.warnings
    assert (warning.line, warning.column) == (3, 23)
    assert "trailing comma" in warning.text


def test_case_12_comments_are_a_warning_and_slashes_in_texts_survive(read: Read) -> None:
    checker = '{"type": "http", "endpoint_name": "a", "endpoint_url": "http://a/*b*/"}'
    text = f'{{"checkers": [ // here\n {checker} /* x\n*/ ]}}'
    config = read(text)
    assert config.checkers[0].endpoint == "http://a/*b*/"
    (warning,) = config.warnings
    assert (warning.line, warning.column) == (1, 16)


def test_case_13_text_after_a_text_is_refused_with_its_place(refuse: Refuse) -> None:
    secret = "WEBHOOK"
    (problem,) = refuse('{"notifier": {"type": "slack",\n "webhook": "' + secret + '"/slack"}}')
    assert (problem.line, problem.column, problem.key) == (2, 22, "notifier")
    assert secret not in str(problem)


def test_case_14_a_list_of_checkers_is_not_a_configuration(refuse: Refuse) -> None:
    (problem,) = refuse([HTTP])
    assert "expected an object with a list of checkers" in problem.text


def test_case_15_swapped_name_and_address_load(read: Read) -> None:
    config = read(one({"type": "tcp", "endpoint_name": "h:1", "endpoint_url": "My Company"}))
    assert (config.checkers[0].title, config.checkers[0].endpoint) == ("h:1", "My Company")
    (warning,) = config.warnings
    assert (warning.key, warning.text) == ("checkers[0].endpoint_url", "missing port in address")


def test_case_16_sql_with_a_postgresql_block_loads_with_its_six_fields(read: Read) -> None:
    block = {"host": "db", "port": 5433, "user": "u", "password": "env:P", "dbname": "d",
             "sslmode": "disable"}  # fmt: skip
    storage = read({"storage": {"provider": "sql", "postgresql": block}}).storage
    assert isinstance(storage, SqlSettings)
    assert {key: getattr(storage.postgresql, key) for key in block} == block


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "no configured database backend"),
        ({"sqlite_db_file": "f", "postgresql": {"user": "u", "dbname": "d"}}, "several SQL"),
        ({"postgresql": {"user": "u"}}, "missing PostgreSQL database name"),
        ({"postgresql": {"dbname": "d"}}, "missing PostgreSQL username"),
    ],
)
def test_case_16_a_contradictory_sql_storage_is_refused(
    refuse: Refuse, fields: dict[str, Any], said: str
) -> None:
    (problem,) = refuse({"storage": {"type": "sql", **fields}})
    assert said in problem.text
    assert problem.key.startswith("storage")


def test_case_17_no_storage_is_no_problem(read: Read) -> None:
    config = read(one(HTTP))
    assert config.storage is None
    assert config.warnings == ()


def test_case_18_gos_zero_time_is_no_time(read: Read) -> None:
    assert read({"timestamp": "0001-01-01T00:00:00Z"}).timestamp == 0


@pytest.mark.parametrize("number", [1, 100])
def test_case_19_concurrency_is_taken_as_configured(read: Read, number: int) -> None:
    assert read({"concurrent_checks": number}).concurrency == number


def test_case_20_headers_are_lists_or_texts(read: Read) -> None:
    for value in (["Mozilla"], "Mozilla"):
        (checker,) = read(one(HTTP, headers={"User-Agent": value})).checkers
        assert isinstance(checker, HttpChecker)
        assert checker.headers == {"User-Agent": ("Mozilla",)}


@pytest.mark.parametrize("code", [301, 307, 404, 452, 500])
def test_case_21_any_status_may_be_up(read: Read, code: int) -> None:
    (checker,) = read(one(HTTP, up_status=code)).checkers
    assert isinstance(checker, HttpChecker)
    assert checker.up_status == code


def test_case_22_two_checkers_may_have_one_name(read: Read) -> None:
    config = read({"checkers": [HTTP, {**HTTP, "endpoint_url": "http://other"}]})
    assert [checker.title for checker in config.checkers] == ["Site", "Site"]
    assert len({checker.id for checker in config.checkers}) == 2
    assert [problem.key for problem in config.warnings] == ["checkers[1]"]


def test_case_23_fields_of_forks_are_warnings(read: Read) -> None:
    fork = {"up_status_range": [200, 299], "count": 3, "every": "5s"}
    document = one(HTTP, **fork, tags={"owner": "me"})
    config = read({**document, "storage": {"type": "fs", "filename": "latest.json"}})
    assert [problem.key for problem in config.warnings] == [
        "checkers[0].up_status_range",
        "checkers[0].count",
        "checkers[0].every",
        "checkers[0].tags",
        "storage.filename",
    ]
    assert config.checkers[0].tags == ()


def test_case_24_unknown_top_level_keys_are_warnings(read: Read) -> None:
    (warning,) = read({"notifierstatus": {"a": 1}}).warnings
    assert warning.key == "notifierstatus"


@pytest.mark.parametrize("kind", ["kpnsms", "prometheus", "telegram", "msteams", "webapi"])
def test_case_25_35_unknown_notifiers_are_refused_with_the_known_ones(
    refuse: Refuse, kind: str
) -> None:
    (problem,) = refuse({"notifier": {"name": kind, "token": "s3cret-token"}})
    assert problem.text == f"unknown notifier type: {kind}"
    assert problem.fix.endswith(f"known types: {', '.join(sorted(NOTIFIERS))}")
    assert "s3cret" not in str(problem)


@pytest.mark.parametrize("kind", ["icmp", "ethledger", "https", "backup:s3"])
def test_case_26_35_unknown_checkers_are_refused_by_index_name_and_type(
    refuse: Refuse, kind: str
) -> None:
    (problem,) = refuse({"checkers": [HTTP, {"type": kind, "endpoint_name": "Mine"}]})
    assert problem.key == "checkers[1].type"
    assert problem.text == f'unknown checker type: {kind} ("Mine")'


def test_case_27_order_and_white_space_do_not_matter(read: Read) -> None:
    text = '{"storage":{"url":"","dir":"d","provider":"fs"},"checkers":[]}'
    assert read(text).storage == FolderSettings(dir="d")


def test_case_28_an_empty_dir_is_the_working_directory_with_a_warning(read: Read) -> None:
    config = read({"storage": {"type": "fs", "dir": ""}})
    assert config.storage == FolderSettings()
    assert [(problem.key, problem.text) for problem in config.warnings] == [
        ("storage.dir", "is empty: the working directory is used")
    ]


def test_case_29_a_relative_dir_stays_relative(read: Read) -> None:
    assert read({"storage": {"type": "fs", "dir": "./logs"}}).storage == FolderSettings(
        dir="./logs"
    )


@pytest.mark.parametrize(
    "text",
    ["(by <@elimisteve>)", "<title>Wiki</title>", "{ a }", "#système", "a | b", "[x]", " padded "],
)
def test_case_30_texts_are_taken_as_they_are(read: Read, text: str) -> None:
    (checker,) = read(one(HTTP, endpoint_name=text, must_contain=text)).checkers
    assert isinstance(checker, HttpChecker)
    assert (checker.title, checker.must_contain) == (text, text)


def test_case_32_placeholders_load(read: Read) -> None:
    storage = {"type": "s3", "access_key_id": "<yours>", "secret_access_key": "HIDDEN"}
    config = read({"storage": storage})
    assert getattr(config.storage, "access_key_id", "") == "<yours>"
    assert all("yours" not in str(problem) for problem in config.warnings)


def test_case_33_a_single_receiver_of_mailgun_is_a_list(read: Read) -> None:
    config = read({"notifier": {"type": "mailgun", "to": "a@b"}})
    assert config.notifiers == (MailgunSettings(to=("a@b",)),)


def test_case_34_a_notifier_without_type_or_name_is_refused(refuse: Refuse) -> None:
    (problem,) = refuse({"notifiers": [{"from": "a", "to": ["b"]}]})
    assert problem.text == "notifier has no type"
    assert problem.fix == f'add "type": one of {", ".join(sorted(NOTIFIERS))}'


def test_case_36_a_missing_comma_is_refused_with_its_place(refuse: Refuse) -> None:
    (problem,) = refuse('{"storage": {\n "type": "fs"\n "dir": "d"}}')
    assert (problem.line, problem.column, problem.key) == (3, 2, "storage")
    assert problem.text == "expected a comma or }"


def test_several_problems_are_reported_together_in_the_order_of_the_file(refuse: Refuse) -> None:
    problems = refuse(
        {
            "storage": {"type": "fs", "check_expiry": "soon"},
            "checkers": [
                {"type": "htp", "endpoint_name": "A"},
                {**HTTP, "attempts": "3", "must_contain": 5, "headers": {"A": [1]}},
            ],
            "notifiers": [{"type": "slack", "webhook": 5}],
        }
    )
    assert [problem.key for problem in problems] == [
        "storage.check_expiry",
        "checkers[0].type",
        "checkers[1].attempts",
        "checkers[1].must_contain",
        "checkers[1].headers.A[0]",
        "notifiers[0].webhook",
    ]
