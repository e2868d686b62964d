"""A secret from the environment in every field of every kind: nothing that is written holds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

import pytest
from msgspec import Struct, structs

from checkup.app import registered_kinds
from checkup.config.fields import unwrap_annotation
from checkup.interfaces import Checker
from tests.cli.program import Program

CANARY = "hunter22-canary"
REFERENCE = "${CANARY}"
NOWHERE = "127.0.0.1:1"
PLACES = {
    "http": f"http://{NOWHERE}/",
    "tls": NOWHERE,
    "tcp": NOWHERE,
    "dns": NOWHERE,
    "heartbeat": "",
    "exec": "",
}
"""Where each kind of checker looks, and fails."""

SHOWN = {"id", "endpoint_name", "public_name", "description", "group", "tags", "link", "name"}
"""What people are to read, wherever its words come from."""

LINKING = {"depends_on", "charset"}
"""What must name something that exists: another checker, an encoding."""

MORE = {
    "dns": {"record_type": "TXT"},
    "tls": {"client_certificate": "/nowhere.pem"},
    "tcp": {"client_certificate": "/nowhere.pem"},
    "http": {"client_certificate": "/nowhere.pem"},
    "exec": {"command": "/bin/false"},
}
SPECIAL: Final[Mapping[str, Mapping[str, Any]]] = {
    "endpoint_url": {"http": f"http://{NOWHERE}/{REFERENCE}?key={REFERENCE}"},
    "proxy": {"http": f"http://{REFERENCE}@{NOWHERE}"},
    "path": {"heartbeat": f"/nowhere/{REFERENCE}"},
    "must_hold": {"http": [f'status == "{REFERENCE}"']},
}
"""Fields in which a secret is part of something larger."""

COMMANDS: Final = [
    (["validate"], 0),
    (["-v"], 1),
    (["--json"], 1),
    (["--store", "-v"], 3),
    (["--store"], 3),
    (["history", "title-of-http"], 0),
    (["explain", "title-of-http"], 0),
    (["notify"], 0),
    (["notify", "--test", "-v"], 1),
    (["message", "--about", "http-plain", f"The key {CANARY} works again."], 0),
    (["page", "site"], 0),
    (["rebuild"], 0),
]
"""What is run, and the exit code that it has."""

FIELDS: Final = 45
"""At least so many fields take a text that could hold a secret."""


def takes_text(annotation: Any) -> Any:
    """Return what plants the reference in a field of this type; None if no text fits."""
    plain, metas = unwrap_annotation(annotation)
    marks = {mark["is"] for meta in metas for mark in [meta.extra or {}] if "is" in mark}
    if get_origin(plain) is Literal or marks & {"duration", "seconds", "timestamp", "ranges"}:
        return None
    if plain is str:
        return REFERENCE
    if "headers" in marks:
        return {"X-Planted": REFERENCE}
    return [REFERENCE] if get_args(plain)[:1] == (str,) and get_origin(plain) is tuple else None


def planted(kind: type[Struct]) -> Iterator[tuple[str, Any]]:
    """Yield every field that takes a text, with the reference in it."""
    for field in structs.fields(kind):
        value = takes_text(field.type)
        if value is not None:
            yield field.encode_name, value


def checkers() -> Iterator[Mapping[str, Any]]:
    """Yield checkers that fail, with the secret in one field each."""
    for name, place in PLACES.items():
        kind: type[Checker] = registered_kinds().checkers[name]
        base: dict[str, Any] = {"type": name, "endpoint_url": place, "timeout": "2s"}
        base |= MORE.get(name, {})
        yield {**base, "endpoint_name": f"title-of-{name}", "id": f"{name}-plain"}
        for field, value in planted(kind):
            if field in SHOWN | LINKING:
                continue
            special = SPECIAL.get(field, {}).get(name, value)
            yield {"id": f"{name}-{field}", "endpoint_name": name, **base, field: special}


def files(folder: Path) -> Iterator[Path]:
    """Yield all that was written, which does not include the configuration."""
    return (path for path in folder.rglob("*") if path.is_file() and path.name != "checkup.json")


@pytest.fixture(scope="module")
def checkup(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The program in a folder whose configuration has the secret everywhere."""
    program = Program(tmp_path_factory.mktemp("planted"))
    program.write(
        {
            "recheck": 0,
            "checkers": list(checkers()),
            "storage": {"type": "fs", "dir": "checks"},
            "notifiers": [
                {"type": "slack", "webhook": f"http://{NOWHERE}/{REFERENCE}"},
                {
                    "type": "webhook",
                    "name": "hook",
                    "url": f"http://{NOWHERE}/{REFERENCE}?key={REFERENCE}",
                    "headers": {"X-Key": REFERENCE},
                    "secret": REFERENCE,
                },
                {"type": "discord", "webhook": f"http://{NOWHERE}/{REFERENCE}"},
                {
                    "type": "mail",
                    "from": "checkup@shop.test",
                    "to": ["ops@shop.test"],
                    "smtp": {
                        "server": "127.0.0.1",
                        "port": 1,
                        "username": REFERENCE,
                        "password": REFERENCE,
                    },
                },
            ],
        }
    )
    return program


@pytest.mark.row("159", "I24", "S3.1")
def test_secret_is_in_no_output_log_or_file(checkup: Program) -> None:
    for words, code in COMMANDS:
        ended = checkup(*words, CANARY=CANARY)

        assert ended.returncode == code, ended.stdout + ended.stderr
        assert CANARY not in ended.stdout + ended.stderr, words
    assert [path for path in files(checkup.folder) if CANARY.encode() in path.read_bytes()] == []


def test_fields_of_every_kind_are_planted() -> None:
    assert (
        {checker["type"] for checker in checkers()}
        == set(registered_kinds().checkers)
        == set(PLACES)
    )
    assert sum(REFERENCE in str(checker) for checker in checkers()) >= FIELDS
