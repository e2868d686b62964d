"""A world in which everything that is private is full of a secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from msgspec.structs import replace

from checkup.alerting.state import STATE_KEY, AlertState, CheckerState, encode_state
from checkup.app import registered_kinds
from checkup.config.page import PageSettings
from checkup.config.settings import Config, GroupSettings, MaintenanceSettings
from checkup.documents import encode
from checkup.incidents.model import Incident, IncidentDocument, IncidentUpdate, Maintenance
from checkup.incidents.store import INCIDENTS_KEY as ANNOUNCED
from checkup.interfaces import Checker
from checkup.model import Attempt, Result, Run, encode_results, run_key
from checkup.storage.memory import MemoryStorage
from tests.page.planting import CANARY, planted
from tests.page.worlds import MINUTE, NOW

HOUR: Final = 60 * MINUTE
ADDRESS: Final = f"https://{CANARY}:{CANARY}@{CANARY}.internal:8443/{CANARY}?key={CANARY}#{CANARY}"
PROXY: Final = f"http://{CANARY}:{CANARY}@proxy.internal:3128"
REGION: Final = f"dc-{CANARY}"

SHOWN: Final = {"group": "Shop", "description": "Orders", "link": "https://acme.example/", "id": ""}
"""What is public of a checker, beside its title or, in place of that, its public name."""

FORMED: Final[dict[str, dict[str, Any]]] = {
    "http": {"must_hold": (f'status == "{CANARY}"',), "bearer_token": "", "proxy": PROXY},
    "dns": {"answers_equal": (), "answers_contain": ()},
    "exec": {"name": ""},
    "tcp": {"charset": "latin-1"},
    "slack": {"mention": {}},
    "discord": {"mention": {}},
    "webhook": {"template": f'{{"{CANARY}": "{CANARY}"}}'},
    "sql": {"postgresql": None},
}
"""Fields that do not take any text, or not beside the others, by kind."""

OTHERWISE: Final = {
    "http": {"bearer_token": CANARY, "username": "", "password": ""},
    "exec": {"name": CANARY},
}
"""The same of those whose title is not shown."""


def checkers() -> Iterator[Checker]:
    """Three of each kind: one that is shown by its title, one by another name, one hidden."""
    for kind, settings in registered_kinds().checkers.items():
        given = {**SHOWN, **FORMED.get(kind, {}), "endpoint_url": ADDRESS, "public_name": ""}
        title = f"{kind} service"
        yield planted(settings, **{**given, "endpoint_name": title, "id": f"{kind}-{CANARY}"})
        renamed = {"endpoint_name": f"{kind} {CANARY}", "public_name": f"Other {kind}"}
        given |= OTHERWISE.get(kind, {})
        yield planted(settings, **{**given, **renamed, "id": f"{kind}-2-{CANARY}"})
        hidden = {"endpoint_name": f"Hidden {kind} {CANARY}", "public_name": "Hidden"}
        texts = {"description": CANARY, "link": f"https://{CANARY}.internal/", "hidden": True}
        yield planted(settings, **{**given, **hidden, **texts, "id": f"{kind}-3-{CANARY}"})


def config(number: int = 0, **page: Any) -> Config:
    """A configuration.

    Args:
        number: which storage and which publisher it has.
    """
    known = registered_kinds()
    storages = [planted(it, **FORMED.get(kind, {})) for kind, it in known.storages.items()]
    publishers = [planted(it) for it in known.publishers.values()]
    work = MaintenanceSettings(
        title="Backup",
        start=NOW - 3 * HOUR,
        duration=HOUR,
        groups=("Shop", CANARY),
        checkers=(CANARY, f"http-{CANARY}"),
    )
    about = PageSettings(
        title="Acme",
        url="https://status.acme.example",
        languages=("en", "ko"),
        regions={REGION: "Frankfurt"},
    )
    return planted(
        Config,
        checkers=tuple(checkers()),
        storage=storages[number % len(storages)],
        publish=(publishers[number % len(publishers)],),
        notifiers=tuple(
            planted(it, **FORMED.get(kind, {})) for kind, it in known.notifiers.items()
        ),
        groups=(GroupSettings(name="Shop"),),
        regions=(REGION, "west"),
        maintenance=(work,),
        page=replace(about, **page),
        # Nothing is to rely on being masked.
        masked_values=(),
    )


def results(of: Config, *, down: bool) -> Iterator[Result]:
    """What was stored of them, by the Go program too, and of one that was removed."""
    for it in (*of.checkers, replace(of.checkers[-1], id=f"gone-{CANARY}")):
        said = {"message": CANARY} if it.hidden else {"message": ""}
        attempt = planted(Attempt)
        seen = planted(
            Result,
            id=it.id,
            title=it.title,
            endpoint=it.endpoint_url,
            attempts=(attempt,),
            down=down,
            **said,
        )
        yield replace(seen, healthy=not down, attempts=(attempt if down else Attempt(rtt=1),))


def announced(of: Config) -> IncidentDocument:
    """Words about what is public, and about what is not."""
    said = IncidentUpdate(
        id="aaaaaaaaaaaa", at=NOW - MINUTE, status="investigating", text="We look."
    )
    about = (*(it.id for it in of.checkers), f"gone-{CANARY}")
    begun = {"started": NOW - 2 * HOUR, "updates": (said,), "checkers": about}
    told = planted(Incident, id="bbbbbbbbbbbb", title="Slow", impact="minor", **begun)
    planned = {"created": NOW - HOUR, "start": NOW + HOUR, "end": NOW + 2 * HOUR}
    work = planted(
        Maintenance,
        id="cccccccccccc",
        title="Disk",
        text="Soon.",
        checkers=about,
        groups=("Shop", CANARY),
        updates=(),
        **planned,
    )
    return IncidentDocument(incidents={told.id: told}, maintenance={work.id: work})


def storage(of: Config) -> MemoryStorage:
    """Runs of two regions, an outage among them, and the state that has counted them."""
    there = MemoryStorage()
    for number in range(40):
        for position, region in enumerate(of.regions):
            seen = tuple(
                replace(it, region=region) for it in results(of, down=10 < number < 30 + position)
            )
            slot = NOW - (40 - number) * MINUTE
            run = Run(slot=slot, results=seen, region=region, region_index=position)
            there.create(run_key(run), encode_results(run.results))
    cursor = max(there.list("runs/"))
    states = {it.id: planted(CheckerState) for it in of.checkers}
    head = planted(
        AlertState, schema=AlertState().schema, cursor=cursor, applied_runs=(), checkers=states
    )
    there.create(STATE_KEY, encode_state(head))
    there.create(ANNOUNCED, encode(announced(of), order="sorted"))
    there.create("quarantine/0", CANARY.encode())
    return there
