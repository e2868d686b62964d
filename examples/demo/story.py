"""An invented year of some services: the result of every check at any time of it."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from checkup.model import Attempt, Phases, Result, Status
from checkup.times import SECOND

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
YEAR = 365 * DAY
MILLISECOND = SECOND // 1000

EVERYBODY = "everybody"

Answer = tuple[Status, str]
"""A status, and the class of the failure behind it."""

DOWN = (Status.DOWN, "connect_refused")
ERRORS = (Status.DOWN, "status_503")
SILENT = (Status.DOWN, "deadline")
NO_NAME = (Status.DOWN, "dns_servfail")
EXPIRED = (Status.DOWN, "tls_expired")
SLOW = (Status.DEGRADED, "")
BLIND = (Status.UNKNOWN, "")


@dataclass(frozen=True)
class Service:
    """One service and how fast it is on an ordinary day.

    Attributes:
        base: its response time at night, in nanoseconds.
        busy: by how much longer it takes at the busiest time of a day.
        threshold: above this it is called slow.
        joined: how long before the end of the year it was set up.
    """

    id: str
    title: str
    group: str
    kind: str
    address: str
    base: int
    busy: float = 0.3
    threshold: int = 0
    joined: int = YEAR
    description: str = ""


SERVICES = (
    Service(
        *("website", "Website", "Shop", "http", "https://www.coffee.example/", 92 * MILLISECOND),
        threshold=800 * MILLISECOND,
        description="The shop as customers see it",
    ),
    Service(
        *("checkout", "Checkout", "Shop", "http", "https://pay.coffee.example/health"),
        184 * MILLISECOND,
        busy=0.5,
        threshold=1200 * MILLISECOND,
        description="Baskets, payments and invoices",
    ),
    Service(
        *("search", "Search", "Shop", "http", "https://search.coffee.example/?q=arabica"),
        61 * MILLISECOND,
        busy=0.9,
        threshold=400 * MILLISECOND,
    ),
    Service(
        *("api", "Public API", "Platform", "http", "https://api.coffee.example/v2/ping"),
        38 * MILLISECOND,
        busy=0.6,
        threshold=250 * MILLISECOND,
        description="Version 2; version 1 ended in spring",
    ),
    Service(
        *("login", "Login", "Platform", "http", "https://login.coffee.example/"),
        74 * MILLISECOND,
        threshold=600 * MILLISECOND,
    ),
    Service(
        *("webhooks", "Webhooks", "Platform", "http", "https://hooks.coffee.example/ready"),
        55 * MILLISECOND,
    ),
    Service(*("mail", "E-mail", "Background", "tcp", "smtp.coffee.example:25"), 21 * MILLISECOND),
    Service(
        *("export", "Nightly export", "Background", "http", "https://export.coffee.example/ready"),
        130 * MILLISECOND,
        joined=140 * DAY,
    ),
)


@dataclass(frozen=True)
class Event:
    """Something that happened.

    Attributes:
        before: how long before the end of the year it began.
        length: how long it lasted.
        services: ids.
        answer: what was seen; None if nobody looked at all.
        share: of the looks that saw it; the others saw an ordinary day.
        factor: by how much longer answers took, whether they were called slow or not.
    """

    before: int
    length: int
    services: Sequence[str]
    answer: Answer | None = None
    share: float = 1.0
    factor: float = 1.0


def _happened(days: int, hours: float, length: int, *services: str, **rest: object) -> Event:
    before = days * DAY - round(hours * HOUR)
    return Event(before=before, length=length, services=services, **rest)  # type: ignore[arg-type]


EVENTS = (
    _happened(341, 14.5, 25 * MINUTE, "search", answer=ERRORS),
    _happened(322, 3, 4 * DAY, "website", "checkout", factor=1.9),
    _happened(301, 9.4, 47 * MINUTE, EVERYBODY, answer=NO_NAME),
    _happened(276, 19, 3 * HOUR, "mail", answer=BLIND),
    _happened(262, 11, 6 * HOUR, "api", answer=SLOW, share=0.7, factor=9.0),
    _happened(247, 0, 40 * DAY, "search", factor=1.6),
    _happened(212, 17.2, 130 * MINUTE, "checkout", answer=ERRORS),
    _happened(212, 19.4, 5 * HOUR, "checkout", answer=SLOW, share=0.5, factor=7.0),
    _happened(187, 1.5, 9 * HOUR, EVERYBODY, answer=None),
    _happened(154, 13, 3 * DAY, "search", answer=SLOW, share=0.25, factor=7.0),
    _happened(119, 6, 95 * MINUTE, "login", answer=EXPIRED),
    _happened(96, 10, 20 * MINUTE, "webhooks", answer=DOWN),
    _happened(88, 22, 4 * HOUR, "export", answer=SILENT),
    _happened(61, 8.5, 70 * MINUTE, "api", "login", "webhooks", answer=SILENT),
    _happened(45, 15, 2 * DAY, "api", factor=2.2),
    _happened(33, 12.2, 11 * HOUR, "mail", answer=DOWN),
    _happened(19, 9, 5 * HOUR, "search", answer=SLOW, share=0.6, factor=8.0),
    _happened(12, 16, 3 * HOUR, "webhooks", answer=ERRORS, share=0.3),
    _happened(5, 13.6, 40 * MINUTE, "checkout", answer=SILENT),
    _happened(2, 10.2, 3 * HOUR, "api", answer=SLOW, share=0.8, factor=8.0),
    _happened(1, 23.1, HOUR, "search", answer=SLOW, factor=9.0),
)


@dataclass
class Year:
    """The year that ends at a moment; the same seed and moment always tell the same.

    Attributes:
        end: in nanoseconds since the epoch.
        seed: of all that is left to chance.
    """

    end: int
    seed: int = 1
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311 - it is to be the same each time

    def runs(self, step: int, length: int = YEAR) -> Iterator[tuple[int, tuple[Result, ...]]]:
        """Yield what was seen, every so many nanoseconds; nothing where nobody looked."""
        for slot in range(self.end - length, self.end + 1, step):
            seen = [self._result(service, slot) for service in SERVICES]
            results = tuple(result for result in seen if result is not None)
            if results:
                yield slot, results

    def _result(self, service: Service, slot: int) -> Result | None:
        if self.end - slot > service.joined:
            return None
        status, failure = Status.HEALTHY, ""
        time = self._time(service, slot)
        blip = self._chance.random()
        for event in _at(self.end - slot, service.id):
            time = round(time * event.factor)
            if event.answer is None and event.factor == 1.0:
                return None
            if event.answer is not None and self._chance.random() < event.share:
                status, failure = event.answer
        if status is Status.HEALTHY and blip < 1 / 6000:
            status, failure = SILENT
        if status is Status.HEALTHY and 0 < service.threshold < time:
            status = Status.DEGRADED
        return _result(service, slot, status, failure, time)

    def _time(self, service: Service, slot: int) -> int:
        hour = slot % DAY / HOUR
        busy = 1 + service.busy * max(0.0, math.sin((hour - 6) * math.pi / 14))
        weekend = 0.85 if slot // DAY % 7 in {2, 3} else 1.0
        return round(service.base * busy * weekend * self._chance.lognormvariate(0, 0.16))


def _at(before: int, service: str) -> Iterator[Event]:
    for event in EVENTS:
        if event.before >= before > event.before - event.length and (
            service in event.services or EVERYBODY in event.services
        ):
            yield event


def _result(service: Service, slot: int, status: Status, failure: str, time: int) -> Result:
    if status in {Status.DOWN, Status.UNKNOWN}:
        attempt = Attempt(error=failure.replace("_", " ") or "not looked at", failure=failure)
    else:
        attempt = Attempt(rtt=time, phases=_phases(time) if service.kind == "http" else None)
    return Result(
        id=service.id,
        title=service.title,
        endpoint=service.address,
        timestamp=slot,
        attempts=(attempt,),
        threshold=service.threshold,
        healthy=status is Status.HEALTHY,
        degraded=status is Status.DEGRADED,
        down=status is Status.DOWN,
        kind=service.kind,
    )


def _phases(time: int) -> Phases:
    parts = {"resolve": 0.03, "connect": 0.11, "tls": 0.24, "transfer": 0.06}
    known = {name: round(time * share) for name, share in parts.items()}
    return Phases(**known, wait=time - sum(known.values()))
