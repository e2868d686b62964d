"""Prepared TLS contexts: one per set of trusted roots, built once, never changed again.

Loading the system's roots costs 14 ms of CPU with OpenSSL 3, a handshake 0.4 ms. Changing a
context that other threads are using is known to crash, so nothing here hands one out before
it is finished.
"""

from __future__ import annotations

import ssl
from functools import lru_cache
from pathlib import Path
from threading import Lock

from msgspec import Struct

from checkup.checkers.failures import CheckFailedError
from checkup.checkers.sockets import DeadlineTLSSocket
from checkup.errors import CheckUnknownError

_building = Lock()


class ClientCertificate(Struct, frozen=True):
    """What a client shows of itself: PEM files, read again when one has changed.

    Attributes:
        key: where the certificate's key is; empty if it is in the same file.
        changed: when the files were last changed.
    """

    certificate: str
    key: str
    changed: tuple[int, ...]


def client_certificate(certificate: str, key: str = "") -> ClientCertificate:
    """Return the identity in these files, as they are now.

    Raises:
        CheckUnknownError: a file is not there.
    """
    try:
        changed = tuple(Path(path).stat().st_mtime_ns for path in (certificate, key) if path)
    except (OSError, ValueError) as error:
        raise _no_identity() from error
    return ClientCertificate(certificate, key, changed)


def system_roots_context(own: ClientCertificate | None = None) -> ssl.SSLContext:
    """Return the context that trusts the system's roots, or certifi's if it has none.

    SSL_CERT_FILE and SSL_CERT_DIR are honoured, as Go does on Unix.
    """
    paths = ssl.get_default_verify_paths()  # names only what exists
    changed = Path(paths.cafile).stat().st_mtime_ns if paths.cafile else 0
    with _building:
        return _system_context(paths.cafile, paths.capath, changed, own)


def unverified_context(own: ClientCertificate | None = None) -> ssl.SSLContext:
    """Return the context that accepts every certificate."""
    with _building:
        return _unverified_context(own)


def ca_file_context(*paths: str, own: ClientCertificate | None = None) -> ssl.SSLContext:
    """Return the context that trusts the roots in these PEM files and no others.

    The files are read again when one has changed.

    Raises:
        CheckFailedError: a file cannot be read, or holds no certificate.
    """
    try:
        changed = tuple(Path(path).stat().st_mtime_ns for path in paths)
    except (OSError, ValueError) as error:
        raise CheckFailedError("tls_roots", "error reading root certificate") from error
    with _building:
        return _file_context(paths, changed, own)


@lru_cache(maxsize=64)
def _system_context(
    cafile: str | None, capath: str | None, changed: int, own: ClientCertificate | None
) -> ssl.SSLContext:
    del changed  # part of the key: roots that were updated are loaded again
    context = _bare_context(own)
    if cafile or (capath and any(Path(capath).iterdir())):
        context.set_default_verify_paths()
    else:
        from requests.utils import DEFAULT_CA_BUNDLE_PATH  # noqa: PLC0415 - only a system without roots pays

        context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    return context


@lru_cache(maxsize=64)
def _unverified_context(own: ClientCertificate | None) -> ssl.SSLContext:
    context = _bare_context(own)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@lru_cache(maxsize=64)
def _file_context(
    paths: tuple[str, ...], changed: tuple[int, ...], own: ClientCertificate | None
) -> ssl.SSLContext:
    del changed  # part of the key
    context = _bare_context(own)
    for path in paths:
        try:
            roots = Path(path).read_text(encoding="ascii", errors="ignore")
        except OSError as error:
            raise CheckFailedError("tls_roots", "error reading root certificate") from error
        try:
            context.load_verify_locations(cadata=roots)
        except (ssl.SSLError, ValueError) as error:
            raise CheckFailedError("tls_roots", "error parsing root certificate") from error
    return context


def _bare_context(own: ClientCertificate | None) -> ssl.SSLContext:
    """Return a context with the same rules on every Python version, and without roots.

    They are those of Go: a trusted certificate need not be self-signed, names stand in the
    subject alternative names only, and certificates are not refused for pedantry
    (VERIFY_X509_STRICT, Python's default from 3.13).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False
    context.verify_flags = ssl.VERIFY_X509_TRUSTED_FIRST | ssl.VERIFY_X509_PARTIAL_CHAIN
    context.sslsocket_class = DeadlineTLSSocket
    if own:
        _present(context, own)
    return context


def _present(context: ssl.SSLContext, own: ClientCertificate) -> None:
    def no_password() -> bytes:
        return b""  # rather than asking for one on the terminal

    try:
        context.load_cert_chain(own.certificate, own.key or None, no_password)
    except (OSError, ValueError) as error:
        raise _no_identity() from error


def _no_identity() -> CheckUnknownError:
    return CheckUnknownError("config", "the client certificate or its key cannot be read")
