"""What ``http`` and ``tcp`` have in common: the options of connection and TLS."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from checkup.alerting.assessment import Assessment, assess
from checkup.checkers.resolution import ADDRESS_FAMILIES
from checkup.checkers.trust import (
    ca_file_context,
    client_certificate,
    system_roots_context,
    unverified_context,
)
from checkup.duration import format_duration
from checkup.model import SECOND, Attempt, Status
from checkup.options import Duration
from checkup.ports import Checker


class NetworkChecker(Checker, frozen=True, kw_only=True):
    """A checker that makes connections over TCP, with TLS or without."""

    ip_version: Annotated[
        int, Meta(description="Connect by this version of IP only, 4 or 6; 0 for either.")
    ] = 0
    tls_skip_verify: Annotated[bool, Meta(description="With TLS: accept every certificate.")] = (
        False
    )
    tls_ca_file: Annotated[
        str, Meta(description="With TLS: a PEM file of roots to trust instead of the system's.")
    ] = ""
    server_name: Annotated[
        str, Meta(description="With TLS: the name to ask and verify for; the host's if absent.")
    ] = ""
    client_certificate: Annotated[
        str, Meta(description="With TLS: a PEM file of the certificate to present.")
    ] = ""
    client_key: Annotated[
        str, Meta(description="A PEM file of its key, without password, if in a file of its own.")
    ] = ""
    cert_expiry_threshold: Annotated[
        Duration,
        Meta(description="Degraded when the certificate ends sooner than this; 0 for never."),
    ] = 0

    def __post_init__(self) -> None:
        if self.ip_version not in ADDRESS_FAMILIES:
            raise ValueError("ip_version must be 4 or 6, or 0 for either")
        if self.client_key and not self.client_certificate:
            raise ValueError("client_key needs a client_certificate")

    @property
    def family(self) -> socket.AddressFamily:
        """The addresses that may be connected to."""
        return ADDRESS_FAMILIES[self.ip_version]

    @property
    def expiry_limit(self) -> int:
        """How long certificates have to last, in nanoseconds; 0 or less if that does not matter."""
        return self.cert_expiry_threshold

    def tls_context(self, *, at_home: bool = True) -> ssl.SSLContext:
        """Return the prepared context of these options.

        Args:
            at_home: whether it is for the configured server, and not for one that it leads to:
                nobody else is told who we are.

        Raises:
            CheckFailedError: the file of roots cannot be used; in the Go program that is down.
            CheckUnknownError: the client's certificate cannot be used.
        """
        own = None
        if self.client_certificate and at_home:
            own = client_certificate(self.client_certificate, self.client_key)
        # Go reads the file whether or not it will verify with it.
        context = ca_file_context(self.tls_ca_file, own=own) if self.tls_ca_file else None
        if self.tls_skip_verify:
            return unverified_context(own)
        return context or system_roots_context(own)

    def assess(self, attempts: Sequence[Attempt]) -> Assessment:
        """Weigh the attempts; a certificate that ends soon is told before slowness."""
        found = assess(attempts, self.threshold_rtt)
        ends = [attempt.certificate_expiry for attempt in attempts if attempt.certificate_expiry]
        if found.status is Status.DOWN or not ends or self.expiry_limit <= 0:
            return found
        left = min(ends) - time.time_ns()
        if left >= self.expiry_limit:
            return found
        shown = format_duration(max(0, left) // SECOND * SECOND)
        return Assessment(Status.DEGRADED, f"certificate expiring soon ({shown})")
