"""``python -m tests.differential.audit``: ask Go's net/http for all shapes too; needs golang-go.

A shape that only we understand, or that Go gets through and we do not, has to be listed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.differential.conftest import ENCODINGS
from tests.differential.http_clients import ShapeServer, ask_curl, ask_go, ask_us
from tests.differential.http_shapes import DIFFERENCES, NOT_AS_GO, shapes


def main() -> int:
    """Print the shapes that are not listed, and return how many there are."""
    sys.path.insert(0, str(ENCODINGS))
    found = shapes()
    meant = {name for difference in DIFFERENCES for name in difference.ours} | set(NOT_AS_GO)
    with tempfile.TemporaryDirectory() as folder, ShapeServer(list(found.values())) as server:
        program = Path(folder) / "client"
        source = Path(__file__).with_name("client.go")
        cache = {**os.environ, "GOCACHE": f"{folder}/cache", "GO111MODULE": "off"}
        subprocess.run(["go", "build", "-o", program, source], env=cache, check=True)
        urls = server.urls()
        answers = zip(found, map(ask_us, urls), ask_go(urls, program), strict=True)
        curl = dict(zip(found, ask_curl(urls, Path(folder)), strict=True))
        unlisted = 0
        for name, ours, go in answers:
            is_alone = ours not in (go, curl[name])
            is_stopped = isinstance(ours.status, str) and go.status in range(200, 400)
            if name not in meant and (is_alone or is_stopped):
                unlisted += 1
                print(f"{name}: ours {ours}, Go {go}, curl {curl[name]}")
    print(f"{len(found)} shapes, {unlisted} differences from Go that are not listed")
    return unlisted


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
