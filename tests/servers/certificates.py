"""A certificate authority for tests, and servers' certificates that are wrong by name."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

NOW = datetime.now(UTC).replace(microsecond=0)
EXPIRY = NOW + timedelta(days=60)


class Authority:
    """Issues certificates for servers on this machine.

    Attributes:
        roots: a PEM file with its root.
    """

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        self.roots = folder / "roots.pem"
        self._ca.cert_pem.write_to_path(self.roots)

    def good(self) -> ssl.SSLContext:
        """Return a server's context; its certificate ends at EXPIRY."""
        return self._issued(None, EXPIRY)

    def demanding(self) -> ssl.SSLContext:
        """Return the context of a server that wants a certificate of this authority."""
        context = self.good()
        self._ca.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client(self, folder: Path) -> tuple[str, str]:
        """Write a client's certificate and key, and return where they are."""
        issued = self._ca.issue_cert("client@example.test")
        certificate, key = folder / "client.pem", folder / "client.key"
        issued.cert_chain_pems[0].write_to_path(certificate)
        issued.private_key_pem.write_to_path(key)
        return str(certificate), str(key)

    def named(self, *names: str) -> ssl.SSLContext:
        """Return the context of a server with these names."""
        return self._issued(None, EXPIRY, *names)

    def expired(self) -> ssl.SSLContext:
        return self._issued(NOW - timedelta(9), NOW - timedelta(1))

    def not_yet_valid(self) -> ssl.SSLContext:
        return self._issued(NOW + timedelta(1), NOW + timedelta(9))

    def wrong_host(self) -> ssl.SSLContext:
        return self._issued(None, EXPIRY, "elsewhere.test")

    def common_name_only(self) -> ssl.SSLContext:
        return _context(self._ca.issue_cert("elsewhere.test", common_name="localhost"))

    def _issued(
        self, not_before: datetime | None, not_after: datetime, *names: str
    ) -> ssl.SSLContext:
        identities = names or ("localhost", "127.0.0.1")
        return _context(
            self._ca.issue_cert(*identities, not_before=not_before, not_after=not_after)
        )


def _context(issued: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    return context
