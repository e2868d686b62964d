"""The page of the demo year, and of all states, under an HTML validator and Lighthouse."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import examples.demo.year
from tests.page.conftest import FLAGS
from tests.page.showcase import STATES

TOOLS = Path("var/tools/page/node_modules/.bin")
YEAR = Path("var/demo-year")
FOLDER = Path("var/audit")
RULES = Path(__file__).with_name("html-validate.json")
ATTEMPTS = 3
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")


def main() -> int:
    """Return how many of the audits failed."""
    subprocess.run(["sh", str(Path(__file__).with_name("tools.sh"))], check=True)
    if not (YEAR / "page").exists() and examples.demo.year.main():
        return 1
    shutil.rmtree(FOLDER, ignore_errors=True)
    invalid = validate([YEAR / "page", showcase()])
    with served() as address:
        poor = [path for path in one_of_each() if not is_best(address, path)]
    return invalid + len(poor)


def one_of_each() -> list[str]:
    """Return the path of one page of each kind."""
    page = YEAR / "page"
    kinds = ("index.html", "components/*.html", "incidents/*.html", "history/2*.html")
    return [str(max(page.glob(kind)).relative_to(page)) for kind in kinds]


def showcase() -> Path:
    """Write the pages of all states, and return where."""
    for state, files in STATES.items():
        for path, file in files(time.time_ns()).items():
            if path.endswith(".html"):
                place = FOLDER / state / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(file.body)
    return FOLDER


def validate(folders: list[Path]) -> int:
    """Say what is wrong with the HTML; return 1 if anything is."""
    pages = [str(path) for folder in folders for path in folder.rglob("*.html")]
    command = [str(TOOLS / "html-validate"), "-c", str(RULES), *pages]
    done = subprocess.run(command, check=False)
    print(f"html-validate: {len(pages)} pages, {'faults' if done.returncode else 'no fault'}")
    return int(done.returncode != 0)


@contextmanager
def served() -> Iterator[str]:
    """Serve the demo year as its owner would; yield the address."""
    command = [sys.executable, "-m", "checkup.cli", "-c", str(YEAR / "checkup.json"), "serve"]
    address = "http://127.0.0.1:3017/"
    with subprocess.Popen([*command, "--listen", "127.0.0.1:3017"]) as server:
        try:
            wait_for(address)
            yield address
        finally:
            server.terminate()


def wait_for(address: str) -> None:
    """Return as soon as somebody answers; the first page takes a while."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(address, timeout=30).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError(address)


def is_best(address: str, path: str) -> bool:
    """Say whether Lighthouse gives a page 100 throughout, once; a busy machine is no fault."""
    return any(score(address, path) for _ in range(ATTEMPTS))


def score(address: str, path: str) -> bool:
    """Print what Lighthouse gives a page, and what it lacks; say whether it is 100 throughout."""
    report = FOLDER / "lighthouse.json"
    command = [
        str(TOOLS / "lighthouse"),
        address + path,
        "--quiet",
        "--output=json",
        f"--output-path={report}",
        f"--only-categories={','.join(CATEGORIES)}",
        f"--chrome-flags=--headless=new {' '.join(FLAGS)}",
    ]
    chromium = shutil.which("chromium") or "chromium"
    subprocess.run(command, check=True, env={**os.environ, "CHROME_PATH": chromium})
    found = json.loads(report.read_text("utf-8"))
    scores = {name: round(100 * found["categories"][name]["score"]) for name in CATEGORIES}
    print(f"Lighthouse, {path}: {', '.join(f'{name} {it}' for name, it in scores.items())}")
    for name in CATEGORIES:
        for reference in found["categories"][name]["auditRefs"]:
            audit = found["audits"][reference["id"]]
            if reference["weight"] and audit["score"] not in {1, None}:
                print(f"  {audit['title']}: {audit.get('displayValue', '')}")
    return set(scores.values()) == {100}


if __name__ == "__main__":
    sys.exit(main())
