"""The golden files: what machines read of one world, to the byte.

``python -m tests.page.formats.goldens`` writes them anew; what changed is seen in the diff.
"""

from __future__ import annotations

import json
from pathlib import Path

from checkup_page.formats import MachineFiles
from tests.page.formats.world import announced

FOLDER = Path(__file__).parents[1] / "golden"


def made() -> dict[str, str]:
    """The files by path, as texts that can be compared line by line; of badges, some."""
    page = announced()
    others = tuple(f"badges/{item.key}" for group in page.groups[1:] for item in group.components)
    return {
        path: readable(path, file.body)
        for path, file in MachineFiles().files(page).items()
        if not path.startswith(others)
    }


def readable(path: str, body: bytes) -> str:
    text = body.decode()
    return (
        json.dumps(json.loads(text), ensure_ascii=False, indent=2) + "\n"
        if path.endswith(".json")
        else text
    )


def kept() -> dict[str, str]:
    paths = (path for path in FOLDER.rglob("*") if path.is_file())
    return {path.relative_to(FOLDER).as_posix(): path.read_bytes().decode() for path in paths}


def write() -> None:
    files = made()
    for path in kept().keys() - files.keys():
        (FOLDER / path).unlink()
    for path, text in files.items():
        (FOLDER / path).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / path).write_bytes(text.encode())


if __name__ == "__main__":
    write()
