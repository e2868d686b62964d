"""Services on loopback: healthy, slow, wrong, expiring soon, and one that can be stopped."""

from __future__ import annotations

import json
import ssl
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import trustme

HOST = "127.0.0.1"
WEBHOOK = "DEMO_SLACK_WEBHOOK"
"""The environment variable with the webhook of the demo's checkup.json."""


class Service:
    """A web server that answers every request with the same page and can be stopped and started."""

    def __init__(self, text: str, *, delay: float = 0.0, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[dict[str, Any]] = []
        self._text, self._delay, self._tls = text.encode(), delay, tls
        self.port = 0
        self.start()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{HOST}:{self.port}"

    def start(self) -> None:
        """Listen, on the same port as before a stop."""
        server = _Server((HOST, self.port), self._handler())
        if self._tls:
            server.socket = self._tls.wrap_socket(server.socket, server_side=True)
        self._server, self.port = server, server.server_port
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Stop listening; connections are refused."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        text, delay, received = self._text, self._delay, self.received

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                time.sleep(delay)
                self._answer(text)

            def do_POST(self) -> None:
                received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self._answer(b"ok")

            def _answer(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Print nothing; the terminal shows Checkup's output."""

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Ignore clients that disconnect after the TLS handshake."""


class World:
    """The services of the demo and their checkup.json."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._authority = trustme.CA()
        self.website = Service("Welcome to the demo shop")
        self.search = Service("three results", delay=0.3)
        self.billing = Service("An unexpected error occurred, please try again later")
        self.api = Service("pong")
        self.login = Service("hello", tls=self._certificate(days=5))
        self.chat = Service("")

    def _certificate(self, days: int) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ends = datetime.now(UTC) + timedelta(days=days)
        self._authority.issue_cert(HOST, not_after=ends).configure_cert(context)
        return context

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the configuration refers to."""
        return {WEBHOOK: f"http://{self.chat.address}/webhook"}

    def write_config(self) -> Path:
        """Write ``checkup.json`` for these services and return its path."""
        roots = self.folder / "demo-ca.pem"
        self._authority.cert_pem.write_to_path(str(roots))
        path = self.folder / "checkup.json"
        path.write_text(json.dumps(self._config(roots), indent=2) + "\n")
        return path

    def _config(self, roots: Path) -> dict[str, Any]:
        web = {"type": "http", "attempts": 3}
        return {
            "page": {"title": "Demo shop"},
            "checkers": [
                {
                    **web,
                    "endpoint_name": "Website",
                    "endpoint_url": f"http://{self.website.address}/",
                    "must_contain": "Welcome",
                },
                {
                    **web,
                    "endpoint_name": "API",
                    "endpoint_url": f"http://{self.api.address}/ping",
                },
                {
                    **web,
                    "endpoint_name": "Search",
                    "endpoint_url": f"http://{self.search.address}/?q=shoes",
                    "threshold_rtt": "150ms",
                },
                {
                    **web,
                    "endpoint_name": "Billing",
                    "endpoint_url": f"http://{self.billing.address}/",
                    "must_contain": "Invoices",
                },
                {
                    "type": "tls",
                    "endpoint_name": "Login certificate",
                    "endpoint_url": self.login.address,
                    "trusted_roots": [str(roots)],
                },
                {
                    "type": "tcp",
                    "endpoint_name": "Mail server",
                    "endpoint_url": self.website.address,
                },
            ],
            "storage": {"type": "fs", "dir": str(self.folder / "checks")},
            "notifiers": [
                {
                    "type": "slack",
                    "username": "Checkup",
                    "channel": "#demo",
                    "webhook": f"env:{WEBHOOK}",
                }
            ],
        }

    def close(self) -> None:
        """Stop every service."""
        for service in (self.website, self.search, self.billing, self.api, self.login, self.chat):
            with suppress(OSError):
                service.stop()
