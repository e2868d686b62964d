"""A small invented world: three and a half days of a shop, and what people did meanwhile.

What its services answered is written down here as check files, in the Go program's format, and
put into the storage like the runs of another machine; ``checkup --store backup`` then adds runs of
its own, evaluates all of them and sends alerts. Nothing depends on chance or on today.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from tests.machine import Machine
from tests.servers.base import Handler, HttpServer

SECOND: Final = 10**9
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
STEP: Final = 15 * MINUTE

START: Final = 1_769_644_800 * SECOND
"""2026-01-29 00:00 UTC."""

RUNS: Final = 337
END: Final = START + (RUNS - 1) * STEP
"""2026-02-01 12:00 UTC."""

BY_GO: Final = 20
"""As many of the first runs are as the Go program writes them."""

Seen = tuple[str, str, str]
"""A status, the class of the failure behind it, and the sentence about it."""

WELL: Final = ("healthy", "", "")
SLOW: Final = ("degraded", "", "")
REFUSED: Final = ("down", "connect_refused", "connection refused")
ERROR: Final = ("down", "status_503", "response status 503 Service Unavailable")
BLIND: Final = ("unknown", "resource", "too many open files")

ENVIRON: Final = {
    "WORKS": "http://hooks.example/works",
    "REFUSED": "http://hooks.example/refused",
}
"""What the configuration expects to find there; see :class:`Services`."""

SERVICES: Final = ("website", "checkout", "search", "database", "api")
TITLES: Final = {
    "website": "Website",
    "checkout": "Checkout & payments",
    "search": "Search",
    "database": "Database",
    "api": "Public API",
}
ADDRESSES: Final = {
    "website": "http://www.coffee.example/",
    "checkout": "http://pay.coffee.example/health?key=***",
    "search": "http://search.coffee.example/?q=***",
    "database": "db.coffee.example:5432",
    "api": "http://api.coffee.example/v2/ping",
}


def seen(service: str, number: int) -> Seen:  # noqa: C901, PLR0911, PLR0912 - a story, line by line
    """Return what a run saw of a service."""
    match service:
        case "website":
            if 40 <= number < 45:
                return ERROR
            if 290 <= number < 296:
                return SLOW
            if 296 <= number < 300:
                return REFUSED
        case "checkout":
            if 150 <= number < 161:
                return ERROR
            if number >= 330:
                return REFUSED
        case "search":
            if 100 <= number < 110:
                return SLOW
        case "database":
            if 150 <= number < 160:
                return REFUSED
            if 250 <= number < 256:
                return BLIND
        case "api":
            if 200 <= number < 216 and number % 4 < 2:
                return ERROR
            if number in {60, 61}:
                return REFUSED
    return WELL


def is_missing(number: int) -> bool:
    """Say whether the machine that checks was off."""
    return 270 <= number < 278


def slot(number: int) -> int:
    return START + number * STEP


def run_file(number: int) -> tuple[str, bytes]:
    """Return the name and the bytes of a check file."""
    results = [_result(service, number) for service in SERVICES]
    text = json.dumps(results, ensure_ascii=False, separators=(",", ":"))
    return f"{slot(number):019d}-check.json", text.replace("&", "\\u0026").encode()


def _result(service: str, number: int) -> dict[str, Any]:
    status, failure, error = seen(service, number)
    base = 20 + 40 * SERVICES.index(service) + 7 * (number * 31 % 17) + 9 * (number % 96 > 32)
    rtt = base * 1_000_000 * (6 if status == "degraded" else 1)
    attempt: dict[str, Any] = {"rtt": 0 if error else rtt}
    if error:
        attempt["error"] = error
    if number >= BY_GO and failure:
        attempt["failure"] = failure
    if number >= BY_GO and not error:
        attempt["phases"] = {"connect": rtt // 4, "wait": rtt - rtt // 4}
    result: dict[str, Any] = {
        "title": TITLES[service],
        "endpoint": ADDRESSES[service],
        "timestamp": slot(number) + SERVICES.index(service) * 1_000_000,
        "times": [attempt],
    }
    if service == "search":
        result["threshold"] = 400_000_000
    if status != "unknown":
        result[status] = True
    if status == "degraded":
        result["notice"] = "median round trip time exceeded the threshold"
    if number >= BY_GO:
        result |= {"id": service, "kind": "tcp" if service == "database" else "http"}
    return result


def configuration(storage: dict[str, Any] | None) -> dict[str, Any]:
    """Return the checkup.json."""
    web = {"type": "http"}
    return {
        "page": {
            "title": "Coffee shop",
            "url": "https://status.coffee.example/",
            "timezone": "Europe/Berlin",
            "languages": ["en", "ko"],
        },
        "interval": "15m",
        "recheck": 0,
        "groups": [
            {"name": "Shop", "description": "What customers see"},
            {"name": "Platform", "collapsed": True},
        ],
        "checkers": [
            {
                **web,
                **_named("website", "Shop"),
                "endpoint_url": "http://www.coffee.example/",
                "must_contain": "Welcome",
                "description": "The shop as customers see it",
            },
            {
                **web,
                **_named("checkout", "Shop"),
                "endpoint_url": "http://pay.coffee.example/health?key=letmein",
                "depends_on": ["database"],
                "attempts": 2,
            },
            {
                **web,
                **_named("search", "Shop"),
                "endpoint_url": "http://search.coffee.example/?q=arabica",
                "threshold_rtt": "400ms",
            },
            {
                "type": "tcp",
                **_named("database", "Platform"),
                "endpoint_url": ADDRESSES["database"],
            },
            {
                **web,
                **_named("api", "Platform"),
                "endpoint_url": ADDRESSES["api"],
                "must_hold": 'status == "ok"',
                "remind_every": "2h",
            },
            {"type": "heartbeat", "endpoint_name": "Nightly backup", "id": "backup"},
        ],
        "maintenance": [
            {
                "title": "Database upgrade",
                "description": "The shop may be slow.",
                "start": "2026-01-01T02:00:00Z",
                "duration": "90m",
                "repeat": "FREQ=WEEKLY;BYDAY=FR",
                "groups": ["Platform"],
            }
        ],
        **({"storage": storage} if storage else {}),
        "notifiers": [
            {"type": "webhook", "id": "works", "url": "env:WORKS"},
            {
                "type": "webhook",
                "id": "refused",
                "url": "env:REFUSED",
                "severities": ["down"],
            },
        ],
    }


def _named(service: str, group: str) -> dict[str, Any]:
    return {"endpoint_name": TITLES[service], "id": service, "group": group}


PUBLISHED: Final = frozenset({96, 250, RUNS - 1})
"""The runs after which the page is published."""

_OPEN: Final = ("incident", "open", "--impact", "major", "--component")
_SEARCH: Final = ("--from", "2026-02-03 22:00", "--for", "2h", "--component", "search")

COMMANDS: Final[dict[int, list[tuple[str, ...]]]] = {
    8: [("ping", "backup")],
    42: [(*_OPEN, "website", "The website shows errors", "--message", "We are looking.")],
    48: [("incident", "resolve", "#The website shows errors", "A full disk. Sorry for that.")],
    95: [("silence", "search", "--for", "26h")],
    120: [("ping", "backup")],
    180: [("maintenance", "add", "New search cluster", *_SEARCH, "--message", "It may fail.")],
    216: [("ping", "backup")],
    300: [("ping", "backup", "--failed"), ("silence", "api", "--for", "2d")],
    304: [("ping", "backup")],
    332: [(*_OPEN, "checkout", "Payments fail", "--status", "identified", "--message", "Soon.")],
}
"""What people do after a run, by its number; ``#`` stands for the id of what has that title."""


