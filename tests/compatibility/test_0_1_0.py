"""This program goes on from what version 0.1.0 has stored, and that from what this one stores."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

import pytest

from checkup.times import HOUR, SECOND, format_minute
from tests.compatibility.conftest import Places
from tests.compatibility.places import Place
from tests.project.snapshots import shop

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("compatibility")]

NEXT = shop.RUNS
"""The number of the first run after those that 0.1.0 has stored."""

LASTING = ("index.html", "components/", "badges/", "api/", "metrics.txt", "uptime.csv")
"""What every version publishes; pages that only a later one has, the old one takes away."""

TEXTS = ("reason", "words", "notice", "error")
"""Keys under which there are texts for people, which may change."""


def facts_of(place: Place) -> Any:
    return json.loads((place.folder / "facts.json").read_text())


def lacks(new: Any, old: Any, path: str = "") -> list[str]:
    """Return where a document has not all that another one has; it may have more."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return [
            difference
            for key, value in old.items()
            if key not in TEXTS
            for difference in (
                lacks(new[key], value, f"{path}/{key}") if key in new else [f"{path}/{key}"]
            )
        ]
    if isinstance(old, list) and isinstance(new, list) and len(new) == len(old):
        pairs = zip(new, old, strict=True)
        return [d for n, (a, b) in enumerate(pairs) for d in lacks(a, b, f"{path}/{n}")]
    return [] if new == old else [f"{path}: {new!r} and not {old!r}"]


def differences(new: Place, old: Place) -> dict[str, list[str]]:
    """Return what is missing or different in the documents of one place, by their keys."""
    found, expected = new.documents(), old.documents()
    return {
        key: missing
        for key, body in expected.items()
        if (missing := lacks(json.loads(found.get(key, b"null")), json.loads(body)))
    }


class Continued(NamedTuple):
    """What has become of what 0.1.0 had stored, after two more runs and a page.

    Attributes:
        new, old: with this program, and with the old one.
        addresses, first_page: of the page that was there.
        messages: what this program has sent, by channel.
        facts: what it says of the place.
    """

    new: Place
    old: Place
    addresses: AbstractSet[str]
    first_page: bytes
    messages: Mapping[str, Sequence[Any]]
    facts: Any


@pytest.fixture(scope="module")
def continued(stored: Places) -> Continued:
    old = stored("old")
    assert old.go_on("old", NEXT, NEXT + 1)
    new = stored("new")
    before = new.addresses(), new.page_file("index.html")
    assert new.go_on("new", NEXT, NEXT + 1)
    messages = {name: list(sent) for name, sent in new.world.services.messages.items()}
    return Continued(new, old, *before, messages, new.facts(new.machine("new"), NEXT + 1))


def test_next_runs_are_no_news(continued: Continued) -> None:
    assert continued.messages == {"works": [], "refused": []}
    facts = continued.facts
    # What never had data had no status in 0.1.0.
    seen = {name: it for name, it in facts["statuses"].items() if it != "unknown"}
    assert {**facts, "statuses": seen} == facts_of(continued.new)


def test_what_is_stored_is_what_0_1_0_would_have_stored(continued: Continued) -> None:
    """No gap, no other count, no other state: the old program is the measure."""
    assert len(continued.old.documents()) > 10
    assert differences(continued.new, continued.old) == {}


def test_page_keeps_its_addresses(continued: Continued) -> None:
    after = continued.new.addresses()
    assert len(continued.addresses) > 100
    assert continued.addresses <= after
    assert continued.old.addresses() <= after
    manifest = json.loads(continued.new.page_file("manifest.json"))
    assert manifest["files"].keys() == after - {"manifest.json"}
    assert continued.new.page_file("index.html") != continued.first_page


def test_alerts_that_waited_are_delivered_once(stored: Places) -> None:
    place = stored("place")
    here, services = place.machine("new"), place.world.services
    services.refuses = set()

    for number in (NEXT, NEXT + 1):
        place.put(*shop.run_file(number))
        assert place.evaluate(here, number)

    sent = [alert["id"] for message in services.messages["refused"] for alert in message["alerts"]]
    assert sent == facts_of(place)["waiting"]
    assert services.messages["works"] == []


