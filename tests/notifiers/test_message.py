"""The words of an alert, the same in all channels."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from checkup.model import Alert, AlertKind, Status
from checkup.notifiers import message
from checkup.notifiers.message import (
    PLAIN,
    ChannelFormat,
    Fact,
    alert_list,
    delivery_prefix,
    facts,
    headline,
    latest_alerts,
    short_id,
    summary,
)
from checkup.times import SECOND
from tests.notifiers.stories import BACK, DOWN, NIGHT, many, notification

LATER = NIGHT + 3 * 3600 * SECOND
MONITOR: dict[str, Any] = {
    "checker": "",
    "title": "Checkup",
    "status": Status.UNKNOWN,
    "previous_status": Status.UNKNOWN,
    "endpoint": "",
    "region": "",
}


def of(kind: AlertKind, **more: Any) -> Alert:
    return replace(DOWN, id=f"user-service/{kind}:x/1/{LATER}", kind=kind, slot=LATER, **more)


@pytest.mark.parametrize(
    ("alert", "sentence"),
    [
        (DOWN, "User service is down since 02:53 UTC: connection refused"),
        (BACK, "User service recovered at 04:16 UTC after 1 h 23 min"),
        (of(AlertKind.REMIND), "User service is still down after 3 h: connection refused"),
        (
            of(AlertKind.CHANGE, previous_status=Status.DEGRADED),
            "User service is down since 02:53 UTC (was degraded): connection refused",
        ),
        (
            of(AlertKind.FLAPPING),
            "User service is flapping (frequent state changes), currently down: connection refused",
        ),
        (
            of(AlertKind.FLAPPING_ENDED, status=Status.HEALTHY, reason=""),
            "User service is no longer flapping, healthy since 02:53 UTC",
        ),
        (
            of(AlertKind.NOT_MONITORED, status=Status.UNKNOWN, reason="no such program"),
            "User service cannot be checked: no such program",
        ),
        (
            of(AlertKind.MONITORED_AGAIN, status=Status.HEALTHY, reason=""),
            "User service can be checked again, currently healthy",
        ),
        (
            of(AlertKind.MISSED_RUNS, **{**MONITOR, "reason": "no run took place"}),
            "Checkup: no run took place (3 h from 02:53 UTC)",
        ),
        (of(AlertKind.STATE_REBUILT, **{**MONITOR, "reason": "rebuilt"}), "Checkup: rebuilt"),
        (
            of(AlertKind.INCONCLUSIVE, **{**MONITOR, "reason": "our network"}),
            "Checkup: our network",
        ),
        (of(AlertKind.TEST, **{**MONITOR, "reason": "a test"}), "Checkup: a test"),
        (
            replace(DOWN, previous_status=Status.UNKNOWN),
            "User service is down since 02:53 UTC (no successful check yet): connection refused",
        ),
        (
            replace(BACK, status=Status.UNKNOWN),
            "User service is no longer monitored (was down since 02:53 UTC)",
        ),
        (
            replace(DOWN, suppressed_dependents=("Web",)),
            "User service is down since 02:53 UTC: connection refused; 1 dependent check affected",
        ),
        (
            replace(DOWN, suppressed_dependents=("Web", "API")),
            "User service is down since 02:53 UTC: connection refused; 2 dependent checks affected",
        ),
    ],
)
def test_headline_of_each_kind_of_alert(alert: Alert, sentence: str) -> None:
    assert headline(alert) == sentence
    assert summary(notification(alert)) == sentence


@pytest.mark.parametrize("kind", list(AlertKind))
@pytest.mark.parametrize("status", list(Status))
def test_every_kind_and_status_has_a_headline(kind: AlertKind, status: Status) -> None:
    alert = of(kind, status=status)

    assert headline(alert).startswith("User service")
    assert summary(notification(alert, *many(1)))
    assert facts(alert)


@pytest.mark.row("114")
@pytest.mark.parametrize(
    ("more", "label"),
    [
        ({}, ""),
        ({"delay_ns": 599 * SECOND}, ""),
        ({"delay_ns": 21_720 * SECOND}, "Delayed by 6 h 2 min: "),
        ({"possible_duplicate": True}, "Possible duplicate: "),
        (
            {"possible_duplicate": True, "delay_ns": 600 * SECOND},
            "Possible duplicate, delayed by 10 min: ",
        ),
    ],
    ids=["in-time", "a-little-late", "late", "repeat", "late-repeat"],
)
def test_prefix_marks_late_and_repeated_messages(more: dict[str, Any], label: str) -> None:
    assert delivery_prefix(notification(DOWN, **more)) == label


def test_summary_puts_the_worst_first_and_the_monitor_last() -> None:
    alerts = [
        of(AlertKind.MISSED_RUNS, **{**MONITOR, "reason": "no run took place"}),
        replace(BACK, checker="b", title="B"),
        replace(of(AlertKind.NOT_MONITORED), checker="c", title="C", status=Status.UNKNOWN),
        replace(of(AlertKind.REMIND), checker="d", title="D"),
        *many(2),
    ]

    assert summary(notification(*alerts)) == (
        "1 still down: D; 2 down: Service 0, Service 1; 1 recovered: B; "
        "1 cannot be checked: C; 1 monitoring notice: Checkup"
    )


def test_notices_of_the_monitor_do_not_replace_each_other() -> None:
    gap = of(AlertKind.MISSED_RUNS, **MONITOR)
    rebuilt = of(AlertKind.STATE_REBUILT, **MONITOR)

    assert latest_alerts([gap, rebuilt]) == [gap, rebuilt]


def test_suppressed_dependents_are_named() -> None:
    facts = message.facts(replace(DOWN, suppressed_dependents=tuple("ABCDEFG")))

    assert Fact("Affected", "A, B, C, D, E and 2 more") in facts


@pytest.mark.parametrize("room", [100, 300, 1000, 5000])
def test_list_fits_into_its_length(room: int) -> None:
    lines = alert_list(many(200), PLAIN, room)

    assert len("\n".join(lines)) <= room
    shown = len(lines) - 1
    assert lines[-1] == f"… and {200 - shown} more"


@pytest.mark.parametrize("limit", [1, 2, 5, 6, 10, 100])
@pytest.mark.parametrize("text", ["", "a", "a<b", "<<<<<<<<<<", "🔥🔥🔥🔥🔥🔥", "é" * 50])
def test_escaped_text_keeps_the_limit_and_is_not_cut_inside_an_escape(
    text: str, limit: int
) -> None:
    style = ChannelFormat(
        escape=lambda character: {"<": "&lt;"}.get(character, character),
        length=lambda shown: len(shown.encode("utf-16-le")) // 2,
    )

    shown = style.escape_text(text, limit)

    assert style.length(shown) <= limit
    assert shown.removesuffix("…").replace("&lt;", "").count("&") == 0
    if style.length(text.replace("<", "&lt;")) <= limit:
        assert shown == text.replace("<", "&lt;")


@pytest.mark.parametrize(
    ("counts", "total", "alert", "end"),
    [
        ({Status.DOWN: 8, Status.HEALTHY: 5}, 13, DOWN, ". 8 of 13 are down"),
        ({Status.DOWN: 1, Status.HEALTHY: 12}, 13, DOWN, ". 1 of 13 is down"),
        ({Status.DOWN: 2, Status.DEGRADED: 3}, 13, BACK, ". 2 of 13 are down"),
        ({Status.DEGRADED: 1, Status.HEALTHY: 12}, 13, BACK, ". 1 of 13 is degraded"),
        ({Status.HEALTHY: 13}, 13, BACK, ". All 13 are healthy"),
        ({Status.HEALTHY: 12, Status.UNKNOWN: 1}, 13, BACK, ". None of 13 is down"),
        ({Status.DOWN: 1}, 1, DOWN, ""),
        ({}, 13, DOWN, ""),
        ({Status.HEALTHY: 13}, 13, of(AlertKind.TEST, **MONITOR), ""),
    ],
)
def test_summary_ends_with_how_much_is_down_in_all(
    counts: dict[Status, int], total: int, alert: Alert, end: str
) -> None:
    text = summary(notification(alert, total=total, status_counts=counts))

    assert text == headline(alert) + end


def test_each_checker_is_one_card_that_names_all_of_its_alerts() -> None:
    shown = message.cards([DOWN, *many(1), BACK])

    assert [(card.alert.checker, card.label) for card in shown] == [
        ("user-service", f"{short_id(DOWN)}, {short_id(BACK)}"),
        ("c0", short_id(many(1)[0])),
    ]
    assert len(alert_list([DOWN, *many(1), BACK])) == 2


def test_outage_that_comes_again_while_flapping_says_so() -> None:
    alert = of(AlertKind.CHANGE, previous_status=Status.DOWN)

    assert headline(alert) == "User service is down again since 02:53 UTC: connection refused"


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("UTC", "02:53 UTC"),
        ("Europe/Berlin", "04:53 CEST"),
        ("America/Sao_Paulo", "23:53 UTC-03"),
        ("Asia/Kathmandu", "08:38 UTC+0545"),
    ],
)
def test_times_are_in_the_time_zone_of_the_page(zone: str, text: str) -> None:
    said = notification(DOWN, timezone=zone)

    assert f"since {text}" in summary(said, PLAIN.adapt(said))
    assert text in "\n".join(message.body_lines([DOWN], PLAIN.adapt(said)))


@pytest.mark.parametrize(
    ("kind", "failure", "line"),
    [
        (AlertKind.INCIDENT, "resolved", "User service (incident, resolved): It is back."),
        (
            AlertKind.MAINTENANCE,
            "in progress",
            "User service (maintenance in progress, 02:53 UTC to 05:53 UTC): It is back.",
        ),
    ],
)
def test_what_people_write_is_announced_in_their_words(
    kind: AlertKind, failure: str, line: str
) -> None:
    about = {**MONITOR, "title": DOWN.title, "failure": failure, "reason": "It is back."}
    alert = of(kind, **about, since=LATER)

    said = notification(alert, status_counts={Status.DOWN: 3}, links={alert.id: "https://s/x"})

    assert summary(said) == line
    assert "Details: https://s/x" in message.body_lines([alert], PLAIN.adapt(said))
    assert message.details_url(said) == "https://s/x"


def test_message_that_could_not_be_recorded_says_so() -> None:
    label = delivery_prefix(notification(DOWN, not_recorded=True))

    assert label == "Not recorded, because the storage failed: "
