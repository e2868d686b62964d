"""What is to happen in a world, all of it made of a seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, Final

from msgspec import Struct

from tests.servers.slackapi import CHANNEL, TOKEN

CHECKERS: Final = ("a", "b")
HEALTHY: Final = "h" * len(CHECKERS)
REGIONS: Final = ("eu-central-1", "us-east-1", "ap-south-1")
KINDS: Final = ("webhooks", "bot", "regions", "lively", "planned")
"""Two webhooks; a bot, which can look before it repeats itself; three regions; one machine with
flapping, reminders, dependencies and thresholds; and one whose checkers flap in and out of
maintenance."""

_WORK: Final = {
    "title": "Work",
    "start": "2023-11-14T22:18:00Z",  # the fifth minute of a world
    "duration": "6m",
    "checkers": ["a"],
}

STORAGE: Final = ("lost", "answer-lost", "500", "503", "500-done", "killed-before", "killed-after")
CHANNEL_FATES: Final = (
    *("429", "500", "404", "not-ok", "reset", "drop", "killed-before", "killed-after"),
)
BOT_FATES: Final = (
    *("ratelimited", "internal_error", "500", "drop", "killed-before", "killed-after"),
)
_FAULT: Final = 0.06
_SLACK_FAULT: Final = 0.3


class Visit(Struct, frozen=True, kw_only=True):
    """An event that comes to the function.

    Attributes:
        slot: the minute that it is for.
        region: the number of the region in which it comes.
        letters: what its checkers see: h or d each.
        remaining: milliseconds that the function has.
        seed: decides what goes wrong on its way.
    """

    slot: int = -1
    region: int = 0
    letters: str = HEALTHY
    remaining: int = 60_000
    seed: str = ""


class Burst(Struct, frozen=True):
    """Events that come so close together that their runs overlap.

    Attributes:
        minute, second: when it begins.
    """

    minute: int
    second: int
    visits: tuple[Visit, ...]


class Plan(Struct, frozen=True, kw_only=True):
    """A world.

    Attributes:
        name: of its bucket.
        settled: the bursts at its end, in which nothing goes wrong.
    """

    name: str
    kind: str
    seed: str
    bursts: tuple[Burst, ...]
    settled: tuple[Burst, ...]

    @property
    def regions(self) -> tuple[str, ...]:
        return REGIONS if self.kind == "regions" else ("",)

    def config(self, services: Mapping[str, str], webhooks: Mapping[str, str]) -> dict[str, Any]:
        """Return the configuration: where to look, and whom to tell."""
        written = config(services, webhooks, _SETTINGS.get(self.kind, CALM))
        if self.kind == "bot":
            bot = {"type": "slack", "id": "bot", "token": TOKEN, "channel": CHANNEL}
            written["notifiers"] = [bot]
        if self.kind == "regions":
            written["regions"] = list(REGIONS)
        if self.kind == "planned":
            written["maintenance"] = [_WORK]
        return written


CALM: Final[Mapping[str, Mapping[str, Any]]] = {
    name: {"flapping": False, "remind_every": 0} for name in CHECKERS
}
_LIVELY: Final[Mapping[str, Mapping[str, Any]]] = {
    "a": {"remind_every": "5m"},
    "b": {"failure_threshold": 2, "success_threshold": 2, "depends_on": ["a"]},
}
_FLAPPING: Final[Mapping[str, Mapping[str, Any]]] = {
    "a": {"remind_every": "5m"},
    "b": {"failure_threshold": 2},
}
_SETTINGS: Final = {"lively": _LIVELY, "planned": _FLAPPING}


def config(
    services: Mapping[str, str],
    webhooks: Mapping[str, str],
    more: Mapping[str, Mapping[str, Any]] = CALM,
) -> dict[str, Any]:
    """Return a configuration that looks at the services and tells the webhooks.

    Args:
        more: further keys of the checkers.
    """
    return {
        "interval": "1m",
        "checkers": [
            {
                "type": "http",
                "id": name,
                "endpoint_name": name.upper(),
                "endpoint_url": services[name],
                "recheck": 0,
                **more[name],
            }
            for name in CHECKERS
        ],
        "notifiers": [
            {"type": "slack", "id": name, "webhook": webhook} for name, webhook in webhooks.items()
        ],
    }


def plan(seed: int, number: int, *, minutes: int = 20) -> Plan:
    """Return the world of that number."""
    text = f"{seed}/{number}"
    kind = KINDS[number % len(KINDS)]
    chance = Random(text)
    regions = len(REGIONS) if kind == "regions" else 1
    odds = {"h": 0.7, "d": 0.6} if kind == "planned" else _ODDS
    bursts = tuple(_bursts(chance, text, minutes, regions, odds))
    end = minutes + 5
    settled = tuple(
        Burst(minute, 2, tuple(_calm(minute, region) for region in range(regions)))
        for minute in range(end, end + 5)
    )
    return Plan(name=f"world-{number}", kind=kind, seed=text, bursts=bursts, settled=settled)


def fate(chance: Random, call: str, *, is_bot: bool) -> str:
    """Decide what becomes of a request."""
    if call == "slack":
        fates = BOT_FATES if is_bot else CHANNEL_FATES
        return chance.choice(fates) if chance.random() < _SLACK_FAULT else "ok"
    if chance.random() >= _FAULT:
        return "ok"
    # Only writes can meet a conflict of writers.
    return chance.choice((*STORAGE, "409") if call.startswith("PUT") else STORAGE)


def _bursts(
    chance: Random, text: str, minutes: int, regions: int, odds: Mapping[str, float]
) -> Iterator[Burst]:
    weather = HEALTHY
    for minute in range(minutes):
        weather = changed(chance, weather, odds)
        slots = [minute for _ in range(regions) if chance.random() > 0.08]  # some are lost
        if slots and chance.random() < 0.2:
            slots.append(minute)  # comes twice
        if minute > 4 and chance.random() < 0.1:
            slots.append(minute - chance.randint(1, 4))  # comes late, or again
        late = chance.random() < 0.2
        yield Burst(
            minute,
            50 if late else 2,
            tuple(
                Visit(
                    slot=slot,
                    region=number % regions,
                    letters=_seen(chance, weather),
                    remaining=chance.choice((60_000, 60_000, 60_000, 40_000, 29_000)),
                    seed=f"{text}/{minute}/{number}",
                )
                for number, slot in enumerate(slots)
            ),
        )


def _calm(minute: int, region: int) -> Visit:
    return Visit(slot=minute, region=region)


_ODDS: Final = {"h": 0.25, "d": 0.4}
"""Outages are rarer than health, and last a while."""


def changed(chance: Random, weather: str, odds: Mapping[str, float] = _ODDS) -> str:
    """Return the weather of the next minute."""
    return "".join(_other(letter, chance.random() < odds[letter]) for letter in weather)


def _seen(chance: Random, weather: str) -> str:
    """Not every look sees the same."""
    return "".join(_other(letter, chance.random() < 0.05) for letter in weather)


def _other(letter: str, turns: bool) -> str:
    return {"h": "d", "d": "h"}[letter] if turns else letter
