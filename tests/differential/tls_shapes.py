"""TLS servers as they are: versions, suites, chains, names, client certificates, ends.

Each is asked for a page on the host of its shape, by us and by curl; both connect to 127.0.0.1.
"""

from __future__ import annotations

import socket
import ssl
import struct
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import Any, Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

NAME: Final = "www.example.test"
NOW: Final = datetime.now(UTC).replace(microsecond=0)
PEM: Final = serialization.Encoding.PEM
ANSWER: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

Key = Any
Behaviour = Callable[[socket.socket, ssl.SSLContext], None]


class Identity(Struct, frozen=True):
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key


class TlsShape(Struct, frozen=True):
    """A server.

    Attributes:
        context: makes the server's context.
        name: the host that is asked for.
        behave: what it does with a connection.
    """

    context: Callable[[], ssl.SSLContext]
    name: str = NAME
    behave: Behaviour | None = None


@cache
def key(kind: str = "p-256", number: int = 0) -> Key:
    """Return a key of a kind; the same one each time."""
    del number
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65_537, int(kind[3:]))
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    curves = {"p-256": ec.SECP256R1(), "p-384": ec.SECP384R1(), "p-521": ec.SECP521R1()}
    return ec.generate_private_key(curves[kind])


def issue(
    names: Sequence[str] | None,
    parent: Identity | None,
    *,
    kind: str = "p-256",
    common_name: str = "",
    days: tuple[float, float] = (-1, 60),
    is_authority: bool = False,
    path_length: int | None = None,
    more: Sequence[tuple[x509.ExtensionType, bool]] = (),
    signed_with: Any = None,
) -> Identity:
    """Issue a certificate; without a parent it is signed with its own key.

    Args:
        names: the subject alternative names; None for no such extension.
        days: its beginning and end, from now.
    """
    own = key(kind, hash((tuple(names or ()), common_name, days)))
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Shapes"), *attributes])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(parent.certificate.subject if parent else subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=days[0]))
        .not_valid_after(NOW + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(is_authority, path_length), critical=True)
    )
    if names is not None:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False
        )
    for extension, is_critical in more:
        builder = builder.add_extension(extension, is_critical)
    signer = parent.key if parent else own
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return Identity(builder.sign(signer, signed_with or algorithm), own)


def _general_name(name: str) -> x509.GeneralName:
    if "@" in name:
        return x509.RFC822Name(name)
    if name.startswith("dns:"):
        return x509.DNSName(name[4:])
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


ROOT: Final = issue(None, None, common_name="Root", days=(-9, 3650), is_authority=True)
MIDDLE: Final = issue(None, ROOT, common_name="Middle", days=(-9, 900), is_authority=True)
OTHER: Final = issue(None, None, common_name="Other", days=(-9, 3650), is_authority=True)
OLD: Final = issue(None, OTHER, common_name="Old", days=(-90, -1), is_authority=True)


def pem(*certificates: Identity) -> bytes:
    return b"".join(one.certificate.public_bytes(PEM) for one in certificates)


