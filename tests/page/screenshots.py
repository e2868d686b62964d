"""Pictures of the page in every state, to be looked at: ``python -m tests.page.screenshots``."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from checkup.ports import PageFile
from tests.page.conftest import FLAGS, Site
from tests.page.showcase import STATES

SCREENS: dict[str, dict[str, Any]] = {
    "phone": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2},
    "desktop": {"viewport": {"width": 1280, "height": 800}},
}


def main() -> None:
    """Write the pictures of all states, or of those that are named."""
    folder = Path("var/screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    named = sys.argv[1:] or STATES
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for state in named:
            for path in _pictures(browser, folder, state, STATES[state](time.time_ns())):
                print(path)
        browser.close()


def _pictures(
    browser: Browser, folder: Path, state: str, files: Mapping[str, PageFile]
) -> Iterator[Path]:
    site = Site()
    site.files = files
    for screen, options in SCREENS.items():
        for theme in ("light", "dark"):
            context = browser.new_context(
                **options, color_scheme=theme, timezone_id="UTC", locale="en-GB"
            )
            page = context.new_page()
            page.goto(f"{site.url}index.html")
            path = folder / f"{state}-{screen}-{theme}.png"
            page.screenshot(path=path, full_page=True)
            context.close()
            yield path
    site.close()


if __name__ == "__main__":
    main()
