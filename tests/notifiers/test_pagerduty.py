"""What PagerDuty is sent, against its documentation restated here.

https://developer.pagerduty.com/docs/send-alert-event
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from msgspec.structs import replace

from checkup.errors import DeliveryUnknownError, NotDeliveredError
from checkup.model import Alert, AlertKind, Status
from checkup.notifiers.pagerduty import PagerdutySettings
from tests.notifiers.channels import BY_NAME, SECRET
from tests.notifiers.clients import RoutedClients
from tests.notifiers.sending import PAGE, sent
from tests.notifiers.stories import BACK, DOWN, LONG, SLOW, many, notification
from tests.servers.provider import Provider, Say


def check(event: Any) -> None:
    assert set(event) <= {
        *("routing_key", "event_action", "dedup_key", "payload", "client", "client_url"),
    }
    assert event["routing_key"] == SECRET
    assert event["event_action"] in {"trigger", "acknowledge", "resolve"}
    assert 0 < len(event["dedup_key"]) <= 255
    if event["event_action"] == "resolve":
        return
    payload = event["payload"]
    assert 0 < len(payload["summary"]) <= 1024
    assert payload["source"]
    assert payload["severity"] in {"critical", "error", "warning", "info"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", payload["timestamp"])
    assert len(json.dumps(event)) < 512 * 1024


@pytest.mark.parametrize(
    ("alert", "severity"), [(DOWN, "critical"), (SLOW, "warning")], ids=["down", "degraded"]
)
def test_outage_triggers(provider: Provider, alert: Alert, severity: str) -> None:
    request = sent(provider, "pagerduty", alert)

    assert request.path == "/events.pagerduty.com/v2/enqueue"
    event = request.json
    check(event)
    assert event["event_action"] == "trigger"
    assert event["dedup_key"] == "checkup/user-service/1"
    assert event["payload"]["severity"] == severity
    assert event["payload"]["source"] == "http://127.0.0.1:8000/?key=***"
    assert event["client_url"] == PAGE


def test_recovery_resolves_the_same_incident(provider: Provider) -> None:
    sent(provider, "pagerduty", DOWN, BACK)

    first, second = (request.json for request in provider.requests)
    check(first)
    check(second)
    assert [first["event_action"], second["event_action"]] == ["trigger", "resolve"]
    assert first["dedup_key"] == second["dedup_key"]


def test_repeat_is_the_same_event(provider: Provider) -> None:
    assert sent(provider, "pagerduty", DOWN) == sent(
        provider, "pagerduty", DOWN, possible_duplicate=True
    )


def test_long_texts_and_ids_are_cut_and_hashed(provider: Provider) -> None:
    long = replace(LONG, checker="x" * 400, id=f"{'x' * 400}/open:down/1/5")

    event = sent(provider, "pagerduty", long).json

    check(event)
    assert re.fullmatch(r"checkup/[0-9a-f]{64}", event["dedup_key"])


def test_notice_of_the_monitor_calls_nobody(provider: Provider) -> None:
    notice = replace(
        DOWN, id="/gap:unknown/0/5", checker="", kind=AlertKind.MISSED_RUNS, status=Status.UNKNOWN
    )

    request = sent(provider, "pagerduty", notice)

    assert request.path == "/events.pagerduty.com/v2/change/enqueue"
    assert set(request.json) == {"routing_key", "payload"}
    assert set(request.json["payload"]) == {"summary", "source", "timestamp", "custom_details"}


def test_flapping_is_an_incident_of_its_own(provider: Provider) -> None:
    begun = replace(DOWN, id="user-service/flapping:down/1/6", kind=AlertKind.FLAPPING)
    over = replace(begun, id="user-service/settled:down/1/7", kind=AlertKind.FLAPPING_ENDED)

    sent(provider, "pagerduty", DOWN, begun, over)

    found = [
        (r.json["dedup_key"].removeprefix("checkup/user-service/"), r.json["event_action"])
        for r in provider.requests
    ]
    assert ("1", "trigger") in found
    flapping = [action for key, action in found if key == "flapping"]
    assert flapping == ["trigger", "resolve"]


def test_one_lost_answer_makes_the_whole_message_unclear(provider: Provider) -> None:
    good = BY_NAME["pagerduty"].good
    provider.behave(good, Say(400), Say(429), Say(500), good)

    with pytest.raises(DeliveryUnknownError):
        BY_NAME["pagerduty"].open(provider.url).send(notification(*many(8)))

    assert len(provider.requests) == 8


def test_wrong_key_keeps_the_message(provider: Provider) -> None:
    provider.behave(
        Say(400, '{"status": "invalid event", "errors": ["\'routing_key\' is invalid"]}')
    )

    with pytest.raises(NotDeliveredError, match=r"PagerDuty answered 400 \(routing_key\)"):
        BY_NAME["pagerduty"].open(provider.url).send(notification(DOWN))


def test_europe_has_its_own_address(provider: Provider) -> None:
    provider.behave(BY_NAME["pagerduty"].good)

    PagerdutySettings(routing_key="k", region="eu").open(RoutedClients(provider.url)).send(
        notification(DOWN)
    )

    assert provider.requests[0].path == "/events.eu.pagerduty.com/v2/enqueue"
