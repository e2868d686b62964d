"""Pictures of the page in every state, to be looked at: ``python -m tests.page.screenshots``."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests.page.conftest import FLAGS, Site
from tests.page.showcase import STATES

SCREENS: dict[str, dict[str, Any]] = {
    "phone": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2},
    "desktop": {"viewport": {"width": 1280, "height": 800}},
}


README = {
    "page-outage": ("outage", {"viewport": {"width": 1000, "height": 640}}),
    "page-phone": (
        "all-well",
        SCREENS["phone"] | {"device_scale_factor": 1, "color_scheme": "dark"},
    ),
}
"""The pictures in ``docs/``, which show what is first in sight."""


def main() -> None:
    """Write the pictures of all states, or of those that are named; ``docs`` are the README's."""
    named = sys.argv[1:] or [*STATES]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for state in named:
            if state == "docs":
                for name, (shown, options) in README.items():
                    _take(browser, shown, {Path(f"docs/{name}.png"): options}, whole=False)
            else:
                _take(browser, state, dict(_screens(state)), whole=True)
        browser.close()


def _screens(state: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    for screen, options in SCREENS.items():
        for theme in ("light", "dark"):
            path = Path(f"var/screenshots/{state}-{screen}-{theme}.png")
            yield path, options | {"color_scheme": theme}


def _take(
    browser: Browser, state: str, screens: Mapping[Path, dict[str, Any]], *, whole: bool
) -> None:
    """Take the pictures of one state, by the path and the options of a browser context."""
    site = Site()
    site.files = STATES[state](time.time_ns())
    for path, options in screens.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        context = browser.new_context(**options, timezone_id="UTC", locale="en-GB")
        page = context.new_page()
        page.goto(f"{site.url}index.html")
        page.screenshot(path=path, full_page=whole)
        context.close()
        print(path)
    site.close()


if __name__ == "__main__":
    main()
