"""The schema for editors says of a file what the reader says of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from msgspec import Struct, structs

from checkup.config import load
from checkup.config.fields import _MARKED, meta_description, meta_extra
from checkup.config.schema import DEFINITIONS, config_schema
from checkup.config.settings import CHECKER_DEFAULT_KEYS, GROUP_DEFAULT_KEYS, SIMPLE_KEYS, Config
from tests.config.world import KINDS

FILES = Path(__file__).parent
SCHEMA = config_schema(KINDS)
VALIDATOR = Draft202012Validator(SCHEMA)
KINDS_OF: dict[str, Mapping[str, type[Struct]]] = {
    "checker": KINDS.checkers,
    "storage": KINDS.storages,
    "notifier": KINDS.notifiers,
}


class Loader(yaml.SafeLoader):
    """Reads dates as texts, as JSON does."""


Loader.yaml_implicit_resolvers = {
    letter: [(tag, how) for tag, how in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parsed(path: Path) -> Any:
    text = path.read_text()
    if path.suffix == ".yaml":
        return yaml.load(text, Loader=Loader)
    bare = re.sub(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', r"\1", text, flags=re.DOTALL)
    return json.loads(re.sub(r",(\s*[}\]])", r"\1", bare))


def wrong(document: Any) -> set[str]:
    """Return the places that the schema complains about, as the reader names them."""
    return {re.sub(r"^\$\.?", "", error.json_path) for error in VALIDATOR.iter_errors(document)}


def one(**fields: Any) -> dict[str, Any]:
    return {"checkers": [{"type": "tcp", "endpoint_url": "a:1", **fields}]}


def test_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", sorted((FILES / "good").glob("*.*[ln]")), ids=lambda p: p.name)
def test_good_file_is_good_but_for_what_the_reader_warns_of(path: Path) -> None:
    environ = {"HOST": "shop.example.com", "HOOK": "https://hooks.example.com/T0"}

    warned = {warning.key for warning in load(str(path), KINDS, environ).warnings}

    assert wrong(parsed(path)) <= warned


@pytest.mark.parametrize(
    "name",
    ["a-list.json", "appinsights.json", "many-problems.json", "numbers.json", "page.yaml"],
)
def test_bad_file_is_bad(name: str) -> None:
    assert wrong(parsed(FILES / "bad" / name))


@pytest.mark.row("A04", "A11", "A12", "A13", "A14")
@pytest.mark.parametrize(
    "document",
    [
        pytest.param({}, id="empty"),
        pytest.param({"checkers": None, "storage": None, "page": None}, id="nulls"),
        pytest.param({"storage": {"provider": "fs"}}, id="provider"),
        pytest.param({"notifiers": [{"name": "slack"}]}, id="name"),
        pytest.param({"notifier": {"name": "slack"}}, id="notifier"),
        pytest.param({"storage": {"type": "fs", "provider": "x"}}, id="both"),
        pytest.param(one(timeout="1m30.5s"), id="duration"),
        pytest.param(one(timeout=1_000_000_000), id="nanoseconds"),
        pytest.param(one(timeout="${LIMIT:-5s}"), id="duration-of-the-environment"),
        pytest.param(one(attempts="${TIMES}"), id="number-of-the-environment"),
        pytest.param(one(tags="one"), id="list-of-one"),
        pytest.param(one(**{"x-note": {"any": "thing"}}), id="note"),
        pytest.param(one(Attempts=2), id="capitals"),
        pytest.param({"groups": ["a", {"name": "b", "interval": "5m"}]}, id="groups"),
        pytest.param({"page": {"refresh_interval": "2m"}}, id="seconds"),
        pytest.param({"$schema": "./checkup.schema.json"}, id="schema"),
    ],
)
def test_what_the_reader_takes_is_taken(document: Mapping[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "checkup.json"
    path.write_text(json.dumps(document))

    load(str(path), KINDS, {"TIMES": "2"})
    assert wrong(document) == set()


@pytest.mark.row("A19")
@pytest.mark.parametrize(
    ("document", "place"),
    [
        pytest.param([], "", id="list"),
        pytest.param(one(tiemout="5s"), "checkers[0]", id="misspelt"),
        pytest.param({"chekcers": []}, "", id="misspelt-section"),
        pytest.param(one(timeout="5 seconds"), "checkers[0].timeout", id="duration"),
        pytest.param(one(timeout=1.5), "checkers[0].timeout", id="fraction"),
        pytest.param(one(attempts="3"), "checkers[0].attempts", id="text"),
        pytest.param(one(recheck=6), "checkers[0].recheck", id="limit"),
        pytest.param(one(tls="yes"), "checkers[0].tls", id="truth"),
        pytest.param(one(type="htpp"), "checkers[0].type", id="kind"),
        pytest.param(one(must_contain="x"), "checkers[0]", id="key-of-another-kind"),
        pytest.param({"checkers": [{"endpoint_url": "a:1"}]}, "checkers[0]", id="no-type"),
        pytest.param({"interval": "-1m"}, "interval", id="negative"),
        pytest.param({"interval": 0}, "interval", id="zero"),
        pytest.param({"maintenance": [{"duration": "1h"}]}, "maintenance[0]", id="required"),
        pytest.param({"page": {"theme": "drak"}}, "page.theme", id="choice"),
        pytest.param({"page": {"links": [None]}}, "page.links[0]", id="null-in-a-list"),
    ],
)
def test_what_strict_validation_refuses_is_underlined(
    document: Any, place: str, tmp_path: Path
) -> None:
    path = tmp_path / "checkup.json"
    path.write_text(json.dumps(document))
    found = wrong(document)

    assert found
    assert all(place.startswith(at) for at in found), found


@pytest.mark.parametrize("old", ["storage-fs.provider", "notifier-slack.name"])
def test_old_spellings_are_marked(old: str) -> None:
    definition, _, key = old.partition(".")
    assert SCHEMA["$defs"][definition]["properties"][key]["deprecated"] is True
    assert SCHEMA["properties"]["notifier"]["deprecated"] is True


@pytest.mark.parametrize(
    ("what", "name"), [(what, name) for what, registry in KINDS_OF.items() for name in registry]
)
def test_every_key_of_a_kind_is_described(what: str, name: str) -> None:
    kind: type[Struct] = KINDS_OF[what][name]
    written = SCHEMA["$defs"][f"{what}-{name}"]["properties"]

    for field in structs.fields(kind):
        assert written[field.encode_name]["description"] == meta_description(field.type)
    assert written["type"]["const"] == name
    assert name in SCHEMA["$defs"][what]["properties"]["type"]["enum"]


def test_every_key_of_the_file_is_described() -> None:
    told = {field.encode_name for field in structs.fields(Config) if meta_description(field.type)}

    assert set(SCHEMA["properties"]) == {*told, *CHECKER_DEFAULT_KEYS, "notifier", "$schema"}
    assert set(GROUP_DEFAULT_KEYS) < set(SCHEMA["$defs"]["group"]["properties"])
    assert set(SIMPLE_KEYS) < told
    assert all(each["description"] for each in SCHEMA["properties"].values())


def test_every_mark_of_a_type_has_a_schema() -> None:
    assert set(_MARKED) <= set(DEFINITIONS)


def test_defaults_are_written_as_people_write_them() -> None:
    http, tcp = (SCHEMA["$defs"][f"checker-{name}"]["properties"] for name in ("http", "tcp"))

    assert (http["timeout"]["default"], tcp["timeout"]["default"]) == ("10s", "1s")
    assert http["remind_every"]["default"] == "4h"
    assert http["recheck"]["default"] == 2
    assert SCHEMA["properties"]["interval"]["default"] == "1m"


def test_every_default_and_example_is_valid() -> None:
    def schemas(node: Any) -> list[dict[str, Any]]:
        if isinstance(node, dict):
            return [node, *(each for value in node.values() for each in schemas(value))]
        return [each for value in node for each in schemas(value)] if isinstance(node, list) else []

    given = [each for each in schemas(SCHEMA) if {"default", "examples"} & set(each)]
    assert len(given) > 50
    for written in given:
        values = [
            *written.get("examples", ()),
            *([written["default"]] if "default" in written else ()),
        ]
        for value in values:
            alone = {"$defs": SCHEMA["$defs"], **written}
            assert Draft202012Validator(alone).is_valid(value), (value, written)


def test_secrets_suggest_a_reference() -> None:
    for kind in KINDS.notifiers.values():
        for field in structs.fields(kind):
            if meta_extra(field.type, "is") == "secret":
                key = f"notifier-{kind.kind}"
                secret = SCHEMA["$defs"][key]["properties"][field.encode_name]
                assert {"$ref": "#/$defs/secret"} in secret["anyOf"]
    assert "${NAME}" in SCHEMA["$defs"]["secret"]["examples"]
