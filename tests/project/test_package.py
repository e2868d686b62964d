"""What people install: the wheel, its name, and what Checkup says about other packages."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
import yaml

from checkup import DISTRIBUTION, __version__
from checkup.errors import missing_extra
from tests.cli.program import Program

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).parent / "uv"
SOURCES = {
    "checkup": ROOT / "layers/core/checkup",
    "checkup_page": ROOT / "statuspage/checkup_page",
}
CHECKER = {"type": "tcp", "endpoint_name": "db", "endpoint_url": "127.0.0.1:5432"}


def git(*words: str) -> list[str]:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from the source archive as a release builds it."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([UV, "build", "--quiet", "--out-dir", folder, ROOT], check=True)
    (file,) = folder.glob("*.whl")
    return zipfile.ZipFile(file)


def test_wheel_has_the_name_and_every_file_of_both_packages(wheel: zipfile.ZipFile) -> None:
    own = {
        f"{package}/{Path(name).relative_to(folder.relative_to(ROOT))}"
        for package, folder in SOURCES.items()
        for name in git("ls-files", "--cached", "--others", "--exclude-standard", str(folder))
        if (ROOT / name).exists()
    }
    (information,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = message_from_bytes(wheel.read(information))

    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == own
    assert (metadata["Name"], metadata["Version"]) == (DISTRIBUTION, __version__)


def test_name_of_the_distribution_is_written_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["name"] == DISTRIBUTION


def test_no_hint_names_a_package_of_somebody_else() -> None:
    # PyPI's ``checkup`` is another project: who followed such a hint would run a stranger's code.
    hint = re.compile(
        r"\b(?:pip|pipx|uv|uvx)\b[^\n`]*\binstall\b[^\n`]*\bcheckup\b(?!-)", re.IGNORECASE
    )
    found = [
        f"{name}: {match[0]}"
        for name in git("ls-files")
        if (ROOT / name).suffix in {".py", ".md", ".yaml", ".yml", ".toml", ".html", ".sh", ""}
        for match in hint.finditer((ROOT / name).read_text(encoding="utf-8"))
        if "uninstall" not in match[0]
    ]

    assert found == []
    project = "checkup"  # apart from the hint, which this file must not contain either
    assert hint.search("pip install '" + project + "[sql]'")
    assert not hint.search(missing_extra("mysql", "sql"))


@pytest.mark.parametrize(
    ("script", "warned"),
    [
        pytest.param("checkup.main:run", True, id="another project"),
        pytest.param("checkup.cli:main", False, id="this program before 0.2.0"),
    ],
)
def test_other_project_in_the_same_environment_is_reported(
    tmp_path: Path, script: str, *, warned: bool
) -> None:
    other = tmp_path / "other" / "checkup-1.0.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: checkup\nVersion: 1.0\n")
    (other / "entry_points.txt").write_text(f"[console_scripts]\ncheckup = {script}\n")
    checkup = Program(tmp_path)
    checkup.write({"checkers": [CHECKER]})

    ended = checkup("validate", PYTHONPATH=str(other.parent))

    assert ended.returncode == 0
    assert ("pip uninstall checkup checkup-monitor" in ended.stderr) is warned


def test_workflows_run_targets_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z0-9-]+):.*##", makefile, re.MULTILINE))
    used = {
        word
        for file in (ROOT / ".github" / "workflows").glob("*.yml")
        for job in yaml.safe_load(file.read_text())["jobs"].values()
        for step in job["steps"]
        for word in re.findall(r"^make ([a-z0-9-]+)$", step.get("run", ""), re.MULTILINE)
    }

    assert {"lint", "test", "release-check"} <= used <= targets
