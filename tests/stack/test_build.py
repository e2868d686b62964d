from __future__ import annotations

import gzip
import json
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from checkup import app
from tests.emulators import ROOT
from tests.stack.project import OTHER, PROCESSOR, Project

MACHINES = {"x86_64": 62, "arm64": 183}  # e_machine in an ELF header
MEGABYTE = 1_000_000


@pytest.fixture(params=["this processor", "the other processor"])
def build(request: pytest.FixtureRequest) -> tuple[Path, str]:
    """A build and the processor that it is for."""
    if request.param == "this processor":
        return request.getfixturevalue("project").built, PROCESSOR
    other: Future[Project] = request.getfixturevalue("other_project")
    return other.result().built, OTHER


def libraries(folder: Path) -> Iterator[Path]:
    return folder.rglob("*.so")


def test_native_code_is_for_the_processor_of_the_functions(build: tuple[Path, str]) -> None:
    folder, processor = build
    found = {
        library.name: struct.unpack_from("<H", library.read_bytes(), 18)[0]
        for library in libraries(folder)
    }
    assert found
    assert set(found.values()) == {MACHINES[processor]}, found


def test_native_code_runs_on_the_c_library_of_lambda(build: tuple[Path, str]) -> None:
    # Amazon Linux 2 has glibc 2.26 and Amazon Linux 2023, from Python 3.12 on, has 2.34.
    newest = 34 if sys.version_info >= (3, 12) else 26
    tags = [tag for wheel in build[0].rglob("WHEEL") for tag in tags_of(wheel)]
    minors = [int(minor) for tag in tags for minor in re.findall(r"manylinux_2_(\d+)_", tag)]
    assert tags
    assert all(minor <= newest for minor in minors), tags


def tags_of(wheel: Path) -> list[str]:
    """Return a wheel's tags, of which each installer needs one, unless one of them is old."""
    tags = re.findall(r"^Tag: (.*)$", wheel.read_text(), re.MULTILINE)
    return [] if any("manylinux2014" in tag or "manylinux_2_17" in tag for tag in tags) else tags


def test_every_module_has_its_byte_code(build: tuple[Path, str]) -> None:
    sources = [file for file in build[0].rglob("*.py") if "lib2to3" not in file.parts]
    tag = sys.implementation.cache_tag
    without = [
        source
        for source in sources
        if not (source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc").exists()
    ]
    assert len(sources) > 300
    assert without == []


def test_byte_code_is_taken_without_a_look_at_the_source(build: tuple[Path, str]) -> None:
    # https://peps.python.org/pep-0552/: flags 1 is "by hash", and without 2 "do not check".
    flags = {file.read_bytes()[4] for file in build[0].rglob("*.pyc")}
    assert flags == {1}


def test_both_layers_stay_small(build: tuple[Path, str]) -> None:
    layers = [build[0] / "CoreLayer", build[0] / "StatusPageLayer"]
    files = [file for layer in layers for file in layer.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 26 * MEGABYTE


def test_services_of_aws_that_the_program_talks_to_are_in_the_layer(
    build: tuple[Path, str],
) -> None:
    parts = ("layers", "statuspage", "functions")
    sources = [file for part in parts for file in (ROOT / part).rglob("*.py")]
    sources = [file for file in sources if "cli" not in file.parts]  # on a machine only
    spoken_to = {
        service
        for source in sources
        for service in re.findall(r"\baws\(\s*\"([a-z0-9-]+)\"", source.read_text())
    }
    data = build[0] / "CoreLayer" / "python" / "botocore" / "data"
    assert spoken_to >= {"s3", "ssm", "secretsmanager"}
    assert {service for service in spoken_to if not (data / service).is_dir()} == set()


@pytest.mark.row("S9.3")
def test_own_botocore_knows_conditional_writes(build: tuple[Path, str]) -> None:
    data = build[0] / "CoreLayer" / "python" / "botocore" / "data" / "s3"
    (model,) = data.glob("*/service-2.json.gz")
    shapes = json.loads(gzip.decompress(model.read_bytes()))["shapes"]
    assert shapes["PutObjectRequest"]["members"].keys() >= {"IfMatch", "IfNoneMatch"}


@pytest.mark.parametrize(
    ("package", "layers"),
    [("checkup", ["CoreLayer"]), ("checkup_page", ["CoreLayer", "StatusPageLayer"])],
)
def test_layers_alone_hold_all_that_the_program_imports(
    project: Project, package: str, layers: list[str]
) -> None:
    """Beyond them are only the command line, which a function has not, and extras."""
    script = (
        f"import pkgutil, importlib, {package} as top\n"
        "for it in pkgutil.walk_packages(top.__path__, top.__name__ + '.'):\n"
        "    if '.cli' not in it.name and '.storage.sql' not in it.name:\n"
        "        importlib.import_module(it.name); print(it.name)\n"
    )
    path = ":".join(str(project.built / layer / "python") for layer in layers)
    command = ["/usr/bin/env", "-i", f"PYTHONPATH={path}", sys.executable, "-S", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) > 5


@pytest.mark.parametrize("function", ["CheckFunction", "PublishFunction"])
def test_functions_bring_handlers_and_configuration(project: Project, function: str) -> None:
    files = {file.name for file in (project.built / function).iterdir() if file.is_file()}
    assert files == {"check.py", "publish.py", "checkup.json"}


def test_configuration_that_comes_with_the_functions_is_sound() -> None:
    config = app.read_config(str(ROOT / "functions" / "checkup.json"), {})
    assert config.checkers
    assert config.warnings == ()


@pytest.mark.parametrize("handler", ["check.py", "publish.py"])
def test_handlers_are_short(handler: str) -> None:
    assert len((ROOT / "functions" / handler).read_text().splitlines()) <= 40
