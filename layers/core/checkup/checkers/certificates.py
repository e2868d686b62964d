"""Certificates of a TLS connection: their fields, and whether they are as expected.

Fields are read from the DER form (RFC 5280, section 4.1). The ssl module parses only certificates
that it has verified, and always as a whole; this reads single fields, in microseconds, verified or
not. A field that cannot be read is empty.
"""

from __future__ import annotations

import ipaddress
import ssl
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Any, Final, NamedTuple

from checkup.checkers.failures import CheckFailedError
from checkup.checkers.host_names import ascii_host
from checkup.errors import CheckUnknownError
from checkup.text import quote_untrusted
from checkup.times import DAY, HOUR, MINUTE, SECOND, format_date

_VERSION_TAG = 0xA0
_EXTENSIONS_TAG = 0xA3
_UTC_TIME = 0x17
_WIDE_STRING = 0x1E
_OCTET_STRING = 0x04
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87

_SUBJECT_ALT_NAME = bytes.fromhex("0603551d11")
"""The identifier of the extension, 2.5.29.17, with its tag and length."""

_ISSUER, _VALIDITY = 2, 3
"""Places in a certificate, counted without the optional version."""

TWO_WEEKS: Final = 14 * DAY

_MAX_EXPIRY: Final = 2**63 - 1

_DER: Final = 2
"""The number of the encoding in Python before 3.13 (``_ssl.ENCODING_DER``)."""


@lru_cache(maxsize=1024)
def not_after_ns(der: bytes | None) -> int:
    """When a certificate expires: nanoseconds since the epoch in an int64; 0 if unreadable."""
    try:
        return _not_after(der or b"")
    except (IndexError, ValueError):
        return 0


def issuer_name(der: bytes) -> str:
    """The parts of the issuer's name, separated by commas."""
    with suppress(IndexError, ValueError):
        return ", ".join(_name_parts(der))
    return ""


@lru_cache(maxsize=256)
def subject_alt_names(der: bytes) -> tuple[str, ...]:
    """The DNS names, in lower case, and the IP addresses that a certificate is valid for."""
    names: list[str] = []
    with suppress(IndexError, ValueError):
        names += _general_names(der)
    return tuple(names)


def _not_after(der: bytes) -> int:
    start = _content(der, _place(der, _VALIDITY))
    return _time(der, _after(der, start))


def _not_before(der: bytes) -> int:
    return _time(der, _content(der, _place(der, _VALIDITY)))


def _time(der: bytes, position: int) -> int:
    text = der[_content(der, position) : _after(der, position)].decode("ascii")
    if der[position] == _UTC_TIME:  # two digits of the year: 1950 to 2049
        text = ("19" if text[:2] >= "50" else "20") + text
    month, day, hour, minute, second = (int(text[at : at + 2]) for at in range(4, 14, 2))
    expiry = datetime(int(text[:4]), month, day, hour, minute, second, tzinfo=UTC)
    return min(int(expiry.timestamp()) * SECOND, _MAX_EXPIRY)


def _name_parts(der: bytes) -> Iterator[str]:
    for relative in _inside(der, _place(der, _ISSUER)):
        for attribute in _inside(der, relative):
            _, value = _inside(der, attribute)
            encoding = "utf-16-be" if der[value] == _WIDE_STRING else "utf-8"
            yield der[_content(der, value) : _after(der, value)].decode(encoding, "replace")


def _general_names(der: bytes) -> Iterator[str]:
    for place in _places(der):
        if der[place] != _EXTENSIONS_TAG:
            continue
        for extension in _inside(der, _content(der, place)):
            identifier, *_critical, value = _inside(der, extension)
            is_sought = der[identifier : _after(der, identifier)] == _SUBJECT_ALT_NAME
            if is_sought and der[value] == _OCTET_STRING:
                yield from _names_in(der, _content(der, value))


def _names_in(der: bytes, position: int) -> Iterator[str]:
    for name in _inside(der, position):
        content = der[_content(der, name) : _after(der, name)]
        with suppress(ValueError):  # one name that cannot be read spoils no other
            if der[name] == _DNS_NAME:
                host = content.decode("ascii", "replace").lower().removesuffix(".")
                if not _is_address(host):  # an address is none there (RFC 9525, section 6.5)
                    yield host
            elif der[name] == _IP_ADDRESS:
                yield str(ipaddress.ip_address(content))


def _place(der: bytes, number: int) -> int:
    """Where a field of the certificate begins."""
    for place in islice(_places(der), number, None):
        return place
    raise IndexError


def _places(der: bytes) -> Iterator[int]:
    """Yield where the fields of the certificate begin, without the optional version."""
    for place in _inside(der, _content(der, 0)):  # TBSCertificate, in Certificate
        if der[place] != _VERSION_TAG:
            yield place


def _inside(der: bytes, position: int) -> Iterator[int]:
    """Yield where the elements inside the one at ``position`` begin."""
    inner, end = _content(der, position), _after(der, position)
    while inner < end:
        yield inner
        inner = _after(der, inner)


