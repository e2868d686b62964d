"""`make demo`: an invented year of runs, and the page that the program makes of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from checkup.app import read_config, run_context
from checkup.config import Config
from checkup.config.settings import evaluation_rules
from checkup.deadline import Deadline
from checkup.history.store import HistoryStore
from checkup.incidents.store import change_incidents
from checkup.model import Run, encode_results, run_key
from checkup.pipeline import store_run
from checkup.storage.folder import FolderStorage
from checkup.storage.memory import MemoryStorage
from checkup.times import SECOND
from examples.demo.announced import announced
from examples.demo.story import DAY, MINUTE, SERVICES, YEAR, Year

FOLDER = Path("var/demo-year")
STEP = 15 * MINUTE
FOLDERS = ("history/", "incidents/", "maintenance/", "runs/", "state/")
PATIENCE = 600.0
RECORDED = DAY
"""The runs of this long before the end are stored and alerted on; older ones are only counted."""


def main() -> int:
    """Generate the year and its page, and print where it is."""
    began = time.monotonic()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    year = Year(end=time.time_ns() // STEP * STEP)
    path = FOLDER / "checkup.json"
    path.write_text(json.dumps(configuration(year), indent=2) + "\n")
    print(
        f"Generating a year of {len(SERVICES)} services, checked every 15 minutes ...", flush=True
    )
    counted = live_through(year, read_config(str(path), {}))
    page = FOLDER / "page"
    command = [sys.executable, "-m", "checkup.cli", "-c", str(path), "page", str(page)]
    failed = subprocess.call(command)
    print(f"{counted} runs counted in {time.monotonic() - began:.0f} s; all data is invented")
    print(f"Page      {page / 'index.html'}   and a page for each service")
    print(f"Live      checkup -c {path} serve")
    return failed


def live_through(year: Year, config: Config) -> int:
    """Write the year to the storage of a configuration; return the number of runs."""
    memory, told = MemoryStorage(), announced(year.end)
    change_incidents(memory, lambda _: told)
    runs = [Run(slot=slot, results=results) for slot, results in year.runs(STEP)]
    older = [run for run in runs if run.slot <= year.end - RECORDED]
    for run in older:
        memory.create(run_key(run), encode_results(run.results))
    keeper = HistoryStore(
        storage=memory, rules=evaluation_rules(config, told), end=run_key(older[-1]), lag=0
    )
    keeper.catch_up(Deadline.after(PATIENCE))
    for run in older[: -DAY // STEP]:
        memory.delete(run_key(run))
    monitor = run_context(config, {}, storage=memory)
    for run in runs[len(older) :]:
        store_run(monitor, run, Deadline.after(PATIENCE))
    move(memory, FolderStorage(FOLDER / "checks"))
    return len(runs)


def move(source: MemoryStorage, target: FolderStorage) -> None:
    """Write all documents to the disk."""
    for folder in FOLDERS:
        for key in source.list(folder):
            stored = source.get(key)
            if stored is not None:
                target.create(key, stored.body)


def configuration(year: Year) -> dict[str, Any]:
    """Return the checkup.json of the invented services."""
    first_night = datetime.fromtimestamp((year.end - YEAR) // SECOND, UTC).replace(
        hour=2, minute=0, second=0
    )
    return {
        "page": {"title": "Coffee shop (demo, invented data)", "url": "https://status.example/"},
        "interval": "15m",
        "groups": [{"name": name} for name in dict.fromkeys(it.group for it in SERVICES)],
        "checkers": [
            {
                "type": service.kind,
                "id": service.id,
                "endpoint_name": service.title,
                "endpoint_url": service.address,
                "group": service.group,
                **({"description": service.description} if service.description else {}),
            }
            for service in SERVICES
        ],
        "maintenance": [
            {
                "title": "Database upgrades",
                "start": f"{first_night:%Y-%m-%dT%H:%M:%SZ}",
                "duration": "90m",
                "repeat": "FREQ=MONTHLY;BYDAY=2SU",
                "groups": ["Shop"],
            }
        ],
        "storage": {"type": "fs", "dir": str(FOLDER / "checks")},
    }


if __name__ == "__main__":
    sys.exit(main())
