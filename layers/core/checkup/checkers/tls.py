"""The ``tls`` checker: is the certificate valid, and for how long?"""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import suppress
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from checkup.checkers.certificates import (
    check_issuer,
    check_names,
    describe_expiry,
    peer_certificates,
)
from checkup.checkers.failures import CheckFailedError, from_ssl_error
from checkup.checkers.network import DeadlineTLSSocket, open_connection, split_host_port, start_tls
from checkup.checkers.tls_context import (
    NetworkChecker,
    ca_file_context,
    client_certificate,
    system_roots_context,
    unverified_context,
)
from checkup.deadline import Deadline, Stopwatch
from checkup.errors import CheckUnknownError
from checkup.interfaces.kinds import Duration, Strings
from checkup.model import Attempt
from checkup.times import DAY, SECOND

_TWO_WEEKS: Final = 14 * DAY

_MIN_ALERT_WAIT: Final = 0.1
"""Seconds that a server gets at least to demand a client certificate."""


class TlsChecker(NetworkChecker, frozen=True, kw_only=True):
    """Makes a TLS connection to ``endpoint_url`` (``host:port``) and checks the certificates.

    All certificates of the chain count: the service fails when the first of them expires.
    Revocation is not checked. The round trip time is that of connection and handshake.
    """

    kind: ClassVar[str] = "tls"

    cert_expiry_threshold: Annotated[
        Duration,
        Meta(description="Degraded when it expires sooner; 0 for 14 days, negative for never."),
    ] = _TWO_WEEKS
    cert_expiry_down_threshold: Annotated[
        Duration,
        Meta(description="Down when it expires sooner than this; 0 for when it has expired."),
    ] = 0
    trusted_roots: Annotated[
        Strings,
        Meta(description="PEM files of root certificates to trust instead of the system's."),
    ] = ()
    tls_skip_verify: Annotated[
        bool, Meta(description="Accept every certificate that has not expired.")
    ] = False
    minimum_version: Annotated[
        Literal["1.2", "1.3"], Meta(description="The lowest TLS version to accept.")
    ] = "1.2"
    expected_issuer: Annotated[
        str,
        Meta(description="Text in the issuer's name, such as Let's Encrypt, ignoring case."),
    ] = ""
    expected_names: Annotated[
        Strings, Meta(description="Hosts and addresses that the certificate must be valid for.")
    ] = ()

    @property
    def expiry_threshold_ns(self) -> int:
        """As configured; 0 stands for the default, as in the Go program."""
        return self.cert_expiry_threshold or _TWO_WEEKS

    def tls_context(self, *, same_origin: bool = True) -> ssl.SSLContext:
        """The context of these options.

        Raises:
            CheckUnknownError: a file of roots or the client certificate cannot be used.
        """
        own = None
        if self.client_certificate and same_origin:
            own = client_certificate(self.client_certificate, self.client_key)
        roots = (*self.trusted_roots, self.tls_ca_file)
        # Go reads the files before it does anything else, and refuses to run without them.
        try:
            context = (
                ca_file_context(*filter(None, roots), client_certificate=own)
                if any(roots)
                else None
            )
        except CheckFailedError as failed:
            raise CheckUnknownError("config", f"trusted_roots: {failed}") from failed
        if self.tls_skip_verify:
            return unverified_context(own)
        return context or system_roots_context(own)

    def attempt(self, deadline: Deadline) -> Attempt:
        """See :meth:`checkup.interfaces.Checker.attempt`."""
        context = self.tls_context()
        error = failure = ""
        rtt = expiry = 0
        watch = Stopwatch()
        try:
            host, port = split_host_port(self.endpoint_url)
            sock = open_connection(host, port, deadline, watch, self.address_family)
            name = self.server_name or host or "localhost"
            secured, expiry = start_tls(sock, context, name, deadline, watch)
            with secured:
                rtt = watch.elapsed_ns()
                self._check_certificate(secured, expiry)
                _wait_for_certificate_demand(secured, watch)
        except CheckFailedError as failed:
            error, failure = str(failed), failed.failure
        return Attempt(
            rtt=rtt or watch.elapsed_ns(),
            error=error,
            failure=failure,
            phases=watch.phases(),
            certificate_expiry=expiry,
        )

    def _check_certificate(self, secured: DeadlineTLSSocket, expiry: int) -> None:
        now = time.time_ns()
        if expiry and expiry < now:
            raise CheckFailedError("tls_expired", describe_expiry(expiry, now))
        if expiry and expiry - now < self.cert_expiry_down_threshold:
            raise CheckFailedError("tls_expiring", describe_expiry(expiry, now))
        spoken = (secured.version() or "").removeprefix("TLSv")
        if spoken < self.minimum_version:
            raise CheckFailedError("tls_version", f"the server supports TLS {spoken} at most")
        chain = peer_certificates(secured)
        if self.expected_issuer:
            check_issuer(chain, self.expected_issuer)
        check_names(chain, self.expected_names)


def _wait_for_certificate_demand(secured: DeadlineTLSSocket, watch: Stopwatch) -> None:
    """Close our side, and wait for a server that demands a client certificate to say so.

    Under TLS 1.3 its alert comes after the handshake (RFC 8446, section 4.4.2), within a round
    trip. A server that demands none closes too, or the wait ends soon.

    Raises:
        CheckFailedError: it demands one.
    """
    handshake = watch.phases().tls / SECOND
    secured.deadline = secured.deadline.within(max(2 * handshake, _MIN_ALERT_WAIT))
    with suppress(OSError):  # the server has closed already
        # The class's own method would forget the keys, and unwrap() drops what it reads.
        socket.socket.shutdown(secured, socket.SHUT_WR)
    with suppress(OSError):
        try:
            secured.recv(1)
        except ssl.SSLError as error:
            failed = from_ssl_error(error)
            if failed.failure == "tls_client_certificate":
                raise failed from error
