"""TLS contexts, and the TLS options that the http, tcp and tls checkers share.

There is one context per set of trusted roots, built once and never changed: loading the system's
roots costs 14 ms of CPU with OpenSSL 3, a handshake 0.4 ms, and changing a context that other
threads use is known to crash.
"""

from __future__ import annotations

import codecs
import logging
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import inf
from pathlib import Path
from threading import Lock
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta, Struct

from checkup.checkers.certificates import describe_expiry
from checkup.checkers.event_loop import run_alone
from checkup.checkers.failures import CheckFailedError
from checkup.checkers.network import ADDRESS_FAMILIES
from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError
from checkup.interfaces import Network, NetworkChecker
from checkup.interfaces.checker import Assessment, assess
from checkup.interfaces.kinds import Duration, SettingProblem
from checkup.model import Attempt, Status
from checkup.times import short_duration

_log: Final = logging.getLogger(__name__)
_building = Lock()


class ClientCertificate(Struct, frozen=True):
    """PEM files of a client certificate and its key, read again when one has changed.

    Attributes:
        key_file: empty if the key is in the same file as the certificate.
        modified_ns: when the files were last changed; part of the key of cached contexts.
    """

    certificate_file: str
    key_file: str
    modified_ns: tuple[int, ...]


def client_certificate(certificate: str, key: str = "") -> ClientCertificate:
    """Return the client certificate in these files, as they are now.

    Raises:
        CheckUnknownError: a file does not exist.
    """
    try:
        changed = tuple(Path(path).stat().st_mtime_ns for path in (certificate, key) if path)
    except (OSError, ValueError) as error:
        raise _no_client_certificate() from error
    return ClientCertificate(certificate, key, changed)


def system_roots_context(
    client_certificate: ClientCertificate | None = None, alpn: tuple[str, ...] = ()
) -> ssl.SSLContext:
    """The context that trusts the system's roots, or certifi's if it has none.

    SSL_CERT_FILE and SSL_CERT_DIR apply, as in Go on Unix.
    """
    paths = ssl.get_default_verify_paths()  # names only what exists
    changed = Path(paths.cafile).stat().st_mtime_ns if paths.cafile else 0
    with _building:
        return _system_context(paths.cafile, paths.capath, changed, client_certificate, alpn)


def unverified_context(
    client_certificate: ClientCertificate | None = None, alpn: tuple[str, ...] = ()
) -> ssl.SSLContext:
    """The context that accepts every certificate."""
    with _building:
        return _unverified_context(client_certificate, alpn)


def ca_file_context(
    *paths: str, client_certificate: ClientCertificate | None = None, alpn: tuple[str, ...] = ()
) -> ssl.SSLContext:
    """The context that trusts the roots in these PEM files and no others.

    Raises:
        CheckFailedError: a file cannot be read, or holds no certificate.
    """
    try:
        contents = tuple(Path(path).read_text(encoding="ascii", errors="ignore") for path in paths)
    except (OSError, ValueError) as error:
        raise CheckFailedError("tls_roots", "cannot read the root certificates") from error
    with _building:
        return _roots_context(contents, client_certificate, alpn)


@lru_cache(maxsize=64)
def _system_context(
    cafile: str | None,
    capath: str | None,
    changed: int,
    client_certificate: ClientCertificate | None,
    alpn: tuple[str, ...],
) -> ssl.SSLContext:
    del changed  # part of the key: roots that were updated are loaded again
    context = _bare_context(client_certificate, alpn)
    if cafile or (capath and any(Path(capath).iterdir())):
        context.set_default_verify_paths()
    else:
        from requests.utils import DEFAULT_CA_BUNDLE_PATH  # only a system without roots pays

        context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    return context


@lru_cache(maxsize=64)
def _unverified_context(
    client_certificate: ClientCertificate | None, alpn: tuple[str, ...]
) -> ssl.SSLContext:
    context = _bare_context(client_certificate, alpn)
    context.verify_mode = ssl.CERT_NONE
    return context


@lru_cache(maxsize=64)
def _roots_context(
    contents: tuple[str, ...], client_certificate: ClientCertificate | None, alpn: tuple[str, ...]
) -> ssl.SSLContext:
    context = _bare_context(client_certificate, alpn)
    for roots in contents:
        try:
            context.load_verify_locations(cadata=roots)
        except (ssl.SSLError, ValueError) as error:
            raise CheckFailedError("tls_roots", "cannot parse the root certificates") from error
    return context


