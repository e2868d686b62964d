"""Behaviour as it was last looked at, seen from outside, to the byte.

``python -m tests.project.snapshots.goldens`` writes all of it anew, and with ``texts`` behind it
only the texts; what changed is seen in the diff.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests.project.snapshots import lines, notifications, stored
from tests.project.snapshots.parts import TEXTS

FOLDER: Final = Path(__file__).with_name("golden")


def shop(folder: Path) -> dict[str, str]:
    with stored.lived_through(folder) as here:
        return {**stored.documents(here), **stored.page(here), **stored.printed(here)}


MADE: Final[Mapping[str, tuple[Callable[[Path], dict[str, str]], tuple[str, ...]]]] = {
    "shop": (shop, ("stored", "page", "commands")),
    "timed": (stored.timed, ("timed",)),
    "notifications": (notifications.made, ("notifications",)),
    "functions": (lines.made, ("functions",)),
}
"""What makes the files, in an empty folder, and where it puts them."""


def kept(*places: str) -> dict[str, str]:
    """Return the files in some places, or all of them."""
    found = (path for path in FOLDER.rglob("*") if path.is_file())
    files = {path.relative_to(FOLDER).as_posix(): path.read_bytes().decode() for path in found}
    return {
        path: body for path, body in files.items() if not places or path.split("/")[1] in places
    }


def write(*, only: str = "") -> None:
    files: dict[str, str] = {}
    for make, _ in MADE.values():
        with tempfile.TemporaryDirectory() as folder:
            files |= make(Path(folder))
    for path in kept().keys() - files.keys():
        if path.startswith(only):
            (FOLDER / path).unlink()
    for path, body in files.items():
        if path.startswith(only):
            (FOLDER / path).parent.mkdir(parents=True, exist_ok=True)
            (FOLDER / path).write_bytes(body.encode())


if __name__ == "__main__":
    write(only=TEXTS if sys.argv[1:] == ["texts"] else "")
