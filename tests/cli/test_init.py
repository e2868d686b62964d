"""A configuration to start from, and the schema that an editor checks it by."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from jsonschema import Draft202012Validator

from checkup.cli import config
from tests.cli.program import Program
from tests.cli.service import Service

URLS = ("https://www.example.com", "db.example.com:5432", "example.org", "http://u:p@h/?q={1}")


def test_starter_works_at_once(checkup: Program, service: Service) -> None:
    written = checkup("init", service.url)
    validated = checkup("validate", "--strict")
    looked = checkup()

    assert (written.returncode, written.stderr) == (0, "")
    assert written.stdout.startswith("written: checkup.yaml, checkup.schema.json\nNext: ")
    assert (validated.returncode, validated.stderr) == (0, "")
    assert "checkup.yaml: no warnings; 1 checker (http), storage: fs" in validated.stdout
    assert (looked.returncode, looked.stderr) == (0, "")
    assert " Assessment: healthy\n" in looked.stdout


def test_starter_without_addresses_is_an_example_and_says_so(checkup: Program) -> None:
    written = checkup("init")

    assert "edit checkup.yaml" in written.stdout
    assert checkup("validate", "--strict").returncode == 0
    assert "https://www.example.com" in (checkup.folder / "checkup.yaml").read_text()


def test_starter_stores_and_has_a_page(checkup: Program, service: Service) -> None:
    checkup("init", service.url)

    stored, page = checkup("--store"), checkup("page", "public")

    assert (stored.returncode, stored.stdout, stored.stderr) == (0, "", "")
    assert len(checkup.runs()) == 1
    assert page.returncode == 0
    assert "Status</title>" in (checkup.folder / "public" / "index.html").read_text()


def test_json_says_the_same_without_comments(checkup: Program) -> None:
    written = checkup("init", "--json", *URLS)

    assert written.stdout.startswith("written: checkup.json, ")
    content = json.loads((checkup.folder / "checkup.json").read_text())
    assert content.pop("$schema") == "./checkup.schema.json"
    assert content == yaml.safe_load(config.starter_yaml(URLS))
    assert checkup("validate").returncode == 0


@pytest.mark.parametrize("present", ["checkup.json", "checkup.yaml", "checkup.yml"])
@pytest.mark.parametrize("flags", [(), ("--json",)], ids=["yaml", "json"])
def test_nothing_is_overwritten(checkup: Program, present: str, flags: tuple[str, ...]) -> None:
    (checkup.folder / present).write_text("mine")

    refused = checkup("init", *flags)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"{present} already exists" in refused.stderr
    assert [path.name for path in checkup.folder.iterdir()] == [present]
    assert (checkup.folder / present).read_text() == "mine"


def test_schema_that_is_there_is_kept(checkup: Program) -> None:
    (checkup.folder / "checkup.schema.json").write_text("mine")

    assert checkup("init").stdout.startswith("written: checkup.yaml\n")
    assert (checkup.folder / "checkup.schema.json").read_text() == "mine"


def test_folder_that_cannot_be_written_is_named(checkup: Program) -> None:
    (checkup.folder / "checkup.yaml").symlink_to("nowhere/at/all")

    refused = checkup("init")

    assert (refused.returncode, refused.stdout) == (1, "")
    assert "checkup.yaml cannot be written: " in refused.stderr


def test_editor_finds_the_schema_and_has_nothing_to_say(checkup: Program) -> None:
    for flags, name in (((), "checkup.yaml"), (("--json",), "checkup.json")):
        assert checkup("init", *flags, *URLS).returncode == 0
        text = (checkup.folder / name).read_text()
        named = re.search(r'\$schema(?:=|": ")(\S+?)["\n]', text)
        assert named
        schema = json.loads((checkup.folder / named[1]).read_text())
        assert Draft202012Validator(schema).is_valid(yaml.safe_load(text))
        (checkup.folder / name).unlink()


def test_schema_is_printed(checkup: Program) -> None:
    checkup("init")

    printed = checkup("schema")

    assert (printed.returncode, printed.stderr) == (0, "")
    assert printed.stdout == (checkup.folder / "checkup.schema.json").read_text()
    assert json.loads(printed.stdout)["$schema"].endswith("2020-12/schema")


def test_everything_that_is_switched_off_works_when_switched_on(checkup: Program) -> None:
    text = config.starter_yaml(())
    on = re.sub(r"^( *)#(?! \S|\n| yaml)", r"\1", text, flags=re.MULTILINE)
    (checkup.folder / "checkup.yaml").write_text(on)

    validated = checkup("validate", "--strict", SLACK_WEBHOOK="https://hooks.example.com/T0")

    assert validated.returncode == 0, validated.stdout
    assert "3 checkers (http, tcp, tls), storage: fs, notifiers: slack" in validated.stdout


def test_each_address_is_the_checker_that_it_looks_like() -> None:
    checkers = yaml.safe_load(config.starter_yaml(URLS))["checkers"]

    assert [tuple(checker.values()) for checker in checkers] == [
        ("http", "www.example.com", "https://www.example.com"),
        ("tcp", "db.example.com:5432", "db.example.com:5432"),
        ("http", "example.org", "https://example.org"),
        ("http", "h", "http://u:p@h/?q={1}"),
    ]
