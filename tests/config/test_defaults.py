"""What a checker inherits, and what the environment fills in."""

from __future__ import annotations

from typing import Any

import pytest

from checkup.notifiers.slack import SlackSettings
from checkup.times import SECOND
from tests.config.world import Read, Refuse


def http(**fields: Any) -> dict[str, Any]:
    return {"type": "http", "endpoint_name": "A", "endpoint_url": "http://a", **fields}


def test_the_nearest_value_wins(read: Read) -> None:
    config = read(
        {
            "timeout": "1s",
            "recheck": 0,
            "remind_every": "1h",
            "groups": [{"name": "slow", "timeout": "2s", "recheck": 1, "interval": "5m"}],
            "checkers": [
                http(endpoint_name="own", group="slow", timeout="3s"),
                http(endpoint_name="group", group="slow", recheck=None),
                http(endpoint_name="file"),
            ],
        }
    )
    own, group, file = config.checkers
    assert [own.timeout, group.timeout, file.timeout] == [3 * SECOND, 2 * SECOND, SECOND]
    assert [own.recheck, group.recheck, file.recheck] == [1, 1, 0]
    assert [own.remind_every, file.remind_every] == [3600 * SECOND] * 2
    assert [own.interval, file.interval] == [300 * SECOND, 0]
    assert own.failure_threshold == 1
    assert config.groups[0].name == "slow"
    assert config.warnings == ()


def test_limits_hold_wherever_a_value_is_written(refuse: Refuse) -> None:
    problems = refuse(
        {
            "recheck": 6,
            "groups": [{"name": "g", "failure_threshold": 0}],
            "checkers": [http(recheck=-1)],
        }
    )
    assert [(problem.key, problem.text) for problem in problems] == [
        ("recheck", "must be at most 5"),
        ("groups[0].failure_threshold", "must be at least 1"),
        ("checkers[0].recheck", "must be at least 0"),
    ]


def test_the_environment_fills_in_texts(read: Read) -> None:
    url = "https://${HOST}:${PORT:-8443}/$${x}/${EMPTY:-}${1}"
    config = read({"checkers": [http(endpoint_url=url)]}, HOST="example.com", EMPTY="")
    assert config.checkers[0].endpoint == "https://example.com:8443/${x}/${1}"
    assert config.masked_values == ("example.com",)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("${A}", "x"),
        ("${E}", ""),
        ("${E:-d}", "d"),
        ("${E-d}", ""),
        ("${N-d}", "d"),
        ("${N:-${M:-${A}}}", "x"),
        ("${N:-a${A}b}c", "axbc"),
        ("${N:-$${q}}", "${q}"),
        ("${A:?message}", "x"),
        ("${E?message}", ""),
        ("$${A}${A}", "${A}x"),
        ("${N:-}", ""),
    ],
)
def test_variables_have_the_forms_of_a_shell(read: Read, written: str, text: str) -> None:
    config = read({"page": {"title": written}}, A="x", E="")
    assert config.page.title == text
    assert config.warnings == ()


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("${N:?the host of the shop}", "variable N is not set: the host of the shop"),
        ("${E:?set ${A}}", "variable E is empty: set ***"),
        ("${N?}", "variable N is not set"),
    ],
)
def test_required_variable_without_a_value_is_an_error_with_its_message(
    refuse: Refuse, written: str, text: str
) -> None:
    (problem,) = refuse({"page": {"title": written}}, A="canary", E="")
    assert problem.text == f"environment {text}"


@pytest.mark.parametrize(
    "written", ["${", "${A", "${1}", "${A:+x}", "${A,,}", "${a.b}", "${A:-x", "${A:-${B}", "$HOME"]
)
def test_form_that_is_not_expanded_stays_as_it_is_with_a_warning(read: Read, written: str) -> None:
    config = read({"page": {"title": written}}, A="", B="b")
    assert config.page.title.startswith(written[:2])
    (warning,) = config.warnings
    assert (warning.key, "stays as it is" in warning.text) == ("page.title", True)
    assert "${" in warning.fix


def test_defaults_nest_only_so_deep(read: Read) -> None:
    deep = "${N:-" * 5000 + "}" * 5000
    assert read({"page": {"title": deep}}).page.title.startswith("${N:-")


