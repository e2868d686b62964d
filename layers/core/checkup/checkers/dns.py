"""Checks that a name server answers. This version reads its settings and cannot look yet."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from checkup.deadline import Deadline
from checkup.errors import CannotTell
from checkup.model import SECOND, Attempt
from checkup.ports import Checker


class DnsChecker(Checker, frozen=True, kw_only=True):
    """Asks the name server at ``endpoint_url`` (``host:port``), then connects to it over TCP."""

    kind: ClassVar[str] = "dns"
    default_timeout: ClassVar[int] = SECOND

    hostname_fqdn: Annotated[
        str, Meta(description="The name to look up; without one it is only connected.")
    ] = ""

    def attempt(self, deadline: Deadline) -> Attempt:  # noqa: ARG002 - of the port
        """Say that this cannot be done yet.

        Raises:
            CannotTell: always.
        """
        raise CannotTell("unsupported", "this version cannot check dns yet")
