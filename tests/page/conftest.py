"""A real browser, and a real server that serves it pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from moto.server import ThreadedMotoServer
from playwright.sync_api import Browser, Dialog, Page, Request, sync_playwright

from checkup.interfaces import PageFile
from tests.storage.places import s3_client

FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("needs Chromium: apt-get install --no-install-recommends chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def client(s3_url: str) -> Iterator[Any]:
    with closing(s3_client(s3_url)) as client:
        yield client


@pytest.fixture
def bucket(client: Any) -> str:
    name = f"page-{uuid4().hex}"
    client.create_bucket(Bucket=name)
    return name


class Site:
    """A web server whose files can be changed while it serves them."""

    def __init__(self) -> None:
        self.files: Mapping[str, PageFile] = {}
        self.clock: str | None = None
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = site.files.get(self.path.lstrip("/") or "index.html")
                file = found or site.files["404.html"]
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", file.content_type)
                self.send_header("Content-Length", str(len(file.body)))
                self.end_headers()
                self.wfile.write(file.body)

            def date_time_string(self, timestamp: float | None = None) -> str:
                return site.clock or super().date_time_string(timestamp)

            def log_message(self, *_: object) -> None:
                """Tests have nothing to log."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


class Visit:
    """One visitor, who writes down everything that a page should never do.

    Attributes:
        complaints: dialogs, errors and violations of the page's policy.
        foreign: requests to anybody else.
    """

    def __init__(self, browser: Browser, url: str, options: dict[str, Any]) -> None:
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self._url = url
        self._context = browser.new_context(**options)
        self.page: Page = self._context.new_page()
        self.page.on("dialog", self._dismiss)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("request", self._note)

    def _dismiss(self, dialog: Dialog) -> None:
        self.complaints.append("dialog")
        dialog.dismiss()

    def _note(self, request: Request) -> None:
        if not request.url.startswith((self._url, "data:")):
            self.foreign.append(request.url)

    def open(self, path: str = "index.html") -> Page:
        self.page.goto(self._url + path)
        return self.page

    def open_everything(self) -> None:
        every = self.page.locator("details")
        every.evaluate_all("all => all.forEach(details => { details.open = true })")

    def expect_no_complaint(self) -> None:
        assert (self.complaints, self.foreign) == ([], [])

    def close(self) -> None:
        self._context.close()


@pytest.fixture
def visit(browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A visitor; parametrise it indirectly with the options of a browser context."""
    visit = Visit(browser, site.url, getattr(request, "param", {}))
    yield visit
    visit.close()