def serve(
    *chain: Identity, suites: str = "ALL:@SECLEVEL=0", change: Callable[[ssl.SSLContext], Any] = str
) -> Callable[[], ssl.SSLContext]:
    """Return what makes a context that sends a chain, with the key of its first certificate."""

    def make() -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers(suites)
        private = chain[0].key.private_bytes(
            PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with tempfile.NamedTemporaryFile() as file:
            Path(file.name).write_bytes(pem(*chain) + private)
            context.load_cert_chain(file.name)
        change(context)
        return context

    return make


def tls_shapes() -> dict[str, TlsShape]:
    """Return all shapes by name; a name begins with its kind."""
    return dict([*_versions(), *_suites(), *_keys(), *_chains(), *_names(), *_purposes(), *_ends()])


GOOD: Final = issue([NAME], ROOT)


def _versions() -> Iterator[tuple[str, TlsShape]]:
    for version in ("TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"):

        def only(context: ssl.SSLContext, number: ssl.TLSVersion = ssl.TLSVersion[version]) -> None:
            with warnings.catch_warnings():  # these versions are deprecated
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = context.maximum_version = number

        yield f"version {version}", TlsShape(serve(GOOD, change=only))

    def with_protocols(*protocols: str) -> TlsShape:
        return TlsShape(serve(GOOD, change=lambda it: it.set_alpn_protocols(list(protocols))))

    yield "alpn http/1.1", with_protocols("http/1.1")
    yield "alpn http/1.1 and 1.0", with_protocols("http/1.0", "http/1.1")
    yield "alpn unknown", with_protocols("spdy/3")

    def no_tickets(context: ssl.SSLContext) -> None:
        context.num_tickets = 0

    def many_tickets(context: ssl.SSLContext) -> None:
        context.num_tickets = 9

    yield "no session tickets", TlsShape(serve(GOOD, change=no_tickets))
    yield "many session tickets", TlsShape(serve(GOOD, change=many_tickets))

    def refuse_name(context: ssl.SSLContext) -> None:
        context.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    yield "name refused", TlsShape(serve(GOOD, change=refuse_name))


def _suites() -> Iterator[tuple[str, TlsShape]]:
    def old(context: ssl.SSLContext) -> None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2

    with_rsa = issue([NAME], ROOT, kind="rsa2048")
    for suite in (
        *(
            "ECDHE-RSA-AES128-GCM-SHA256",
            "ECDHE-RSA-AES256-GCM-SHA384",
            "ECDHE-RSA-CHACHA20-POLY1305",
        ),
        *("ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES256-SHA384", "ECDHE-RSA-AES128-SHA"),
        *("ECDHE-RSA-AES256-SHA", "AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA256"),
        *("AES256-SHA256", "AES128-SHA", "AES256-SHA", "DHE-RSA-AES128-GCM-SHA256"),
        *(
            "DHE-RSA-AES256-SHA",
            "AES128-CCM",
            "AES128-CCM8",
            "CAMELLIA128-SHA",
            "ARIA128-GCM-SHA256",
        ),
        *("NULL-SHA256", "ADH-AES128-SHA"),
    ):
        yield f"suite {suite}", TlsShape(serve(with_rsa, suites=f"{suite}:@SECLEVEL=0", change=old))
    for suite in (
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-SHA",
        "ECDHE-ECDSA-AES128-CCM8",
    ):
        yield f"suite {suite}", TlsShape(serve(GOOD, suites=f"{suite}:@SECLEVEL=0", change=old))


def _keys() -> Iterator[tuple[str, TlsShape]]:
    for kind in ("rsa1024", "rsa2048", "rsa3072", "rsa4096", "p-256", "p-384", "p-521", "ed25519"):
        yield f"key {kind}", TlsShape(serve(issue([NAME], ROOT, kind=kind)))
    for algorithm in (hashes.SHA224(), hashes.SHA384(), hashes.SHA512()):
        signed = issue([NAME], ROOT, signed_with=algorithm)
        yield f"signature {algorithm.name}", TlsShape(serve(signed))


def _chains() -> Iterator[tuple[str, TlsShape]]:
    below = issue([NAME], MIDDLE)
    expired_middle = issue(None, ROOT, common_name="Middle", days=(-90, -1), is_authority=True)
    no_authority = issue(None, ROOT, common_name="None")
    short = issue(None, ROOT, common_name="Short", is_authority=True, path_length=0)
    too_deep = issue(None, short, common_name="Too deep", is_authority=True)
    renewed = Identity(
        issue(None, OTHER, common_name="Root", days=(-90, -1), is_authority=True).certificate, 0
    )
    for name, chain in {
        "with an intermediate": [below, MIDDLE],
        "without its intermediate": [below],
        "with the root": [below, MIDDLE, ROOT],
        "in another order": [below, ROOT, MIDDLE],
        "with a stranger": [below, MIDDLE, OTHER],
        "with a stranger first": [below, OTHER, MIDDLE],
        "with an expired stranger": [below, MIDDLE, OLD],
        "with itself twice": [below, below, MIDDLE],
        "with an expired namesake of the root": [below, MIDDLE, renewed],
        "expired": [issue([NAME], ROOT, days=(-90, -1))],
        "not yet valid": [issue([NAME], ROOT, days=(1, 90))],
        "ends in an hour": [issue([NAME], ROOT, days=(-90, 1 / 24))],
        "of a hundred years": [issue([NAME], ROOT, days=(-90, 36_500))],
        "below an expired one": [issue([NAME], expired_middle), expired_middle],
        "signed by itself": [issue([NAME], None)],
        "of an unknown root": [issue([NAME], OTHER)],
        "below no authority": [issue([NAME], no_authority), no_authority],
        "longer than allowed": [issue([NAME], too_deep), too_deep, short],
    }.items():
        yield f"chain {name}", TlsShape(serve(*chain))


def _names() -> Iterator[tuple[str, TlsShape]]:
    for host, names in (
        (NAME, [NAME]),
        (NAME, ["WWW.Example.TEST"]),
        (NAME, ["other.test", NAME, "1.2.3.4"]),
        (NAME, ["*.example.test"]),
        (NAME, ["*.EXAMPLE.test"]),
        (NAME, ["*.test"]),
        (NAME, ["*"]),
        (NAME, ["www.*.test"]),
        (NAME, ["w*.example.test"]),
        (NAME, ["*w.example.test"]),
        (NAME, ["*ww*.example.test"]),
        (NAME, ["example.test"]),
        (NAME, [".example.test"]),
        (NAME, [f"{NAME}."]),
        (NAME, []),
        (NAME, [f"mail@{NAME}"]),
        (NAME, ["127.0.0.1"]),
        ("a.www.example.test", ["*.example.test"]),
        ("example.test", ["*.example.test"]),
        ("WWW.example.test", [NAME]),
        (f"{NAME}.", [NAME]),
        ("a_b.example.test", ["a_b.example.test"]),
        ("a_b.example.test", ["*.example.test"]),
        ("a-b.example.test", ["*.example.test"]),
        ("_a.example.test", ["*.example.test"]),
        ("1.example.test", ["*.example.test"]),
        ("xn--bcher-kva.example.test", ["*.example.test"]),
        ("xn--bcher-kva.test", ["xn--bcher-kva.test"]),
        ("bücher.test", ["xn--bcher-kva.test"]),
        ("bücher.test", ["*.test"]),
        ("127.0.0.1", ["127.0.0.1"]),
        ("127.0.0.1", ["dns:127.0.0.1"]),
        ("127.0.0.1", ["127.0.0.2"]),
        ("127.0.0.1", ["*.0.0.1"]),
        ("test", ["test"]),
        ("test", ["*"]),
    ):
        shape = TlsShape(serve(issue(names, ROOT)), host)
        yield f"name {host} for {', '.join(names) or 'none'}", shape
    yield "common name only", TlsShape(serve(issue(None, ROOT, common_name=NAME)))
    beside = issue(["other.test"], ROOT, common_name=NAME)
    yield "common name beside another", TlsShape(serve(beside))
    address = issue(None, ROOT, common_name="127.0.0.1")
    yield "common name is the address", TlsShape(serve(address), "127.0.0.1")


def _purposes() -> Iterator[tuple[str, TlsShape]]:
    def using(*purposes: x509.ObjectIdentifier, critical: bool = False) -> Identity:
        return issue([NAME], ROOT, more=[(x509.ExtendedKeyUsage(purposes), critical)])

    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    limits = x509.NameConstraints([x509.DNSName("example.test")], None)
    others = x509.NameConstraints([x509.DNSName("other.test")], None)
    for name, extension, is_critical in (
        ("constraints that allow it", limits, True),
        ("constraints that do not", others, True),
    ):
        parent = issue(
            None, ROOT, common_name=name, is_authority=True, more=[(extension, is_critical)]
        )
        yield f"name {name}", TlsShape(serve(issue([NAME], parent), parent))
    for name, leaf in {
        "servers": using(ExtendedKeyUsageOID.SERVER_AUTH),
        "clients": using(ExtendedKeyUsageOID.CLIENT_AUTH),
        "both": using(ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH),
        "any": using(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE),
        "mail": using(ExtendedKeyUsageOID.EMAIL_PROTECTION, critical=True),
        "an authority": issue([NAME], ROOT, is_authority=True),
        "a new extension": issue([NAME], ROOT, more=[(unknown, False)]),
        "a new critical extension": issue([NAME], ROOT, more=[(unknown, True)]),
    }.items():
        yield f"purpose {name}", TlsShape(serve(leaf))


def _answer(client: ssl.SSLSocket) -> None:
    head = b""
    while b"\r\n\r\n" not in head and (more := client.recv(65_536)):
        head += more
    client.sendall(ANSWER)


def _ends() -> Iterator[tuple[str, TlsShape]]:
    for version in ("TLSv1_2", "TLSv1_3"):
        wanted = _wants_certificate(ssl.CERT_OPTIONAL, ssl.TLSVersion[version])
        yield f"certificate wanted, {version}", TlsShape(serve(GOOD, change=wanted))
        needed = _wants_certificate(ssl.CERT_REQUIRED, ssl.TLSVersion[version])
        yield f"certificate needed, {version}", TlsShape(serve(GOOD, change=needed))
    for name, work in {
        "at once": lambda _: None,
        "after the request": lambda client: client.recv(65_536),
        "with close_notify": _end_with_close_notify,
        "without close_notify": _answer_without_length,
        "in single bytes": _answer_in_single_bytes,
        "with a reset": _reset,
    }.items():
        yield f"ends {name}", TlsShape(serve(GOOD), behave=_after_handshake(work))
    for name, data in {
        "HTTP": ANSWER,
        "banner": b"SSH-2.0-OpenSSH\r\n",
        "alert": bytes.fromhex("15030300020228"),  # handshake_failure
        "nothing": b"",
    }.items():
        yield f"plain {name}", TlsShape(serve(GOOD), behave=_plain(data))
    yield "closed before the handshake", TlsShape(serve(GOOD), behave=lambda *_: None)
    yield "reset before the handshake", TlsShape(serve(GOOD), behave=lambda it, _: _reset(it))


def _wants_certificate(
    how: ssl.VerifyMode, version: ssl.TLSVersion
) -> Callable[[ssl.SSLContext], None]:
    def change(context: ssl.SSLContext) -> None:
        context.maximum_version = version
        context.verify_mode = how
        context.load_verify_locations(cadata=pem(ROOT).decode())

    return change


def _after_handshake(work: Callable[[ssl.SSLSocket], Any]) -> Behaviour:
    def behave(client: socket.socket, context: ssl.SSLContext) -> None:
        with context.wrap_socket(client, server_side=True) as secured:
            work(secured)

    return behave


def _answer_without_length(client: ssl.SSLSocket) -> None:
    client.recv(65_536)
    client.sendall(b"HTTP/1.1 200 OK\r\n\r\nhello")


def _end_with_close_notify(client: ssl.SSLSocket) -> None:
    _answer_without_length(client)
    client.unwrap()


def _answer_in_single_bytes(client: ssl.SSLSocket) -> None:
    client.recv(65_536)
    for number in range(len(ANSWER)):
        client.sendall(ANSWER[number : number + 1])


def _reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def _plain(data: bytes) -> Behaviour:
    def behave(client: socket.socket, _: ssl.SSLContext) -> None:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        while client.recv(65_536):
            pass

    return behave


class TlsServer:
    """Serves a shape until the block ends."""

    def __init__(self, shape: TlsShape) -> None:
        self._shape = shape
        self._context = shape.context()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.port: int = self._listener.getsockname()[1]
        self._thread = Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with client, suppress(OSError, ValueError):
                    client.settimeout(5)
                    if self._shape.behave:
                        self._shape.behave(client, self._context)
                        continue
                    with self._context.wrap_socket(client, server_side=True) as secured:
                        _answer(secured)
                        secured.recv(1)


class TlsDifference(Struct, frozen=True):
    """Shapes with which we mean to do something else than curl.

    Attributes:
        ours: whether we get through, by shape.
        why: the standard that has it so, or the harm of doing as curl.
    """

    ours: Mapping[str, bool]
    why: str


TLS_DIFFERENCES: Final = (
    TlsDifference({"key rsa1024": True}, "Go and GnuTLS read it; curl's OpenSSL is at level 2."),
    TlsDifference(
        {"name bücher.test for *.test": True},
        "RFC 6125, section 6.4.3: the first label may be *. Go accepts it for any domain.",
    ),
    TlsDifference(
        {"common name only": False, "common name is the address": False},
        "RFC 9525, section 6.3: it never counts. Go and browsers refuse it.",
    ),
)
