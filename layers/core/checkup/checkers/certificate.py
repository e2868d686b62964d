"""Reads the end of a certificate's validity from its DER form (RFC 5280, section 4.1).

The ssl module parses only certificates that it has verified, and parses all of them; this
reads the one field that matters, in microseconds, verified or not.
"""

from __future__ import annotations

from datetime import UTC, datetime

from checkup.model import SECOND

_SEQUENCE_OF_VERSION = 0xA0
_UTC_TIME = 0x17
_LATEST = 2**63 - 1


def certificate_expiry(der: bytes | None) -> int:
    """Return nanoseconds since the epoch, at most an int64; 0 if it cannot be read."""
    try:
        return _not_after(der or b"")
    except (IndexError, ValueError):
        return 0


def _not_after(der: bytes) -> int:
    position = _content(der, _content(der, 0))  # Certificate, TBSCertificate
    if der[position] == _SEQUENCE_OF_VERSION:
        position = _after(der, position)
    for _serial_signature_issuer in range(3):
        position = _after(der, position)
    end = _after(der, _content(der, position))  # Validity, past notBefore
    text = der[_content(der, end) : _after(der, end)].decode("ascii")
    if der[end] == _UTC_TIME:  # two digits of the year: 1950 to 2049
        text = ("19" if text[:2] >= "50" else "20") + text
    month, day, hour, minute, second = (int(text[at : at + 2]) for at in range(4, 14, 2))
    moment = datetime(int(text[:4]), month, day, hour, minute, second, tzinfo=UTC)
    return min(int(moment.timestamp()) * SECOND, _LATEST)


def _content(der: bytes, position: int) -> int:
    """Return where the content of the element at ``position`` begins."""
    length = der[position + 1]
    return position + 2 + (length & 0x7F if length & 0x80 else 0)


def _after(der: bytes, position: int) -> int:
    """Return where the element at ``position`` is over."""
    start = _content(der, position)
    long_form = der[position + 2 : start]
    return start + (int.from_bytes(long_form) if long_form else der[position + 1])
