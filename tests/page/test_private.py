"""A secret is planted wherever something private can be: no file that is published holds it."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from msgspec import structs

from checkup.bootstrap import kinds
from checkup.checkers.http import HttpChecker
from checkup.config import Config, read
from checkup.incidents.documents import HEAD as ANNOUNCED
from checkup.incidents.documents import encode as encode_announcements
from checkup.incidents.model import Announcements, Incident, Said
from checkup.model import Attempt, Result, Run
from checkup.ports import PageFile
from checkup.runfile import encode, run_key
from checkup.storage.memory import MemoryStorage
from checkup_page.building import build
from tests.page.worlds import MINUTE, NOW

CANARY = "hunter2canary"

PUBLIC = {"endpoint_name", "endpoint_url", "id", "group", "description", "link", "public_name"}
"""Fields of a checker that are shown, and those that are planted below."""

FORMED = {
    "must_have_headers": {"X-Private": CANARY},
    "headers": {"X-Private": CANARY},
    "must_hold": [f'status == "{CANARY}"'],
    "proxy": f"http://{CANARY}:{CANARY}@proxy.internal:3128",
    "tags": [CANARY],
    "up_statuses": None,
    "depends_on": None,
    "method": None,
    "tls_ca_file": None,
    "client_certificate": None,
    "client_key": None,
    "bearer_token": None,
    "must_match": None,
    "must_not_match": None,
}
"""Fields that do not take any text, or not beside the others."""


def private_fields() -> dict[str, Any]:
    """Every field of a checker that takes a text and is not shown, with the secret in it."""
    planted: dict[str, Any] = {}
    for field in structs.fields(HttpChecker):
        if field.name not in PUBLIC and (field.default == "" or field.name in FORMED):
            planted[field.name] = FORMED.get(field.name, CANARY)
    return {name: value for name, value in planted.items() if value is not None}


def written(*, publish: list[str]) -> str:
    """A configuration that is full of it."""
    address = f"https://{CANARY}:{CANARY}@{CANARY}.internal:8443/{CANARY}?key={CANARY}#{CANARY}"
    seen = {"type": "http", "endpoint_name": "API", "id": f"api-{CANARY}", "group": "Shop"}
    hidden = {"type": "http", "endpoint_name": f"Hidden {CANARY}", "id": "hidden", "hidden": True}
    renamed = {"type": "http", "endpoint_name": CANARY, "id": "db", "public_name": "Database"}
    return json.dumps(
        {
            "checkers": [
                {**seen, "endpoint_url": address, **private_fields()},
                {**hidden, "endpoint_url": address, "description": CANARY},
                {**renamed, "endpoint_url": f"https://{CANARY}.internal/"},
            ],
            "notifiers": [{"type": "slack", "webhook": f"https://hooks.slack.com/{CANARY}"}],
            "page": {"title": "Acme", "publish": publish, "url": "https://status.acme.example"},
            "regions": [f"dc-{CANARY}"],
        }
    )


def results() -> Iterator[Result]:
    """What was stored of them, by the Go program too, which masks nothing."""
    times = (Attempt(error=f"dial {CANARY}: refused", failure=f"{CANARY}_class"),)
    private: dict[str, Any] = {"notice": CANARY, "region": f"dc-{CANARY}", "kind": CANARY}
    address = f"https://u:{CANARY}@{CANARY}.internal:8443/{CANARY}?key={CANARY}"
    private |= {"endpoint": address, "times": times, "down": True}
    yield Result(title="API", id=f"api-{CANARY}", **private)
    yield Result(title=f"Hidden {CANARY}", id="hidden", message=f"psst {CANARY}", **private)
    yield Result(title=CANARY, id="db", **private)
    yield Result(title=f"Removed {CANARY}", id=f"gone-{CANARY}", message=CANARY, **private)


def announced() -> Announcements:
    """Words about what is public, and about what is not."""
    said = (Said(id="aaaaaaaaaaaa", at=NOW - MINUTE, status="investigating", text="We look."),)
    checkers = ("db", "hidden", f"api-{CANARY}", f"gone-{CANARY}")
    told = Incident(
        id="bbbbbbbbbbbb",
        title="Slow",
        impact="minor",
        started=NOW - MINUTE,
        checkers=checkers,
        said=said,
    )
    return Announcements(incidents={told.id: told})


def published(config: Config) -> dict[str, PageFile]:
    storage = MemoryStorage()
    for number in range(90):
        run = Run(slot=NOW - (90 - number) * MINUTE, results=tuple(results()))
        storage.create(run_key(run), encode(run.results))
    storage.create(ANNOUNCED, encode_announcements(announced()))
    return build(config, storage, NOW)


def configured(*publish: str) -> Config:
    return read("checkup.json", written(publish=[*publish]).encode(), kinds(), {})


def holding(files: dict[str, PageFile]) -> list[str]:
    """The paths of files that hold the secret, in their name or in any spelling."""
    return [
        path
        for path, file in files.items()
        if CANARY in path
        or any(CANARY in it.lower() for it in spellings(file.body.decode().replace("\r\n ", "")))
    ]


def spellings(text: str) -> Iterator[str]:
    yield text
    yield html.unescape(html.unescape(text))
    yield unquote(text)


def test_every_private_field_of_a_checker_is_planted() -> None:
    assert {"password", "username", "headers", "body", "must_contain"} <= private_fields().keys()


def test_no_file_holds_it_140() -> None:
    files = published(configured())
    assert {"index.html", "metrics.txt", "uptime.csv", "history.atom"} < files.keys()
    assert holding(files) == []


def test_what_is_published_on_purpose_is_in_one_file_and_masked() -> None:
    files = published(configured("addresses", "certificates"))
    assert holding(files) == ["metrics.txt"]
    metrics = files["metrics.txt"].body.decode()
    assert f'instance="https://u:***@{CANARY}.internal:8443/{CANARY}?key=***"' in metrics


def test_what_is_public_is_there() -> None:
    """The test would see the secret if it were there: it sees what is beside it."""
    index = published(configured())["index.html"].body.decode()
    assert all(name in index for name in ("API", "Shop", "Database", "Slow"))