def _content(der: bytes, position: int) -> int:
    """Where the content of the element at ``position`` begins."""
    length = der[position + 1]
    return position + 2 + (length & 0x7F if length & 0x80 else 0)


def _after(der: bytes, position: int) -> int:
    """Where the element at ``position`` ends."""
    start = _content(der, position)
    long_form = der[position + 2 : start]
    return start + (int.from_bytes(long_form) if long_form else der[position + 1])


def peer_certificates(connection: ssl.SSLSocket | ssl.SSLObject) -> Sequence[bytes]:
    """The certificates in DER, the server's own first.

    That is the path to a trusted root if it was verified, and what the server sent otherwise. A
    server may send more than the path needs, such as an expired cross-signature.
    """
    verified = connection.context.verify_mode is ssl.CERT_REQUIRED
    if sys.version_info >= (3, 13):
        return connection.get_verified_chain() if verified else connection.get_unverified_chain()
    inner: Any = connection._sslobj  # type: ignore[union-attr] # noqa: SLF001 - no other way
    found = inner.get_verified_chain() if verified else inner.get_unverified_chain()
    return [certificate.public_bytes(_DER) for certificate in found or ()]


class Validity(NamedTuple):
    """How long the certificates of a chain are valid; all 0 without a certificate.

    Attributes:
        expiry_ns: when the first of them expires, in nanoseconds since the epoch.
        renewal_ns: when the first of them should have been renewed: from then on, less than a third
            of its lifetime and less than 14 days are left.
        lifetime_ns: of the one with the shortest lifetime.
    """

    expiry_ns: int = 0
    renewal_ns: int = 0
    lifetime_ns: int = 0


def chain_validity(chain: Sequence[bytes]) -> Validity:
    """How long the certificates (in DER) are valid; those that cannot be read do not count."""
    found = []
    for certificate in chain:
        if end := not_after_ns(certificate):
            lifetime = end
            with suppress(IndexError, ValueError):
                lifetime -= _not_before(certificate)
            found.append(Validity(end, end - min(lifetime // 3, TWO_WEEKS), lifetime))
    return first_validity(found)


def first_validity(several: Sequence[Validity]) -> Validity:
    """What several chains are together: valid until the first certificate of them all ends."""
    known = [validity for validity in several if validity.expiry_ns]
    return Validity(*map(min, zip(*known, strict=True))) if known else Validity()


def describe_expiry(expiry_ns: int, now_ns: int) -> str:
    """Say when a certificate expires: ``certificate expires in 5 days (2026-12-06)``."""
    left = abs(expiry_ns - now_ns)
    length = "less than a minute"
    for unit, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if left >= unit:
            count = (left + unit // 2) // unit  # to the nearest one
            length = f"{count} {name}" if count == 1 else f"{count} {name}s"
            break
    date = format_date(expiry_ns)
    if expiry_ns < now_ns:
        return f"certificate expired {length} ago ({date})"
    return f"certificate expires in {length} ({date})"


def check_issuer(chain: Sequence[bytes], expected: str) -> None:
    """Compare the issuer of the server's certificate: its name has to contain a string.

    Raises:
        CheckFailedError: it does not.
    """
    issuer = issuer_name(chain[0]) if chain else ""
    if expected.casefold() not in issuer.casefold():
        raise CheckFailedError(
            "tls_issuer", f"certificate is issued by '{quote_untrusted(issuer, ())}'"
        )


def check_names(chain: Sequence[bytes], expected: Sequence[str]) -> None:
    """Check that the server's certificate is valid for each of the hosts (RFC 9525, section 6).

    Raises:
        CheckFailedError: it is not valid for one of them.
        CheckUnknownError: one of them cannot be a host.
    """
    names = subject_alt_names(chain[0]) if chain else ()
    for host in expected:
        try:
            is_covered = _covers(names, _canonical(host))
        except ValueError as error:
            sentence = f"expected_names: '{host}' is not a host name"
            raise CheckUnknownError("config", sentence) from error
        if not is_covered:
            raise CheckFailedError("tls_names", f"certificate is not valid for '{host}'")


def check_host(chain: Sequence[bytes], host: str) -> None:
    """Check that the server's certificate is valid for the host that was connected to.

    Only subject alternative names count, and an underscore may be in what a wildcard covers, as in
    Go, browsers and curl.

    Raises:
        CheckFailedError: it is not.
        ValueError: the host is not a valid name.
    """
    names = subject_alt_names(chain[0]) if chain else ()
    host, _, _zone = host.partition("%")
    if not _covers(names, _canonical(host)):
        what = "address" if _is_address(host) else "host"
        raise CheckFailedError("tls_wrong_host", f"certificate is not valid for this {what}")


def _covers(names: Sequence[str], host: str) -> bool:
    """Whether one of the names covers the host; a wildcard replaces the first label."""
    _, dot, parent = host.partition(".")
    return host in names or (bool(dot) and f"*.{parent}" in names and not _is_address(host))


@lru_cache(maxsize=1024)
def _canonical(host: str) -> str:
    if _is_address(host):
        return str(ipaddress.ip_address(host))
    return ascii_host(host).rstrip(".").lower()


@lru_cache(maxsize=1024)
def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
