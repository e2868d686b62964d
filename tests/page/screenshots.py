"""Pictures of the first page in every state, and of every kind of page, to be looked at.

``python -m tests.page.screenshots`` takes all of them, or those that are named.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from checkup.times import hour_start
from examples.demo.announced import key_of
from tests.page.conftest import FLAGS, Site
from tests.page.showcase import STATES
from tests.page.years import path_of, told

SCREENS: dict[str, dict[str, Any]] = {
    "phone": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2},
    "desktop": {"viewport": {"width": 1280, "height": 800}},
}


KINDS = {
    "year": "index.html",
    "component": path_of("search"),
    "component-ko": path_of("checkout", "ko/"),
    "incident": f"incidents/{key_of('Search answers slowly')}.html",
    "incident-over": f"incidents/{key_of('Payments time out')}.html",
    "maintenance-ahead": f"maintenance/{key_of('New search cluster')}.html",
    "maintenance-over": f"maintenance/{key_of('Network upgrade of the platform')}.html",
    "month": f"history/{datetime.now(UTC):%Y-%m}.html",
    "history": "history/index.html",
    "missing": "nowhere.html",
}
"""Pages of the demo's year, by what they are called here."""

README = {
    "page-outage": ("outage", {"viewport": {"width": 1000, "height": 640}}),
    "page-phone": (
        "all-well",
        SCREENS["phone"] | {"device_scale_factor": 1, "color_scheme": "dark"},
    ),
}
"""The pictures in ``docs/``, which show what is first in sight."""


def main() -> None:
    """Write the pictures that are named, by default all; ``docs`` are the README's."""
    named = sys.argv[1:] or [*STATES, *KINDS]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for name in named:
            if name == "docs":
                for picture, (state, options) in README.items():
                    _take(browser, state, {Path(f"docs/{picture}.png"): options}, whole=False)
            else:
                _take(browser, name, dict(_screens(name)), whole=True)
        browser.close()


def _screens(name: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    for screen, options in SCREENS.items():
        for theme in ("light", "dark"):
            path = Path(f"var/screenshots/{name}-{screen}-{theme}.png")
            yield path, options | {"color_scheme": theme}
    yield Path(f"var/screenshots/{name}.pdf"), {}


def _take(
    browser: Browser, name: str, screens: Mapping[Path, dict[str, Any]], *, whole: bool
) -> None:
    """Take the pictures of one page, by their paths and the options of a browser context."""
    site, now = Site(), time.time_ns()
    site.files = told(hour_start(now)) if name in KINDS else STATES[name](now)
    for path, options in screens.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        context = browser.new_context(**options, timezone_id="UTC", locale="en-GB")
        page = context.new_page()
        page.goto(f"{site.url}{KINDS.get(name, 'index.html')}")
        if path.suffix == ".pdf":
            page.pdf(path=path, format="A4")
        else:
            page.screenshot(path=path, full_page=whole)
        context.close()
        print(path)
    site.close()


if __name__ == "__main__":
    main()