def live_through(
    machine: Machine,
    put: Callable[[str, bytes], object],
    *,
    evaluate: Callable[[int], object] | None = None,
    publish: Callable[[int], object] | None = None,
) -> None:
    """Let the story happen.

    Args:
        machine: where the configuration is.
        put: stores a check file of another machine.
        evaluate: has what was stored evaluated after a run, by its number; ``checkup --store``
            unless given.
        publish: publishes the page after a run; ``checkup page public`` unless given.
    """
    _long_ago(machine)
    for number in range(RUNS):
        if is_missing(number):
            continue
        put(*run_file(number))
        now = slot(number) + MINUTE
        for command in COMMANDS.get(number, ()):
            machine.expect(now, *(_meant(machine, now, word) for word in command))
        if _matters(number):
            evaluate(number) if evaluate else store(machine, number)
        if number in PUBLISHED:
            publish(number) if publish else show(machine, number)


def store(machine: Machine, number: int) -> None:
    """Evaluate what was stored; the only thing that is checked besides is the backup."""
    machine.expect(slot(number) + 2 * MINUTE, "--store", "backup")


def show(machine: Machine, number: int) -> None:
    machine.expect(slot(number) + 3 * MINUTE, "page", "public")


def _long_ago(machine: Machine) -> None:
    """Have an incident and maintenance that are over for more than three months."""
    then = START - 110 * DAY
    opened = ("incident", "open", "Power failure", "--impact", "critical", "--component", "website")
    machine.expect(then, *opened, "--message", "The **power** is out.")
    (incident,) = _ids(machine.expect(then + HOUR, "incident", "list"))
    machine.expect(then + HOUR, "incident", "resolve", incident, "It is back.")
    planned = ("maintenance", "add", "New racks", "--for", "2h", "--group", "Platform")
    machine.expect(then + 2 * HOUR, *planned)


