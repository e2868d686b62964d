"""Certificates in which any field can be wrong, and chains of them."""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.now(UTC).replace(microsecond=0)
PEM = serialization.Encoding.PEM
HOSTS = ("localhost", "127.0.0.1")


def in_days(days: float) -> datetime:
    return NOW + timedelta(days=days)


@dataclass
class Holder:
    """A certificate, the key that belongs to it, and the certificates above it."""

    certificate: x509.Certificate
    key: Any
    above: list[x509.Certificate] = field(default_factory=list)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(PEM).decode()

    def server(self, *, above: bool = True) -> ssl.SSLContext:
        """Return the context of a server that sends this certificate, and those above it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("ALL:@SECLEVEL=0")
        with tempfile.NamedTemporaryFile() as file:
            self.write(file.name, above=above)
            context.load_cert_chain(file.name)
        return context

    def write(self, path: str, *, above: bool = True) -> None:
        """Write the certificate, those above it and the key into a file."""
        sent = [self.certificate, *(self.above if above else ())]
        key = self.key.private_bytes(
            PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        Path(path).write_bytes(b"".join(one.public_bytes(PEM) for one in sent) + key)


def authority(
    name: str = "Root",
    parent: Holder | None = None,
    *,
    days: float = 3650,
    before: float = -1,
    rsa: bool = False,
) -> Holder:
    """Return an authority; without a parent it is a root."""
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=True, path_length=None), True)
    ]
    return _issue(name, parent, (before, days), extensions, bits=2048 if rsa else 0)


_SHA256_WITH_RSA = bytes.fromhex("06092a864886f70d01010b")
_SHA1_WITH_RSA = bytes.fromhex("06092a864886f70d010105")


def signed_with_sha1(holder: Holder, parent: Holder) -> Holder:
    """Return a certificate whose signature by an RSA key is made again, with SHA-1."""
    signed = holder.certificate.tbs_certificate_bytes
    again = signed.replace(_SHA256_WITH_RSA, _SHA1_WITH_RSA)
    signature = parent.key.sign(again, PKCS1v15(), hashes.SHA1())
    der = holder.der.replace(_SHA256_WITH_RSA, _SHA1_WITH_RSA)
    der = der.replace(holder.certificate.signature, signature)
    return Holder(x509.load_der_x509_certificate(der), holder.key)


def leaf(
    parent: Holder | None,
    days: float = 60,
    *,
    hosts: tuple[str, ...] = HOSTS,
    before: float = -1,
    weak: bool = False,
    for_clients: bool = False,
    bare: bool = False,
    revocations: str = "",
) -> Holder:
    """Return a server's certificate; without a parent it is signed by itself.

    Args:
        weak: with a key of 1,024 bits.
        for_clients: its purpose is another.
        bare: without the identifiers of keys.
        revocations: where it says that the list of what was revoked is.
    """
    names = [_general_name(host) for host in hosts]
    extensions: list[tuple[x509.ExtensionType, bool]] = []
    if names:
        extensions.append((x509.SubjectAlternativeName(names), False))
    if for_clients:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        extensions.append((usage, False))
    if revocations:
        point = x509.DistributionPoint(
            [x509.UniformResourceIdentifier(revocations)], None, None, None
        )
        extensions.append((x509.CRLDistributionPoints([point]), False))
    if not bare and parent:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(parent.key.public_key())
        extensions.append((identifier, False))
    name = hosts[0] if hosts else "localhost"
    return _issue(name, parent, (before, days), extensions, bits=1024 if weak else 0)


def _issue(
    name: str,
    parent: Holder | None,
    days: tuple[float, float],
    extensions: list[tuple[x509.ExtensionType, bool]],
    *,
    bits: int = 0,
) -> Holder:
    key = generate_private_key(65537, bits) if bits else ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(parent.certificate.subject if parent else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(in_days(days[0]))
        .not_valid_after(in_days(days[1]))
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    certificate = builder.sign(parent.key if parent else key, hashes.SHA256())
    above = [parent.certificate, *parent.above] if parent and parent.above else []
    if parent and parent.certificate.issuer != parent.certificate.subject and not above:
        above = [parent.certificate]
    return Holder(certificate, key, above)


def _name(text: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Forge"),
            x509.NameAttribute(NameOID.COMMON_NAME, text),
        ]
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
