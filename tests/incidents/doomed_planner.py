"""Somebody who announces maintenance and is killed: ``python -m tests.incidents.doomed_planner …``.

``DIR FATAL`` dies just before the FATAL call that reaches the folder.
"""

from __future__ import annotations

import sys

from checkup.incidents import model
from checkup.incidents.model import Maintenance
from checkup.pipeline import RunContext
from checkup.pipeline.state_store import schedule_maintenance
from tests.doom import FILES, die_before
from tests.incidents.writer import opened

HOUR = 3600 * 1_000_000_000


def main(place: str, fatal: str) -> None:
    there = RunContext(checkers=(), storage=opened("fs", place))
    now = there.storage.now_ns()
    work = Maintenance(id="work", title="New disk", created=now, start=now, end=now + HOUR)
    die_before(int(fatal), FILES)
    schedule_maintenance(there, lambda document: model.add_maintenance(document, work))


if __name__ == "__main__":
    main(*sys.argv[1:])
