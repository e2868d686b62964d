"""The ``tls`` checker: is the certificate valid, and for how long?"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from checkup.checkers.addresses import host_port_problem
from checkup.checkers.certificates import (
    TWO_WEEKS,
    Validity,
    check_issuer,
    check_names,
    describe_expiry,
)
from checkup.checkers.failures import CheckFailedError, from_ssl_error
from checkup.checkers.network import split_host_port
from checkup.checkers.stream import NetworkStream, open_stream
from checkup.checkers.tls_context import StreamChecker
from checkup.deadline import Deadline, Stopwatch
from checkup.errors import CheckUnknownError
from checkup.interfaces import Network
from checkup.interfaces.kinds import Duration, SettingProblem, Strings
from checkup.model import Attempt
from checkup.times import SECOND, short_duration

_MIN_ALERT_WAIT: Final = 0.1
"""Seconds that a server gets at least to demand a client certificate."""


class TlsChecker(StreamChecker, frozen=True, kw_only=True):
    """Makes a TLS connection to ``endpoint_url`` (``host:port``) and checks the certificates.

    All certificates of the chain count: the service fails when the first of them expires.
    Revocation is not checked. The round trip time is that of connection and handshake.
    """

    kind: ClassVar[str] = "tls"
    degrades_by_lifetime: ClassVar[bool] = True

    cert_expiry_threshold: Annotated[
        Duration,
        Meta(
            description="Degraded when it expires sooner; 0 for when less than a third of its "
            "lifetime is left, at most 14 days; negative for never."
        ),
    ] = 0
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

    def tls_context(self, *, same_origin: bool = True) -> ssl.SSLContext:
        """The context of these options.

        Raises:
            CheckUnknownError: a file of roots or the client certificate cannot be used. The Go
                program refuses to run without them.
        """
        try:
            return super().tls_context(same_origin=same_origin)
        except CheckFailedError as failed:
            raise CheckUnknownError("config", f"trusted_roots: {failed}") from failed

    def find_warnings(self) -> Iterator[SettingProblem]:
        """See :meth:`checkup.interfaces.kinds.Settings.find_warnings`."""
        yield from super().find_warnings()
        if problem := host_port_problem(self.endpoint_url, 443, self.ip_version):
            yield problem
        threshold = self.cert_expiry_threshold or TWO_WEEKS
        if 0 < threshold <= self.cert_expiry_down_threshold:
            text = "no certificate can be degraded by cert_expiry_threshold"
            fix = f"use less than {short_duration(threshold)}"
            yield SettingProblem("cert_expiry_down_threshold", text, fix)

    @property
    def _trusted_files(self) -> tuple[str, ...]:
        return tuple(filter(None, (*self.trusted_roots, self.tls_ca_file)))

    async def attempt_async(self, net: Network, deadline: Deadline) -> Attempt:
        """See :meth:`checkup.interfaces.NetworkChecker.attempt_async`."""
        context = await self.load_tls_context(net)
        error = failure = weakness = ""
        rtt = 0
        certificates = Validity()
        watch = Stopwatch(net.clock_ns)
        try:
            address = split_host_port(self.endpoint_url)
            name = self.server_name or address[0] or "localhost"
            with await open_stream(net, address, deadline, watch, self.address_family) as stream:
                certificates = await stream.start_tls(context, name)
                rtt = watch.elapsed_ns()
                weakness = stream.tls_weakness()
                self._check_certificate(stream, certificates)
                await _wait_for_certificate_demand(stream)
        except CheckFailedError as failed:
            error, failure = str(failed), failed.failure
        return Attempt(
            rtt=rtt or watch.elapsed_ns(),
            error=error,
            failure=failure,
            phases=watch.phases(),
            certificate_expiry=certificates.expiry_ns,
            certificate_renewal=certificates.renewal_ns,
            certificate_lifetime=certificates.lifetime_ns,
            tls_weakness=weakness,
        )

    def _check_certificate(self, stream: NetworkStream, certificates: Validity) -> None:
        now, expiry = time.time_ns(), certificates.expiry_ns
        if expiry and expiry < now:
            raise CheckFailedError("tls_expired", describe_expiry(expiry, now))
        key, lifetime = "cert_expiry_down_threshold", certificates.lifetime_ns
        threshold = self.shorter_than_life(key, self.cert_expiry_down_threshold, lifetime)
        if expiry and expiry - now < threshold:
            raise CheckFailedError("tls_expiring", describe_expiry(expiry, now))
        version = stream.tls_version()
        if version < self.minimum_version:
            raise CheckFailedError("tls_version", f"the server supports TLS {version} at most")
        chain = stream.peer_certificates()
        if self.expected_issuer:
            check_issuer(chain, self.expected_issuer)
        check_names(chain, self.expected_names)


async def _wait_for_certificate_demand(stream: NetworkStream) -> None:
    """Close our side, and wait for a server that demands a client certificate to say so.

    Under TLS 1.3 its alert comes after the handshake (RFC 8446, section 4.4.2), within a round
    trip. A server that demands none closes too, or the wait ends soon.

    Raises:
        CheckFailedError: it demands one.
    """
    handshake = stream.watch.phases().tls / SECOND
    stream.deadline = stream.deadline.within(max(2 * handshake, _MIN_ALERT_WAIT))
    with suppress(OSError):  # the server has closed already
        stream.shutdown_write()
    with suppress(OSError):
        try:
            await stream.read(1)
        except ssl.SSLError as error:
            failed = from_ssl_error(error)
            if failed.failure == "tls_client_certificate":
                raise failed from error