_CIPHERS: Final = "DEFAULT:@SECLEVEL=1"
"""OpenSSL's own list, as curl has it: Python's lacks CBC with SHA-1 and RSA key exchange, which is
all that some servers have. Level 1 accepts keys of 1,024 bits, as Go does, and no certificate that
is signed with SHA-1, as nobody does."""

_OP_LEGACY_SERVER_CONNECT: Final = 0x4
"""``ssl.OP_LEGACY_SERVER_CONNECT`` of Python 3.12: connect to servers from before RFC 5746, as
browsers and Go do. What it is about is renegotiation, which is never asked for here."""


def _bare_context(
    client_certificate: ClientCertificate | None, alpn: tuple[str, ...]
) -> ssl.SSLContext:
    """A context without roots, with the same rules on every Python version.

    The rules are those of Go: a trusted certificate need not be self-signed, and certificates need
    not follow RFC 5280 in every detail (VERIFY_X509_STRICT, Python's default from 3.13, is off).
    Names are compared after the handshake: OpenSSL has no underscores in what a wildcard covers.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_flags = ssl.VERIFY_X509_TRUSTED_FIRST | ssl.VERIFY_X509_PARTIAL_CHAIN
    context.set_ciphers(_CIPHERS)
    context.options |= _OP_LEGACY_SERVER_CONNECT
    if alpn:
        context.set_alpn_protocols(alpn)
    if client_certificate:
        try:
            context.load_cert_chain(
                client_certificate.certificate_file,
                client_certificate.key_file or None,
                lambda: b"",  # without a password OpenSSL would ask for one on the terminal
            )
        except (OSError, ValueError) as error:
            raise _no_client_certificate() from error
    return context


def _no_client_certificate() -> CheckUnknownError:
    return CheckUnknownError("config", "cannot read the client certificate or its key")


class StreamChecker(NetworkChecker, frozen=True, kw_only=True):
    """A checker that makes connections over TCP, with TLS or without.

    Class attributes:
        alpn: the protocols to offer in a TLS handshake (RFC 7301); none if empty.
        degrades_by_lifetime: whether, without a threshold, a certificate is degraded once less than
            a third of its lifetime, and less than 14 days, are left.
    """

    alpn: ClassVar[tuple[str, ...]] = ()
    degrades_by_lifetime: ClassVar[bool] = False
    needs_address: ClassVar[bool] = True

    ip_version: Annotated[
        int, Meta(description="Connect over IPv4 (4) or IPv6 (6) only; 0 for either.")
    ] = 0
    tls_skip_verify: Annotated[bool, Meta(description="With TLS: accept every certificate.")] = (
        False
    )
    tls_ca_file: Annotated[
        str,
        Meta(
            description="With TLS: PEM file of root certificates to trust instead of the system's."
        ),
    ] = ""
    server_name: Annotated[
        str, Meta(description="With TLS: name for SNI and verification; the host if absent.")
    ] = ""
    client_certificate: Annotated[
        str, Meta(description="With TLS: PEM file of the client certificate.")
    ] = ""
    client_key: Annotated[
        str,
        Meta(description="PEM file of its key, without a password, if it is in a separate file."),
    ] = ""
    cert_expiry_threshold: Annotated[
        Duration,
        Meta(description="Degraded when the certificate expires sooner than this; 0 for never."),
    ] = 0

    weak_tls: Annotated[
        Literal["accept", "degraded"],
        Meta(
            description="With TLS: what a cipher suite without forward secrecy or in CBC mode "
            "counts as."
        ),
    ] = "accept"

    def find_errors(self) -> Iterator[SettingProblem]:
        """See :meth:`checkup.interfaces.kinds.Settings.find_errors`."""
        if self.ip_version not in ADDRESS_FAMILIES:
            yield SettingProblem("ip_version", "ip_version must be 4 or 6, or 0 for either")
        if self.client_key and not self.client_certificate:
            yield SettingProblem("client_key", "client_key needs a client_certificate")

    def attempt(self, deadline: Deadline) -> Attempt:
        """See :meth:`checkup.interfaces.Checker.attempt`."""
        return run_alone(lambda net: self.attempt_async(net, deadline))

    async def prepare(self, net: Network) -> None:
        """See :meth:`checkup.interfaces.NetworkChecker.prepare`."""
        codecs.lookup("idna")  # socket imports it for the first name, which takes milliseconds
        if self.uses_tls:
            await self.load_tls_context(net)

    @property
    def uses_tls(self) -> bool:
        """Whether a context for TLS is needed."""
        return True

    @property
    def address_family(self) -> socket.AddressFamily:
        """The addresses that may be connected to."""
        return ADDRESS_FAMILIES[self.ip_version]

    def tls_context(self, *, same_origin: bool = True) -> ssl.SSLContext:
        """The context of these options.

        Args:
            same_origin: whether it is for the configured server, and not for one that it redirects
                to: no other server gets the client certificate.

        Raises:
            CheckFailedError: the file of roots cannot be used; in the Go program that is down.
            CheckUnknownError: the client certificate cannot be used.
        """
        own = None
        if self.client_certificate and same_origin:
            own = client_certificate(self.client_certificate, self.client_key)
        # Go reads the file whether or not it will verify with it.
        roots = self._trusted_files
        context = None
        if roots:
            context = ca_file_context(*roots, client_certificate=own, alpn=self.alpn)
        if self.tls_skip_verify:
            return unverified_context(own, self.alpn)
        return context or system_roots_context(own, self.alpn)

    async def load_tls_context(self, net: Network, *, same_origin: bool = True) -> ssl.SSLContext:
        """Return :meth:`tls_context`; its files are read in a thread, and looked at once a second.

        No deadline of an attempt covers it: that a file cannot be read says nothing of the target.

        Raises:
            CheckFailedError: the file of roots cannot be used.
            CheckUnknownError: the client certificate cannot be used.
        """
        options = (self._trusted_files, self.tls_skip_verify)
        own = (self.client_certificate, self.client_key) if same_origin else ()
        return await net.in_thread(
            lambda: self.tls_context(same_origin=same_origin),
            Deadline(inf),
            share=("TLS context", type(self), options, own),
        )

    @property
    def _trusted_files(self) -> tuple[str, ...]:
        """The files of root certificates to trust; none for the system's."""
        return (self.tls_ca_file,) if self.tls_ca_file else ()

    def evaluate(self, attempts: Sequence[Attempt]) -> Assessment:
        """Evaluate the attempts; trouble with TLS is reported before slowness."""
        general = assess(attempts, self.threshold_rtt)
        if general.status is Status.DOWN:
            return general
        notice = self._expiry_notice(attempts)
        if not notice and self.weak_tls == "degraded":
            weak = [attempt.tls_weakness for attempt in attempts if attempt.tls_weakness]
            notice = f"weak TLS: {weak[0]}" if weak else ""
        return Assessment(Status.DEGRADED, notice) if notice else general

    def _expiry_notice(self, attempts: Sequence[Attempt]) -> str:
        """Say when a certificate expires if it does too soon."""
        seen = [attempt for attempt in attempts if attempt.certificate_expiry]
        threshold = self.cert_expiry_threshold
        is_relevant = threshold > 0 or (threshold == 0 and self.degrades_by_lifetime)
        if not seen or not is_relevant:
            return ""
        now = time.time_ns()
        expiry = min(attempt.certificate_expiry for attempt in seen)
        lifetime = min(attempt.certificate_lifetime for attempt in seen)
        if threshold := self.shorter_than_life("cert_expiry_threshold", threshold, lifetime):
            is_due = expiry - now < threshold
        else:
            is_due = min(attempt.certificate_renewal for attempt in seen) <= now
        return describe_expiry(expiry, now) if is_due else ""

    def shorter_than_life(self, key: str, threshold: int, lifetime: int) -> int:
        """Return the threshold under a key, or 0 if no certificate of this lifetime keeps it."""
        if not 0 < lifetime <= threshold:
            return threshold
        _warn_of_threshold(self.id, key, short_duration(threshold), short_duration(lifetime))
        return 0


@lru_cache(maxsize=1024)  # once is enough
def _warn_of_threshold(checker: str, key: str, threshold: str, lifetime: str) -> None:
    sentence = "%s: %s is %s, but the certificate's lifetime is %s; a third of it is used"
    _log.warning(sentence, checker, key, threshold, lifetime)
