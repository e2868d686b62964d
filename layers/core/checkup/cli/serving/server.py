"""A small HTTP server for one site: GET and HEAD, with time limits and safe headers."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import TCPServer, ThreadingMixIn
from threading import Condition
from typing import Any, Final

from checkup.cli import terminal
from checkup.cli.serving.handler import PageApp
from checkup.cli.serving.hosts import AllowedHosts
from checkup.cli.serving.site import SiteRoutes

_GRACE_SECONDS: Final = 2.0
"""What is being answered when the server is closed is given so long."""


class PageServer(ThreadingMixIn, TCPServer):
    """Serves a site, from the moment that it is made until it is closed.

    Each connection has a thread of its own, so that a slow one holds up nobody.

    Args:
        address: host and port; an empty host means all of this machine's addresses, and
            port 0 any free one.
        hosts: the names under which it may be asked.
        verbose: log each request.
    """

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(
        self,
        address: tuple[str, int],
        site: SiteRoutes,
        hosts: AllowedHosts,
        *,
        verbose: bool = False,
    ) -> None:
        self.site = site
        self.hosts = hosts
        self.verbose = verbose
        self._answering = 0
        self._answered = Condition()
        places = socket.getaddrinfo(
            address[0] or "0.0.0.0",  # noqa: S104 - what an empty host has always meant
            address[1],
            type=socket.SOCK_STREAM,
        )
        # For a name such as localhost, IPv4 is what every reader can reach.
        family, *_, place = min(places, key=lambda found: found[0] != socket.AF_INET)
        self.address_family = family
        host, port = place[:2]
        super().__init__((str(host), int(port)), PageApp)

    @property
    def host(self) -> str:
        """The address that it listens on."""
        return str(self.server_address[0])

    @property
    def url(self) -> str:
        """Where the site is, on this machine."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{name}:{self.server_address[1]}/"

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Note that somebody is being answered while the block runs."""
        with self._answered:
            self._answering += 1
        try:
            yield
        finally:
            with self._answered:
                self._answering -= 1
                self._answered.notify_all()

    def server_close(self) -> None:
        """Listen no more, and let those who are being answered have their answer."""
        super().server_close()
        with self._answered:
            self._answered.wait_for(lambda: not self._answering, _GRACE_SECONDS)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002
        """Say nothing of visitors that go away; anything else is a line of the log."""
        error = sys.exception()
        if not isinstance(error, OSError):
            terminal.log_line(f"a request failed: {type(error).__name__}")
