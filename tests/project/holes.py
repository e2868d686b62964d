"""Known holes in the libraries that the layers hold, asked of a public database.

python -m tests.project.holes     fail if there is one; say so if nobody could be asked
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
LOCKS = [ROOT / "layers/core/requirements.txt", ROOT / "statuspage/requirements.txt"]
PROGRAM = ROOT / "var/tools/holes/bin/pip-audit"
SERVICES = ("osv", "pypi")
"""Databases with an interface of their own; the second is asked if the first cannot be."""

EXPLAINED: Final[Mapping[str, str]] = {}
"""Holes that do not concern us, by their ids, each with the reason."""


class Answer(NamedTuple):
    """What a database says.

    Attributes:
        asked: libraries that it knows.
        unknown: why nothing is known of the others, each.
        holes: library, version, hole, and what mends it.
    """

    asked: int
    unknown: tuple[str, ...]
    holes: tuple[str, ...]


def main() -> int:
    """Return 1 if there is a hole that nobody has explained."""
    for service in SERVICES:
        answer = _ask(service)
        if answer.holes:
            print("\n".join(["known holes:", *answer.holes]))
            return 1
        if not answer.unknown:
            print(f"{service} knows of no hole in {answer.asked} libraries")
            return 0
        print(f"{service} does not say: {answer.unknown[0]:.160}")
    print("NOT AUDITED: whether the libraries have known holes was not found out here")
    return 0


def _ask(service: str) -> Answer:
    locks = [word for lock in LOCKS for word in ("--requirement", str(lock))]
    options = ["--disable-pip", "--require-hashes", "--progress-spinner=off", "--format=json"]
    asked = [str(PROGRAM), *options, f"--vulnerability-service={service}", *locks]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if not done.stdout.startswith("{"):
        last = (done.stderr.strip() or "no answer").splitlines()[-1]
        return Answer(asked=0, unknown=(last,), holes=())
    return judged(json.loads(done.stdout)["dependencies"])


def judged(libraries: Sequence[Mapping[str, Any]]) -> Answer:
    """Return what a report of pip-audit comes to."""
    known = [library for library in libraries if "skip_reason" not in library]
    return Answer(
        asked=len(known),
        unknown=tuple(it["skip_reason"] for it in libraries if "skip_reason" in it),
        holes=tuple(
            f"{library['name']} {library['version']}: {hole['id']}, mended by "
            f"{', '.join(hole['fix_versions']) or 'no version yet'}"
            for library in known
            for hole in library["vulns"]
            if not {hole["id"], *hole["aliases"]} & EXPLAINED.keys()
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
