"""Servers with certificates in which anything can be wrong, and results of checking them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from checkup.checkers.tls import TlsChecker
from checkup.model import Result
from checkup.times import SECOND
from tests.checkers.results import result_of
from tests.servers import forge
from tests.servers.forge import Holder
from tests.servers.web import WebServer

ROOT = forge.authority()
RSA_ROOT = forge.authority("RSA", rsa=True)
INTERMEDIATE = forge.authority("Intermediate", ROOT)


@contextmanager
def serving(holder: Holder, **settings: Any) -> Iterator[Callable[..., TlsChecker]]:
    """Yield a function that makes a checker of a server with this certificate."""
    with WebServer(holder.server()) as server:
        yield lambda **more: TlsChecker(endpoint_url=server.address, **settings, **more)


def check(holder: Holder, roots: str, **settings: Any) -> Result:
    """Return the result of a checker that trusts the roots in a file."""
    with serving(holder) as checker:
        return result_of(checker(trusted_roots=(roots,), **settings))


def nanoseconds(time: datetime) -> int:
    return int(time.timestamp()) * SECOND
