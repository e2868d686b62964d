"""Budgets 3, 4 and 5: a thousand HTTPS endpoints of 100 ms, and what each check costs.

The figures of Checkup are the medians of three runs; the naive client is measured between them,
with the same roots: those of certifi and the server's own.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import certifi
import trustme
from budgets import Table
from cores import measured, server

ENDPOINTS = 1_000
IN_FLIGHT = 256
NAIVE = 150
ROUNDS = 3


def main() -> None:
    """Measure and judge."""
    with tempfile.TemporaryDirectory() as folder:
        authority = trustme.CA()
        certificate, roots = Path(folder) / "server.pem", Path(folder) / "roots.pem"
        issued = authority.issue_cert("127.0.0.1", "localhost")
        issued.private_key_and_cert_chain_pem.write_to_path(certificate)
        roots.write_bytes(Path(certifi.where()).read_bytes() + authority.cert_pem.bytes())
        running = server("https_server.py", str(certificate), "0.1")
        try:
            assert running.stdout
            url = f"https://127.0.0.1:{running.stdout.readline().strip()}"
            judge(url, {"SSL_CERT_FILE": str(roots), "REQUESTS_CA_BUNDLE": str(roots)})
        finally:
            running.kill()
            running.wait()


def judge(url: str, environ: dict[str, str]) -> None:
    """Measure both sides in turn."""
    ours: list[dict[str, float]] = []
    naive: list[dict[str, float]] = []
    for _ in range(ROUNDS):
        ours.append(
            measured(
                "look_at_https.py", "checkup", url, str(ENDPOINTS), str(IN_FLIGHT), environ=environ
            )
        )
        naive.append(measured("look_at_https.py", "naive", url, str(NAIVE), "32", environ=environ))
    cpu, naive_cpu = median(ours, "cpu"), median(naive, "cpu")
    table = Table()
    table.note("CPU per HTTPS check ÷ requests.get in threads", cpu / naive_cpu)
    table.note("CPU per check", cpu, "ms")
    table.note("CPU per requests.get", naive_cpu, "ms")
    table.row("https-1000-p50", median(ours, "p50"))
    table.row("https-1000-p95", median(ours, "p95"))
    table.note("the same of requests.get, p50", median(naive, "p50"), "ms")
    table.row("https-memory", median(ours, "memory"))
    table.note("wall time of the run", median(ours, "wall"), "s")
    beside_go(url, environ, table)
    table.end()


def beside_go(url: str, environ: dict[str, str], table: Table) -> None:
    """Measure the Go program as well, where there is one that is not ours."""
    program = shutil.which("checkup")
    if program is None or Path(program).read_bytes()[:4] != b"\x7fELF":
        return
    checkers = [
        {"type": "http", "endpoint_name": str(n), "endpoint_url": f"{url}/{n}"}
        for n in range(ENDPOINTS)
    ]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "checkup.json"
        file.write_text(json.dumps({"checkers": checkers, "concurrent_checks": IN_FLIGHT}))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.monotonic()
        subprocess.run(
            [program, "-c", str(file)],
            env={**os.environ, **environ},
            stdout=subprocess.DEVNULL,
            check=False,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    table.note("Go: CPU per check, start of the program included", spent * 1000 / ENDPOINTS, " ms")
    table.note("Go: wall time of the run", time.monotonic() - started, "s")


def median(runs: list[dict[str, float]], key: str) -> float:
    """Return the middle one."""
    return statistics.median(run[key] for run in runs)


if __name__ == "__main__":
    main()
