"""Makes what the tests of compatibility go on from; run once, when 0.1.0 was the newest version.

``python -m tests.compatibility.make_0_1_0 CHECKOUT`` packs the program out of a checkout of that
version, and lets it live through the story of the shop in each kind of place.
"""

from __future__ import annotations

import json
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

from tests.compatibility.places import CODE, KINDS, MADE, new_place, unpack, world
from tests.project.snapshots import shop

PACKED: Final = ("layers/core/checkup", "statuspage/checkup_page", "functions")
ABOUT: Final = "layers/core/checkup-0.1.0.dist-info"

_METADATA: Final = "Metadata-Version: 2.1\nName: checkup\nVersion: 0.1.0\n"
_SCRIPTS: Final = "[console_scripts]\ncheckup = checkup.cli:main\n"


def pack_code(checkout: Path) -> None:
    """Pack the program, and what an installation says of its console script."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in PACKED:
            ignored = shutil.ignore_patterns(
                "__pycache__", "*.pyc", "requirements*", "checkup.json"
            )
            shutil.copytree(checkout / part, folder / part, ignore=ignored)
        (folder / ABOUT).mkdir()
        (folder / ABOUT / "METADATA").write_text(_METADATA)
        (folder / ABOUT / "entry_points.txt").write_text(_SCRIPTS)
        pack(folder, CODE)


def pack_places() -> None:
    """Let the story happen in each kind of place, and pack what has become of them."""
    with tempfile.TemporaryDirectory() as code, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with world(folder, old=unpack(CODE, Path(code))) as around:
            for kind in KINDS:
                place = new_place(kind, folder / kind, around)
                place.make("old")
                facts = place.facts(place.machine("old"), shop.RUNS - 1)
                place.save()
                (place.folder / "facts.json").write_text(json.dumps(facts, indent=2))
        pack(folder, MADE)


def pack(folder: Path, archive: Path) -> None:
    """Pack a folder so that the same files give the same bytes."""
    with tarfile.open(archive, "w:xz", preset=9) as tar:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix != ".lock":
                info = tar.gettarinfo(path, path.relative_to(folder).as_posix())
                info.uid = info.gid = info.mtime = 0
                info.uname = info.gname = ""
                info.mode = 0o644
                with path.open("rb") as file:
                    tar.addfile(info, file)


if __name__ == "__main__":
    pack_code(Path(sys.argv[1]))
    pack_places()
