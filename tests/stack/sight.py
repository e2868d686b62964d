"""The deployed page as a browser shows it, asked for at CloudFront's own name."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import sync_playwright

from tests.page.conftest import FLAGS
from tests.stack.deployment import Deployment
from tests.stack.updating import SwitchedOn


@dataclass(frozen=True)
class Sight:
    """What a reader of the page sees at some time after the outage.

    Attributes:
        title: of the window.
        text: of the first page.
        followed: the title of the page that a component's link leads to.
        elsewhere: addresses that the page asked for and that are not its own.
        complaints: what the browser's console says.
    """

    title: str
    text: str
    followed: str
    elsewhere: list[str]
    complaints: list[str]


@pytest.fixture(scope="session")
def sight(stack: Deployment, switched_on: SwitchedOn) -> Sight:
    assert switched_on
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs Chromium: apt-get install --no-install-recommends chromium")
    address = stack.outputs["PageUrl"]
    host, emulator = urlsplit(address).hostname, urlsplit(stack.emulator.url).netloc
    there = [*FLAGS, f"--host-resolver-rules=MAP {host}:443 {emulator}"]
    asked: list[str] = []
    complaints: list[str] = []
    with (
        sync_playwright() as driver,
        driver.chromium.launch(executable_path=chromium, args=there) as browser,
        # That the certificate is right is checked where Python asks.
        browser.new_page(ignore_https_errors=True) as page,
    ):
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(address)
        title, text = page.title(), page.inner_text("main")
        page.get_by_role("link", name="User Service").first.click()
        page.wait_for_url("**/components/*.html")
        followed = page.title()
    elsewhere = [url for url in asked if urlsplit(url).hostname != host]
    return Sight(title, text, followed, elsewhere, complaints)
