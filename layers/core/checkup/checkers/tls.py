"""Checks a certificate. This version reads its settings and cannot look yet."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from checkup.deadline import Deadline
from checkup.errors import CannotTell
from checkup.model import SECOND, Attempt
from checkup.options import Duration, Strings
from checkup.ports import Checker

_TWO_WEEKS = 14 * 24 * 3600 * SECOND


class TlsChecker(Checker, frozen=True, kw_only=True):
    """Makes a TLS connection to ``endpoint_url`` (``host:port``) and looks at the certificate."""

    kind: ClassVar[str] = "tls"

    cert_expiry_threshold: Annotated[
        Duration,
        Meta(description="Degraded when less than this is left; 0 for 14 days, negative: never."),
    ] = _TWO_WEEKS
    trusted_roots: Annotated[
        Strings, Meta(description="PEM files that replace the system's roots.")
    ] = ()

    def attempt(self, deadline: Deadline) -> Attempt:  # noqa: ARG002 - of the port
        """Say that this cannot be done yet.

        Raises:
            CannotTell: always.
        """
        raise CannotTell("unsupported", "this version cannot check tls yet")