def test_a_value_of_the_environment_is_whatever_the_key_asks_for(read: Read) -> None:
    config = read(
        {"checkers": [http(attempts="${N}", hidden="${YES}", timeout="${T}")]},
        N="3", YES="true", T="5s",
    )  # fmt: skip
    (checker,) = config.checkers
    assert (checker.attempts, checker.hidden, checker.timeout) == (3, True, 5 * SECOND)


def test_a_missing_variable_is_named(refuse: Refuse) -> None:
    (problem,) = refuse({"checkers": [http(endpoint_url="https://${HOTS}/")]})
    assert problem.key == "checkers[0].endpoint_url"
    assert problem.text == "environment variable HOTS is not set"
    assert "${HOTS:-default}" in problem.fix


def test_keys_that_are_not_read_need_no_variables(read: Read) -> None:
    config = read({"x-notes": "${NOTHING}", "colour": "${NOTHING}"})
    assert [problem.key for problem in config.warnings] == ["colour"]


@pytest.mark.parametrize(
    "value", ["ssm:/checkup/hook", "secretsmanager:hook", "env:HOOK", "file:h"]
)
def test_references_to_secrets_are_kept_as_they_are(read: Read, value: str) -> None:
    config = read({"notifier": {"type": "slack", "webhook": value}})
    assert config.notifiers == (SlackSettings(webhook=value),)
    assert config.warnings == ()


def test_a_secret_in_clear_is_a_warning_that_does_not_show_it(read: Read) -> None:
    config = read(
        {
            "notifier": {"type": "slack", "webhook": "https://hooks/T0/canary"},
            "checkers": [http(endpoint_url="https://user:canary@host/")],
        }
    )
    assert [problem.text for problem in config.warnings] == [
        "secret in plain text",
        "password in plain text",
    ]
    assert all("canary" not in str(problem) for problem in config.warnings)


def test_a_secret_of_the_environment_is_masked_and_no_warning(read: Read) -> None:
    config = read({"notifier": {"type": "slack", "webhook": "${HOOK}"}}, HOOK="https://hooks/T0")
    assert config.notifiers == (SlackSettings(webhook="https://hooks/T0"),)
    assert config.masked_values == ("https://hooks/T0",)
    assert config.warnings == ()


@pytest.mark.parametrize(
    "document",
    [
        {"storage": {"type": "${CANARY}"}},
        {"reference_targets": "${CANARY}", "checkers": [http()]},
        {"groups": ["g"], "checkers": [http(group="${CANARY}")]},
        {"groups": ["${CANARY}", "${CANARY}"]},
        {"checkers": [http(id="${CANARY}"), http(id="${CANARY}")]},
        {"page": {"theme": "${CANARY}"}},
        {"interval": "${CANARY}"},
    ],
    ids=["type", "checker", "group", "groups", "ids", "choice", "duration"],
)
def test_no_problem_shows_a_value_of_the_environment(
    refuse: Refuse, document: dict[str, Any]
) -> None:
    problems = refuse(document, CANARY="s3cret-value")

    assert problems
    assert all("s3cret-value" not in str(problem) for problem in problems)


def test_the_page_is_configured_as_the_old_page_was(read: Read) -> None:
    config = read(
        {
            "page": {
                "title": "Status of us",
                "url": "https://status.example.com",
                "links": [{"title": "Home", "url": "https://example.com"}],
                "theme": "dark",
                "timeframe": 3600 * SECOND,
                "refresh_interval": 30,
                "status_text": {"healthy": "Fine"},
                "languages": "ko",
            }
        }
    )
    page = config.page
    assert (page.title, page.theme, page.languages) == ("Status of us", "dark", ("ko",))
    assert (page.timeframe, page.refresh_interval) == (3600 * SECOND, 30)
    assert (page.status_text.healthy, page.status_text.down) == ("Fine", "")
    assert page.links[0].title == "Home"
    assert read({"page": {"refresh_interval": "2m"}}).page.refresh_interval == 120


