"""Budget 12, and how the built functions start under AWS's own runtime emulator.

A start is all from the beginning of the interpreter, imports and clients included, to the answer
to an event that is refused before anything is asked of AWS. The stack is built first, which takes
a minute or two.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from budgets import Table
from cores import CORES, ROOT, alone

sys.path.insert(0, str(ROOT))

from tests.stack.lambdas import Environment, Function
from tests.stack.project import PROCESSOR, copy_to

MEGABYTE = 1_000_000
ROUNDS = 9
LAYERS = ["CoreLayer", "StatusPageLayer"]
FUNCTIONS = {"CheckFunction": "check", "PublishFunction": "publish"}
NOWHERE = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_SECRET_ACCESS_KEY": "none",
    "PAGE_BUCKET": "page",
    "STATE_BUCKET": "state",
}


def main() -> None:
    """Build, measure and judge."""
    table = Table()
    with tempfile.TemporaryDirectory() as place:
        project = copy_to(Path(place) / "project")
        project.build(PROCESSOR)
        opt = Path(place) / "opt"
        for layer in LAYERS:
            shutil.copytree(project.built / layer, opt, dirs_exist_ok=True)
        size = sum(file.stat().st_size for file in opt.rglob("*") if file.is_file()) / MEGABYTE
        table.row("package", size)
        alone(frozenset(CORES))
        for folder, module in FUNCTIONS.items():
            function = Function(
                module, f"{module}.handler", project.built / folder, opt, environ=NOWHERE
            )
            times = [start(function, Path(place) / f"{module}{n}") for n in range(ROUNDS)]
            table.note(f"cold start of {module}", statistics.median(times) * 1000, "ms")
    table.end()


def start(function: Function, folder: Path) -> float:
    """Return the seconds that the first event of a new environment takes."""
    environment = Environment(function, folder)
    try:
        answer = environment.invoke({"an": "event of nobody"})
    finally:
        environment.stop()
    assert answer.error == "EventError", answer
    return answer.seconds


if __name__ == "__main__":
    main()