def _ids(listed: str) -> list[str]:
    return [line.split()[0] for line in listed.splitlines()]


def _meant(machine: Machine, now: int, word: str) -> str:
    """Put the id of an incident in the place of ``#`` and its title."""
    if not word.startswith("#"):
        return word
    listed = machine.expect(now, "incident", "list").splitlines()
    (incident,) = _ids("\n".join(line for line in listed if word[1:] in line))
    return incident


def _matters(number: int) -> bool:
    """Say whether something has changed of late, or a person did something."""
    late = range(max(0, number - 3), number)
    changed = any(seen(it, earlier) != seen(it, number) for it in SERVICES for earlier in late)
    return changed or number % 24 == 0 or number in COMMANDS or number == RUNS - 1


class Services(HttpServer):
    """Plays those services that speak HTTP, as they are at the end, and what takes the messages.

    Attributes:
        messages: what each channel has accepted, by its name.
        refuses: the channels whose messages it refuses.
    """

    def __init__(self) -> None:
        self.forget()
        super().__init__(_Service)

    @property
    def sent(self) -> int:
        """How many messages were accepted."""
        return sum(map(len, self.messages.values()))

    def forget(self) -> None:
        """Be as at the beginning."""
        self.messages: dict[str, list[Any]] = {"works": [], "refused": []}
        self.refuses = {"refused"}

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


class _Service(Handler):
    owner: Services

    def serve(self, method: str) -> None:
        match self.headers["Host"]:
            case "hooks.example":
                self._take(self.path.removeprefix("/"), self.body())
            case "www.coffee.example":
                self.answer(200, b"Welcome to the shop")
            case "pay.coffee.example":
                self.answer(503)
            case "api.coffee.example":
                self.answer(200, b'{"status": "tired"}')
            case _:
                self.answer(200)

    def _take(self, channel: str, body: bytes) -> None:
        if channel in self.owner.refuses:
            self.answer(404)
        else:
            self.owner.messages[channel].append(json.loads(body))
            self.answer(200)
