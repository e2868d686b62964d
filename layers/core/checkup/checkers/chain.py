"""The certificates of a connection, and what is expected of them."""

from __future__ import annotations

import ipaddress
import ssl
import sys
from collections.abc import Sequence
from typing import Any

from checkup.checkers.certificate import issuer_name, not_after_ns, subject_alt_names
from checkup.checkers.failures import CheckFailedError
from checkup.checkers.quoting import quote_untrusted

_DER = 2
"""The number by which Python before 3.13 knows the encoding (``_ssl.ENCODING_DER``)."""


def peer_certificates(connection: ssl.SSLSocket) -> Sequence[bytes]:
    """Return the certificates in DER, the server's own first.

    It is the path to a trusted root if that was verified, and what the server sent otherwise.
    A server may send more than the path needs, an expired cross-signature among it.
    """
    verified = connection.context.verify_mode is ssl.CERT_REQUIRED
    if sys.version_info >= (3, 13):
        return connection.get_verified_chain() if verified else connection.get_unverified_chain()
    inner: Any = connection._sslobj  # type: ignore[attr-defined] # noqa: SLF001 - no other way
    found = inner.get_verified_chain() if verified else inner.get_unverified_chain()
    return [certificate.public_bytes(_DER) for certificate in found or ()]


def earliest_expiry_ns(chain: Sequence[bytes]) -> int:
    """Return when the first of the certificates ends, in nanoseconds; 0 if there is none."""
    ends = [end for certificate in chain if (end := not_after_ns(certificate))]
    return min(ends, default=0)


def check_issuer(chain: Sequence[bytes], expected: str) -> None:
    """Look for a text in the name of who issued the server's certificate.

    Raises:
        CheckFailedError: it is not there.
    """
    issuer = issuer_name(chain[0]) if chain else ""
    if expected.casefold() not in issuer.casefold():
        raise CheckFailedError(
            "tls_issuer", f"certificate is issued by '{quote_untrusted(issuer, ())}'"
        )


def check_names(chain: Sequence[bytes], expected: Sequence[str]) -> None:
    """See that the server's certificate is valid for each of these hosts (RFC 9525, section 6).

    Raises:
        CheckFailedError: for one it is not.
    """
    names = subject_alt_names(chain[0]) if chain else ()
    for host in expected:
        if not _covers(names, _canonical(host)):
            raise CheckFailedError("tls_names", f"certificate is not for '{host}'")


def _covers(names: Sequence[str], host: str) -> bool:
    """Say whether one of the names is the host's; a wildcard stands for one first label."""
    _, dot, parent = host.partition(".")
    return host in names or (bool(dot) and f"*.{parent}" in names and not _is_address(host))


def _canonical(host: str) -> str:
    if _is_address(host):
        return str(ipaddress.ip_address(host))
    return host.rstrip(".").lower()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