def test_outage_that_was_announced_ends_with_one_message(stored: Places) -> None:
    place = stored("place")
    _, well = shop.run_file(20)
    place.put(f"{shop.slot(NEXT):019d}-check.json", well)

    assert place.evaluate(place.machine("new"), NEXT)

    (message,) = place.world.services.messages["works"]
    assert [(alert["checker"], alert["kind"]) for alert in message["alerts"]] == [
        ("checkout", "resolve")
    ]


@pytest.mark.parametrize("kind", ["folder"], scope="session", indirect=True)
def test_rebuilt_history_is_that_of_0_1_0(stored: Places) -> None:
    places = {version: stored(version) for version in ("old", "new")}
    for version, place in places.items():
        place.machine(version).expect(shop.slot(NEXT), "rebuild")
    assert differences(places["new"], places["old"]) == {}


def deliveries(place: Place) -> int:
    """Count the messages about a status; 0.1.0 never says that a checker has no results."""
    return sum(
        any(alert["kind"] != "blind" for alert in message["alerts"])
        for messages in place.world.services.messages.values()
        for message in messages
    )


@pytest.mark.parametrize("fresh", [False, True], ids=["after 0.1.0", "from the beginning"])
def test_0_1_0_goes_on_or_refuses_without_harm(
    stored: Places, empty: Place, *, fresh: bool
) -> None:
    """What this program writes, the old one reads; or it says no, and leaves all as it is."""
    place, first = (empty, 38) if fresh else (stored("place"), NEXT)
    here = place.machine("new")
    here.expect(shop.slot(first), "silence")  # which makes a database where there is none
    assert place.go_on("new", first, first + 3)
    now = shop.slot(first + 3) + 5 * shop.MINUTE
    here.expect(now, "incident", "open", "Search is slow", "--component", "search")
    here.expect(now, "silence", "website", "--for", "1h")
    here.expect(now, "maintenance", "add", "Deploy", "--for", "1h", "--component", "website")
    begin, end = (f"{format_minute(now - ago)[:16]}Z" for ago in (3 * HOUR, 2 * HOUR))
    later = [now + number * SECOND for number in range(1, 6)]  # ids follow from the time
    past = here.expect(later[0], "incident", "open", "Mail was slow", "--from", begin).split()[0]
    correct = ["incident", "correct", past, "last", "Delayed.", "--status", "identified"]
    here.expect(later[1], *correct)
    here.expect(later[2], "incident", "resolve", past, "--at", end)
    work = here.expect(later[3], "maintenance", "add", "Disk", "--from", "in 2h", "--for", "1h")
    move = ["maintenance", "update", work.split()[0], "Later.", "--from", "in 5h"]
    here.expect(later[4], *move)
    facts, before = place.facts(here, first + 3), place.documents()
    pages, sent = place.addresses(), deliveries(place)
    lasting = {address for address in pages if address.startswith(LASTING)}

    if place.go_on("old", first + 4, first + 5):
        assert place.facts(place.machine("old"), first + 5) == facts
        assert lasting <= place.addresses()
        assert deliveries(place) == sent
        assert place.go_on("new", first + 6, first + 6)
        assert place.facts(here, first + 6) == facts
        assert pages <= place.addresses()
        assert deliveries(place) == sent
    else:
        assert place.documents() == before


@pytest.mark.parametrize("kind", ["folder"], scope="session", indirect=True)
def test_0_1_0_refuses_a_state_that_is_too_new_for_it(stored: Places) -> None:
    """The other half of the test above, which no change has needed so far."""
    place = stored("place")
    head = place.folder / "checks/state/head.json"
    head.write_bytes(head.read_bytes().replace(b'"schema":1', b'"schema":2'))
    before = place.documents()

    assert not place.go_on("old", NEXT, NEXT)

    assert place.documents() == before
    assert place.world.services.sent == 0