def test_page_settings_are_refused_one_by_one(refuse: Refuse) -> None:
    problems = refuse(
        {"page": {"theme": "drak", "links": [{"title": "x"}], "refresh_interval": -1}}
    )
    assert [(problem.key, problem.text) for problem in problems] == [
        ("page.theme", "must be one of auto, light, dark"),
        ("page.links[0].url", "is required"),
        ("page.refresh_interval", "must be at least 0"),
    ]
    assert problems[0].fix == 'did you mean "dark"?'


def test_maintenance_has_a_beginning_and_an_end(read: Read, refuse: Refuse) -> None:
    start = "2026-01-31T18:00:00Z"
    config = read({"maintenance": [{"title": "Move", "start": start, "duration": "2h"}]})
    assert config.maintenance[0].duration == 7200 * SECOND
    problems = refuse(
        {"maintenance": [{"title": "Move"}, {"start": start}, {"start": start, "end": start}]}
    )
    assert [(problem.key, problem.text) for problem in problems] == [
        ("maintenance[0].start", "is required"),
        ("maintenance[1]", "must have either end or duration"),
        ("maintenance[2].end", "end must be after start"),
    ]


def test_maintenance_names_checkers_by_title_or_id_and_groups_that_there_are(
    read: Read, refuse: Refuse
) -> None:
    times = {"start": "2026-01-31T18:00:00Z", "duration": "2h"}
    checkers = [
        {"type": "http", "endpoint_name": "Web Shop", "group": "shop"},
        {"type": "http", "endpoint_name": "Blog", "id": "words"},
    ]
    known = {**times, "checkers": ["web shop", "words"], "groups": ["shop"]}
    [maintenance] = read({"checkers": checkers, "maintenance": [known]}).maintenance
    assert maintenance.checkers == ("web-shop", "words")

    unknown = {**times, "checkers": ["web-shop", "word"], "groups": ["shopp"]}
    problems = refuse({"checkers": checkers, "maintenance": [times, unknown]})
    assert [(problem.key, problem.text, problem.fix) for problem in problems] == [
        ("maintenance[1].checkers", 'there is no checker "word"', 'did you mean "words"?'),
        ("maintenance[1].groups", 'there is no group "shopp"', 'did you mean "shop"?'),
    ]


def test_maintenance_comes_again_by_a_rule_in_a_zone(read: Read, refuse: Refuse) -> None:
    times = {"start": "2026-01-31T18:00:00Z", "end": "2026-01-31T20:00:00Z"}
    again = {"repeat": "FREQ=WEEKLY;BYDAY=SA", "timezone": "Europe/Berlin", "groups": ["shop"]}
    groups = [{"name": "shop"}]
    window = read({"groups": groups, "maintenance": [{**times, **again}]}).maintenance[0].window
    assert (window.duration, window.timezone) == (7200 * SECOND, "Europe/Berlin")
    assert window.end_at(window.start + 7 * 86_400 * SECOND) == window.start + 612_000 * SECOND
    problems = refuse(
        {"maintenance": [{**times, "repeat": "weekly"}, {**times, "timezone": "Berlin"}]}
    )
    assert [problem.key for problem in problems] == [
        "maintenance[0].repeat",
        "maintenance[1].timezone",
    ]
    assert problems[0].text.startswith('repeat has the part "WEEKLY"; what is understood is FREQ,')
    assert problems[1].text == 'unknown time zone "Berlin"'
    assert problems[1].fix == 'use a name like "Europe/Berlin"'


@pytest.mark.parametrize(
    ("written", "means"),
    [(None, "majority"), ("all", "all"), ("any", "any"), (2, "2"), ("3", "3")],
)
def test_quorum_is_a_word_or_a_number(read: Read, written: object, means: str) -> None:
    assert read({"quorum": written}).quorum == means


@pytest.mark.parametrize("written", ["most", 0, -1, 1.5, True, [2], ""])
def test_quorum_is_nothing_else(refuse: Refuse, written: object) -> None:
    (problem,) = refuse({"quorum": written})
    assert (problem.key, problem.fix) == (
        "quorum",
        "write majority, all, any or a number of regions",
    )


def test_runs_take_some_time(refuse: Refuse) -> None:
    problems = refuse({"interval": 0, "run_deadline": "0s"})
    assert [problem.text for problem in problems] == ["must be greater than 0"] * 2
