"""PagerDuty through the whole protocol: it knows incidents by a key, so nothing doubles there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from checkup.deadline import Deadline
from checkup.notifiers.pagerduty import PagerdutySettings
from checkup.pipeline import RunContext, read_state, store_run
from checkup.storage.memory import MemoryStorage
from tests.alerting.worlds import run, toy
from tests.notifiers.clients import RoutedClients
from tests.servers.provider import DROP, Provider, Say

DOWN, HEALTHY = {"a": "d"}, {"a": "h"}
TAKEN = Say(202, '{"status": "success"}')


@pytest.fixture(name="provider")
def _provider() -> Iterator[Provider]:
    with Provider(TAKEN) as server:
        yield server


class Duty:
    """A monitor whose only channel is PagerDuty, and what PagerDuty makes of its events."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.storage = MemoryStorage()
        channel = PagerdutySettings(routing_key="k" * 32).open(RoutedClients(provider.url))
        self._monitor = RunContext(
            checkers=(toy("a"),), storage=self.storage, channels={"pagerduty": channel}
        )

    def happen(self, number: int, letters: dict[str, str]) -> int:
        """Let a run happen and return how many alerts wait afterwards."""
        return store_run(self._monitor, run(number, letters), Deadline.after(5)).undelivered

    @property
    def events(self) -> list[tuple[str, str]]:
        bodies = [request.json for request in self._provider.requests]
        return [(body["event_action"], body["dedup_key"]) for body in bodies]

    @property
    def incidents(self) -> list[str]:
        """The states of all incidents, as the documentation says that they follow from events."""
        return list(incidents(self.events).values())


def incidents(events: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the incidents that there are: one per key and opening, open or resolved.

    A trigger with the key of an open incident is a note in its log, and a resolve without one
    is nothing (https://developer.pagerduty.com/docs/events-api-v2-overview).
    """
    found: dict[str, str] = {}
    open_ones: dict[str, str] = {}
    for action, key in events:
        if action == "trigger" and key not in open_ones:
            open_ones[key] = f"{len(found)} {key}"
            found[open_ones[key]] = "triggered"
        if action == "resolve" and key in open_ones:
            found[open_ones.pop(key)] = "resolved"
    return found


def test_outage_triggers_and_recovery_resolves_the_same_incident(provider: Provider) -> None:
    duty = Duty(provider)
    assert [duty.happen(number, seen) for number, seen in enumerate([HEALTHY, DOWN, HEALTHY])] == [
        0,
        0,
        0,
    ]

    assert duty.events == [("trigger", "checkup/a/1"), ("resolve", "checkup/a/1")]
    assert duty.incidents == ["resolved"]


def test_next_outage_is_another_incident(provider: Provider) -> None:
    duty = Duty(provider)
    for number, seen in enumerate([HEALTHY, DOWN, HEALTHY, DOWN]):
        duty.happen(number, seen)

    assert duty.incidents == ["resolved", "triggered"]


@pytest.mark.row("107")
@pytest.mark.parametrize("lost", [0, 1], ids=["trigger", "resolve"])
@pytest.mark.parametrize("behaviour", [DROP, Say(500)], ids=["answer-lost", "unclear"])
def test_event_that_is_sent_again_is_the_same_incident(
    provider: Provider, behaviour: Say | str, lost: int
) -> None:
    duty = Duty(provider)
    duty.happen(0, HEALTHY)
    provider.behave(*[TAKEN] * lost, behaviour, TAKEN)
    waiting = [duty.happen(number, seen) for number, seen in enumerate([DOWN, HEALTHY, HEALTHY], 1)]

    assert waiting[lost] == 1
    assert waiting[-1] == 0
    assert len(duty.events) > 2
    assert duty.incidents == ["resolved"]
    assert read_state(duty.storage).outboxes == {}


@pytest.mark.row("117")
def test_outage_and_recovery_that_waited_together_are_one_incident(provider: Provider) -> None:
    duty = Duty(provider)
    provider.behave(Say(429))
    duty.happen(0, HEALTHY)
    assert duty.happen(1, DOWN) == 1
    assert duty.happen(2, HEALTHY) == 2
    provider.requests.clear()

    provider.behave(TAKEN)
    duty.happen(3, HEALTHY)

    assert [action for action, _ in duty.events] == ["trigger", "resolve"]
    assert duty.incidents == ["resolved"]
