"""What the program stores and prints in the small world of :mod:`tests.project.snapshots.shop`."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.machine import Machine, machine
from tests.project.snapshots import shop
from tests.project.snapshots.parts import page_parts, parts, parts_of, schema, text

NOW: Final = shop.END + 5 * shop.MINUTE

SORTS: Final = ("components", "incidents", "maintenance", "history")

PRINTED: Final[dict[str, tuple[int, list[str]]]] = {
    "status": (1, ["status"]),
    "explain": (0, ["explain", *shop.SERVICES, "backup"]),
    "history": (0, ["history", "website", "--since", "12h"]),
    "replay": (0, ["replay", "--since", "5d", "--set", "failure_threshold=3"]),
    "silence": (0, ["silence"]),
    "incidents": (0, ["incident", "list"]),
    "maintenance": (0, ["maintenance", "list"]),
    "maintenance-of-a-month": (0, ["maintenance", "list", "--month", "2026-01"]),
    "rebuild": (0, ["rebuild"]),
}
"""Commands with the exit codes that they end with."""


@contextmanager
def lived_through(folder: Path) -> Iterator[Machine]:
    """Let the story of the shop happen in an empty folder; its machine is there for the block."""
    config = shop.configuration({"type": "fs", "dir": "checks"})
    (folder / "checkup.json").write_text(json.dumps(config, indent=2))
    (folder / "checks").mkdir()
    with (
        shop.Services() as services,
        socket.create_server(("127.0.0.1", 0)) as closed,
        machine(
            folder,
            {80: services.port, 5432: closed.getsockname()[1]},
            environ=shop.ENVIRON,
        ) as here,
    ):
        closed.close()
        shop.live_through(here, lambda name, body: (folder / "checks" / name).write_bytes(body))
        yield here


def documents(here: Machine) -> dict[str, str]:
    """Return all documents in the storage and some runs of the program, to the byte."""
    folder = here.folder / "checks"
    here.expect(NOW, "--store")
    here.expect(NOW + shop.MINUTE, "message", "--about", "Website", "Back in ten minutes")
    here.expect(NOW + 2 * shop.MINUTE, "page", "public")
    files: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        written_here = name.endswith("-check.json") and name >= f"{shop.END:019d}-check.json"
        if path.suffix == ".lock" or not path.is_file():
            continue
        if written_here or not name.endswith("-check.json"):
            files |= parts(f"stored/{name}", path.read_text())
    return files


def page(here: Machine) -> dict[str, str]:
    """Return what is published, and a page of each sort for people."""
    folder = here.folder / "public"
    files = parts("page/manifest.json", (folder / "manifest.json").read_text())
    for path in ("index.html", "404.html", *(_one(folder, sort) for sort in SORTS)):
        name = f"{path.split('/')[0].removesuffix('.html')}.html"
        files |= page_parts(f"page/{name}", (folder / path).read_text())
    return files


def _one(folder: Path, sort: str) -> str:
    return max(path.relative_to(folder).as_posix() for path in (folder / sort).glob("[!i]*.html"))


def printed(here: Machine) -> dict[str, str]:
    """Return what commands print, for programs and for people."""
    files: dict[str, str] = {}
    for name, (code, arguments) in PRINTED.items():
        files |= text(f"commands/{name}", here.expect(NOW, *arguments, code=code))
    (shown, *_) = here.expect(NOW, "incident", "list").split()
    files |= text("commands/incident", here.expect(NOW, "incident", "show", shown))
    files |= parts("commands/results.json", here.expect(NOW, "--json", code=1))
    files |= parts(
        "commands/stored-results.json",
        here.expect(NOW + 3 * shop.MINUTE, "--json", "--store", "website"),
    )
    sizes = ("--memory", "512", "--retention", "30", "--interval", "5m", "--seconds", "2.5")
    (here.folder / "cost.json").write_text(json.dumps(_config_to_price()))
    for name, more in {"cost": (), "cost-of-sizes": sizes}.items():
        found = here.expect(NOW, "-c", "cost.json", "cost", "--json", *more)
        files |= parts(f"commands/{name}.json", found)
    files |= started(here)
    return files


def started(here: Machine) -> dict[str, str]:
    """Return what ``init`` writes in a folder without a configuration."""
    elsewhere = here.folder / "elsewhere"
    elsewhere.mkdir()
    here.folder = elsewhere
    try:
        here.expect(NOW, "init", "--json", "https://www.example.com", "db.internal:5432")
    finally:
        here.folder = elsewhere.parent
    return parts("commands/init.json", (elsewhere / "checkup.json").read_text())


def _config_to_price() -> dict[str, object]:
    plain = {"type": "http", "endpoint_url": "https://www.example.com/"}
    checkers = [{**plain, "endpoint_name": f"Website {number}"} for number in range(7)]
    slow = {**plain, "endpoint_name": "Slow", "interval": "1h", "attempts": 3}
    slack = {"type": "slack", "webhook": "ssm:/checkup/slack"}
    return {"checkers": [*checkers, slow], "notifiers": [slack], "interval": "1m"}


def timed(folder: Path) -> dict[str, str]:
    """Return the keys of results whose times were measured; the folder is empty."""
    web = {"type": "http", "endpoint_url": "http://www.coffee.example/"}
    config = {
        "checkers": [
            {**web, "endpoint_name": "Whole", "must_contain": "Welcome", "attempts": 2},
            {**web, "endpoint_name": "Wrong", "must_contain": "Invoices"},
            {**web, "endpoint_name": "Slow", "threshold_rtt": 1},
            {"type": "tcp", "endpoint_name": "Port", "endpoint_url": "www.coffee.example:80"},
            {"type": "exec", "name": "Program", "command": "/bin/true"},
            {"type": "heartbeat", "endpoint_name": "Job"},
        ]
    }
    (folder / "checkup.json").write_text(json.dumps(config))
    with shop.Services() as services, machine(folder, {80: services.port}, timed=True) as here:
        results = json.loads(here.expect(NOW, "--json", code=1))
    return parts_of("timed/results.jsonl", [schema(result) for result in results])
