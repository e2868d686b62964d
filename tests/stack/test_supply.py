"""What the layers are made of: that, and nothing else, each time, and written down."""

from __future__ import annotations

import email
import hashlib
import json
import re
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from tests.emulators import ROOT, TOOLS, require
from tests.stack.project import OTHER, PROCESSOR, Project, copy_to

SCHEMAS = TOOLS / "sbom" / "lib"
PART = "http://cyclonedx.org/schema/{}"


@pytest.mark.row("171", "S9.1")
@pytest.mark.parametrize("processor", [PROCESSOR, OTHER])
def test_build_fails_over_a_library_that_was_replaced(tmp_path: Path, processor: str) -> None:
    project = copy_to(tmp_path / "project")
    lock = project.folder / "statuspage" / "requirements.txt"
    other = rf"\1 --hash=sha256:{'0' * 64}"
    lock.write_text(re.sub(r"(markupsafe==\S+)(?: \\\n {4}\S+)+", other, lock.read_text()))
    with pytest.raises(
        pytest.fail.Exception, match=r"DO NOT MATCH THE HASHES(?s:.*)Expected sha256 0{64}"
    ):
        project.build(processor, "StatusPageLayer")


@pytest.mark.row("171", "S9.1")
def test_layers_hold_no_library_that_is_not_locked(project: Project) -> None:
    for layer, folder in (("CoreLayer", "layers/core"), ("StatusPageLayer", "statuspage")):
        lock = (ROOT / folder / "requirements.txt").read_text()
        held = (project.built / layer / "python").glob("*.dist-info")
        for name, version in (it.name.removesuffix(".dist-info").split("-") for it in held):
            assert f"\n{name.lower().replace('_', '-')}=={version} " in lock


@pytest.mark.row("S9.4")
def test_build_for_the_other_processor_differs_in_native_code_only(
    project: Project, other_project: Future[Project]
) -> None:
    one, two = contents(project.built), contents(other_project.result().built)
    assert one == two
    assert len(one) > 2000


def contents(built: Path) -> dict[str, str]:
    """Return the hashes of all files, but for those that differ from processor to processor."""
    return {
        str(file.relative_to(built.parent)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in [*built.rglob("*"), built.parent / "sbom.cdx.json"]
        if file.is_file() and file.suffix != ".so" and file.name not in {"WHEEL", "template.yaml"}
    }


@pytest.mark.row("S9.4")
def test_build_leaves_no_trace_of_where_it_was_made(project: Project) -> None:
    folder = bytes(project.folder)
    layers = [project.built / "CoreLayer", project.built / "StatusPageLayer"]
    files = [file for layer in layers for file in layer.rglob("*") if file.is_file()]
    assert [file for file in files if folder in file.read_bytes()] == []
    assert {file.name for file in files}.isdisjoint({"RECORD", "direct_url.json", "INSTALLER"})


@pytest.mark.row("S9.4")
def test_bill_of_materials_is_valid(project: Project) -> None:
    folder = next(require(SCHEMAS).glob("python3*/site-packages/cyclonedx/schema/_res"))
    schemas = {
        file.name: json.loads(file.read_text()) for file in folder.glob("*.SNAPSHOT.schema.json")
    }
    registry: Registry[Any] = Registry().with_resources(
        (PART.format(name), Resource.from_contents(schema)) for name, schema in schemas.items()
    )
    bill = bill_of(project)
    schema = schemas[f"bom-{bill['specVersion']}.SNAPSHOT.schema.json"]
    assert list(Draft7Validator(schema, registry=registry).iter_errors(bill)) == []


@pytest.mark.row("S9.4")
def test_bill_of_materials_names_all_libraries(project: Project) -> None:
    metadata = [email.message_from_bytes(it.read_bytes()) for it in project.built.rglob("METADATA")]
    held = {(it["Name"], it["Version"]) for it in metadata}
    assert {(it["name"], it["version"]) for it in bill_of(project)["components"]} == held
    assert len(held) > 15


def bill_of(project: Project) -> dict[str, Any]:
    bill: dict[str, Any] = json.loads((project.built.parent / "sbom.cdx.json").read_text())
    return bill
