"""ARCHITECTURE.md and CONTRIBUTING.md describe the code that is here."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BASES = [ROOT, ROOT / "layers" / "core" / "checkup", ROOT / "statuspage" / "checkup_page"]
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILE = re.compile(r"`([\w./-]+\.(?:py|css|js|html|svg|toml|yaml|json|md))`")
FROM_OUTSIDE = {"checkup.json", "index.json", "index.html", "state/head.json"}
FROM_OUTSIDE |= {
    "history/head.json",
    "history/year.json",
    "incidents/head.json",
    "history/page.json",
}
"""Files that the program writes or that its users write."""
MOST_FILES = 20


def section(text: str, title: str) -> str:
    return re.split(r"^## ", text.partition(f"\n## {title}\n")[2], flags=re.MULTILINE)[0]


def files(text: str) -> list[str]:
    return [name for name in dict.fromkeys(FILE.findall(text)) if name not in FROM_OUTSIDE]


@pytest.mark.parametrize("text", [ARCHITECTURE, CONTRIBUTING], ids=["architecture", "contributing"])
def test_every_file_that_is_named_exists(text: str) -> None:
    named = files(text)
    assert len(named) > 20
    missing = [name for name in named if not any((base / name).exists() for base in BASES)]
    assert missing == []


@pytest.mark.parametrize(
    "title", ["One result, from checker to Slack", "One result, from storage to the page"]
)
def test_result_passes_at_most_20_files(title: str) -> None:
    assert 10 < len(files(section(ARCHITECTURE, title))) <= MOST_FILES


def test_layers_are_those_that_import_linter_checks() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    rows = re.findall(r"^\| (`.+?`) \|", section(ARCHITECTURE, "Layers"), re.MULTILINE)

    assert [re.findall(r"`(\w+)`", row) for row in rows] == [it.split(" : ") for it in layers]
