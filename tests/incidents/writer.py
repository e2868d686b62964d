"""Somebody who writes about an incident again and again: ``python -m tests.incidents.writer …``.

``KIND PLACE NAME COUNT`` waits for a line of input, then adds COUNT entries to one incident.
"""

from __future__ import annotations

import sys

from checkup.app import LiveClients
from checkup.incidents import model
from checkup.incidents.model import Incident, IncidentDocument, IncidentUpdate
from checkup.incidents.store import change_incidents
from checkup.interfaces import Storage
from checkup.storage import STORAGES

INCIDENT = Incident(
    id="aaa",
    title="It fails",
    impact="major",
    started=1,
    updates=(IncidentUpdate(id="first", at=1, status="investigating"),),
)


def opened(kind: str, place: str) -> Storage:
    where = {"dir": place} if kind == "fs" else {"dsn": place, "create": True}
    return STORAGES[kind](**where).open(LiveClients({}))


def add(storage: Storage, name: str, number: int) -> None:
    entry = IncidentUpdate(id=f"{name}-{number}", at=2, status="identified", text=name)

    def change(document: IncidentDocument) -> IncidentDocument:
        return model.add_update(document, INCIDENT, entry)

    change_incidents(storage, change)


def main(kind: str, place: str, name: str, count: str) -> None:
    storage = opened(kind, place)
    sys.stdin.readline()
    for number in range(int(count)):
        add(storage, name, number)


if __name__ == "__main__":
    main(*sys.argv[1:])
