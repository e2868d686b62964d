"""Why an attempt failed: a machine-readable class and one short, safe message.

The messages are ours: a library's text may contain an address with its secrets, differs between
versions and is written for programmers. Trouble of the monitoring machine is not a failure of the
target: it is raised as CheckUnknownError.
"""

from __future__ import annotations

import errno
import ssl
from typing import Final

from checkup.errors import CheckUnknownError, CheckupError


class CheckFailedError(CheckupError):
    """The target failed the attempt. Checkers turn it into an Attempt.

    Attributes:
        failure: the machine-readable class, such as ``connect_refused``.
    """

    def __init__(self, failure: str, message: str) -> None:
        super().__init__(message)
        self.failure = failure


_LOCAL: Final = {
    errno.EMFILE: "this machine has no free file descriptor",
    errno.ENFILE: "this machine has no free file descriptor",
    errno.ENOBUFS: "this machine has no free network buffer",
    errno.ENOMEM: "this machine has no free memory",
    errno.EADDRNOTAVAIL: "this machine has no free address or port to connect from",
    errno.EAGAIN: "this machine has no free port to connect from",
    errno.EACCES: "this machine does not allow the connection",
    errno.EPERM: "this machine does not allow the connection",
}

_NETWORK: Final = {
    errno.ECONNREFUSED: ("connect_refused", "connection refused"),
    errno.ECONNRESET: ("connect_reset", "connection reset by the server"),
    errno.ECONNABORTED: ("connect_reset", "connection reset by the server"),
    errno.EPIPE: ("connect_reset", "connection reset by the server"),
    errno.ETIMEDOUT: ("connect_timeout", "connection timed out"),
    errno.EHOSTUNREACH: ("unreachable", "no route to the server"),
    errno.EHOSTDOWN: ("unreachable", "no route to the server"),
    errno.ENETUNREACH: ("unreachable", "no route to the server"),
    errno.ENETDOWN: ("unreachable", "no route to the server"),
    errno.EAFNOSUPPORT: ("unreachable", "no route to the server"),
}

_CERTIFICATE: Final = {
    7: ("tls_untrusted", "certificate is not signed by its issuer"),
    9: ("tls_not_yet_valid", "certificate is not valid yet"),
    10: ("tls_expired", "certificate has expired"),
    18: ("tls_untrusted", "certificate is self-signed"),
    19: ("tls_untrusted", "certificate chain ends in an untrusted root"),
    20: ("tls_untrusted", "certificate chain does not lead to a trusted root"),
    21: ("tls_untrusted", "certificate chain does not lead to a trusted root"),
    24: ("tls_untrusted", "an issuer in the certificate chain is not a certificate authority"),
    26: ("tls_purpose", "certificate is not valid for servers"),
    62: ("tls_wrong_host", "certificate is not valid for this host"),
    64: ("tls_wrong_host", "certificate is not valid for this address"),
    66: ("tls_weak", "certificate key is too weak"),
    67: ("tls_weak", "the key of an issuer in the certificate chain is too weak"),
    68: ("tls_weak", "a signature in the certificate chain is too weak"),
    79: ("tls_untrusted", "an issuer in the certificate chain is not a certificate authority"),
}
"""By the codes of OpenSSL (X509_STORE_CTX_get_error(3))."""

_TLS: Final = {
    "WRONG_VERSION_NUMBER": ("tls_not_spoken", "the server does not speak TLS on this port"),
    "HTTP_REQUEST": ("tls_not_spoken", "the server does not speak TLS on this port"),
    "PACKET_LENGTH_TOO_LONG": ("tls_not_spoken", "the server does not speak TLS on this port"),
    "RECORD_LAYER_FAILURE": ("tls_not_spoken", "the server does not speak TLS on this port"),
    "UNSUPPORTED_PROTOCOL": ("tls_version", "the server does not support TLS 1.2 or later"),
    "TLSV1_ALERT_PROTOCOL_VERSION": (
        "tls_version",
        "the server does not support TLS 1.2 or later",
    ),
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": (
        "tls_client_certificate",
        "the server requires a client certificate",
    ),
}


def from_os_error(error: OSError) -> CheckFailedError:
    """Translate the error of a system call on a socket.

    Raises:
        CheckUnknownError: the cause is this machine, not the target.
    """
    if error.errno in _LOCAL:
        raise CheckUnknownError("resource", _LOCAL[error.errno]) from error
    return CheckFailedError(*_NETWORK.get(error.errno or 0, ("network", "the connection failed")))


def from_ssl_error(error: ssl.SSLError) -> CheckFailedError:
    """Translate the error of a TLS operation.

    Raises:
        CheckUnknownError: the server has only protocols that are not supported here.
    """
    if "no application protocol" in str(error):  # without a reason; curl gets through with HTTP/2
        raise CheckUnknownError("unsupported", "the server does not support HTTP/1.1") from error
    if isinstance(error, ssl.SSLCertVerificationError):
        other = ("tls_certificate", "certificate verification failed")
        return CheckFailedError(*_CERTIFICATE.get(error.verify_code, other))
    return CheckFailedError(
        *_TLS.get(error.reason or "", ("tls_handshake", "TLS handshake failed"))
    )
