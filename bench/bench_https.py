"""Budgets 2b to 5: the command with many HTTPS endpoints of 100 ms, from a cold process.

All figures are those of whole processes: start, configuration, checks and output. Both sides of a
ratio take turns, and each figure is a median. Go gets each endpoint once, too, over a connection of
its own, with as many in flight.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import cpu_share
from budgets import Table
from cores import ROOT, Took, cold
from servers import LATENCY, Https, https

MANY, FEW = 1_000, 50
AT_ONCE = 256
ROUNDS = 5

CHECKUP = str(Path(sys.executable).parent / "checkup")


def main() -> None:
    """Measure and judge."""
    table = Table()
    with tempfile.TemporaryDirectory() as place, https() as server:
        go = go_program(Path(place))
        many: list[Took] = []
        few: list[Took] = []
        share: list[Took] = []
        imports: list[Took] = []
        gets: list[Took] = []
        with cpu_share.group() as group:
            for _ in range(ROUNDS):
                many.append(check(server, MANY, Path(place)))
                if go:
                    arguments = (server.url, str(MANY), str(AT_ONCE))
                    gets.append(cold(go, *arguments, environ=server.environ))
                few.append(check(server, FEW, Path(place)))
                imports.append(cold(sys.executable, "-c", "import requests"))
                share.append(check(server, FEW, Path(place), share=group))

    table.row("https-50-start", cpu(few) / cpu(imports))
    table.note("CPU of the command with 50 endpoints", cpu(few) * 1000, "ms")
    if gets:
        table.row("https-go", cpu(many) / cpu(gets))
        table.note("CPU of Go per GET", cpu(gets) * 1000 / MANY, "ms")
    else:
        print("left out: the comparison with Go, for `go` is neither here nor can be installed")
    table.note("CPU per check of 1,000", cpu(many) * 1000 / MANY, "ms")
    table.row("https-1000-p50", late(many, 50))
    table.row("https-1000-p95", late(many, 95))
    table.note("wall time with 1,000 endpoints", median([it.wall for it in many]), "s")
    table.row("https-50-p50", late(few, 50))
    table.row("https-50-p95", late(few, 95))
    table.row("https-share-p50", late(share, 50))
    table.row("https-share-p95", late(share, 95))
    table.note(
        f"wall time with part of a core, limited {cpu_share.describe(group)}",
        median([it.wall for it in share]),
        "s",
    )
    table.row(
        "https-memory", median([it.memory for it in many]) - median([it.memory for it in few])
    )
    table.end()


def check(server: Https, count: int, place: Path, share: str = "whole") -> Took:
    """Run the command once with so many endpoints; all of them have to be healthy."""
    file = place / f"{count}.json"
    endpoints = (
        {"type": "http", "endpoint_name": f"Service {n}", "endpoint_url": f"{server.url}/{n}"}
        for n in range(count)
    )
    file.write_text(json.dumps({"checkers": list(endpoints)}))
    return cold(CHECKUP, "-c", str(file), "--json", environ=server.environ, share=share)


def late(runs: list[Took], percentile: int) -> float:
    """Return the milliseconds that were reported beyond the true latency."""
    found = []
    for run in runs:
        rtts = sorted(it["times"][0]["rtt"] / 1e6 for it in json.loads(run.output))
        found.append(rtts[len(rtts) * percentile // 100] - LATENCY * 1000)
    return median(found)


def cpu(runs: list[Took]) -> float:
    """Return the seconds of processor time."""
    return median([it.cpu for it in runs])


def median(figures: list[float]) -> float:
    """Return the middle one."""
    return statistics.median(figures)


def go_program(folder: Path) -> str:
    """Build the program in Go and return its path; empty if there is no Go."""
    if not shutil.which("go") and os.geteuid() == 0 and shutil.which("apt-get"):
        install = ["apt-get", "install", "--yes", "--quiet", "golang-go"]
        subprocess.run(install, stdout=subprocess.DEVNULL, check=False)
    if not shutil.which("go"):
        return ""
    program = folder / "https_get"
    environ = {**os.environ, "GOCACHE": str(ROOT / "var" / "go-cache"), "GOTOOLCHAIN": "local"}
    source = ROOT / "bench" / "https_get.go"
    subprocess.run(["go", "build", "-o", program, source], env=environ, check=True)
    return str(program)


if __name__ == "__main__":
    main()
