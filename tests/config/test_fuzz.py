"""Whatever the file holds, it is a configuration or a refusal that names the place."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct, structs

from checkup.checkers import CHECKERS
from checkup.config import Config, load
from checkup.config.page import PageSettings
from checkup.config.settings import GroupSettings, MaintenanceSettings
from checkup.errors import ConfigError
from checkup.interfaces import Checker
from checkup.notifiers import NOTIFIERS
from checkup.storage import STORAGES
from tests.config.world import KINDS

KINDS_OF_SETTINGS: list[type[Struct]] = [
    Config,
    Checker,
    PageSettings,
    GroupSettings,
    MaintenanceSettings,
    *CHECKERS.values(),
    *STORAGES.values(),
    *NOTIFIERS.values(),
]
KEYS = sorted(
    {info.encode_name for kind in KINDS_OF_SETTINGS for info in structs.fields(kind)}
    | {"type", "provider", "name", "notifier", "Checkers", "x-a", "$schema", "ünknown"}
)
WORDS = [*CHECKERS, *STORAGES, *NOTIFIERS, "5s", "1h", "-1ns", "${A}", "${B:-b}", "$${", "env:X",
         "2026-01-31T18:00:00Z", "0001-01-01T00:00:00Z", "https://u:p@h/?q=1", "a", "b", "", "~",
         "\ud800", "99999999999999999999h", "9" * 400]  # fmt: skip
LEAVES = (
    st.sampled_from(WORDS)
    | st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([2**63, -(2**63), 5.5, 1e300, 2**200])
    | st.text(max_size=5)
)
OBJECTS = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6)
    ),
    max_leaves=25,
)
FIELDS = st.dictionaries(st.sampled_from(KEYS), OBJECTS, max_size=8)
KNOWN = st.builds(
    lambda fields, kind: {**fields, "type": kind},
    FIELDS,
    st.sampled_from([*CHECKERS, *STORAGES, *NOTIFIERS]),
)
SECTIONS = st.fixed_dictionaries(
    {},
    optional={
        "checkers": st.lists(KNOWN, max_size=4),
        "storage": KNOWN,
        "notifier": KNOWN,
        "notifiers": st.lists(KNOWN, max_size=3),
    },
)
DOCUMENTS = st.builds(lambda fields, sections: {**fields, **sections}, FIELDS, SECTIONS)


def settle(body: bytes, suffix: str) -> None:
    """Read the bytes; anything but a Config or a ConfigError with places fails the test."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"checkup{suffix}"
        path.write_bytes(body)
        lines = body.decode(errors="replace").count("\n") + body.count(b"\r") + 1
        try:
            said = load(str(path), KINDS, {"A": "s3cret"}).warnings
        except ConfigError as refusal:
            said = (*refusal.problems, *refusal.warnings)
        for problem in said:
            assert 1 <= problem.line <= lines
            assert problem.column >= 1
            assert problem.text
            assert "s3cret" not in str(problem)


@given(st.binary(max_size=200), st.sampled_from([".json", ".yaml"]))
def test_any_bytes(body: bytes, suffix: str) -> None:
    settle(body, suffix)


@given(st.text(alphabet="{}[]\":,'-#&*!?|>%@`<~ \n\t\\/ab01.eé\ufeff\x00\x85", max_size=60))
def test_any_signs(text: str) -> None:
    settle(text.encode(), ".json")
    settle(text.encode(), ".yaml")


@given(OBJECTS | DOCUMENTS)
def test_any_document_in_json(document: Any) -> None:
    settle(json.dumps(document).encode(), ".json")


@given(DOCUMENTS)
def test_any_document_in_yaml(document: Any) -> None:
    settle(yaml.safe_dump(document).encode(), ".yaml")


@given(DOCUMENTS, st.data())
def test_any_damaged_document(document: Any, data: st.DataObject) -> None:
    text = json.dumps(document, indent=1)
    at = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 3))
    damage = data.draw(st.sampled_from(["", ",", "}", "]", '"', "//", "/*", "\x00", "é", "\n"]))
    settle((text[:at] + damage + text[at + length :]).encode(), ".json")
