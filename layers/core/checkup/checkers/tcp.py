"""The ``tcp`` checker: a connection and, if configured, a TLS handshake and a short dialogue."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta, Struct

from checkup.checkers.addresses import host_port_problem
from checkup.checkers.certificates import Validity
from checkup.checkers.failures import CheckFailedError, from_os_error, from_ssl_error
from checkup.checkers.network import split_host_port
from checkup.checkers.stream import NetworkStream, open_stream
from checkup.checkers.tls_context import StreamChecker
from checkup.deadline import Deadline, Stopwatch
from checkup.interfaces import Network
from checkup.interfaces.kinds import SettingProblem
from checkup.model import Attempt
from checkup.times import SECOND

_MAX_RESPONSE: Final = 8_192
_PIECE: Final = 1_024


class TcpChecker(StreamChecker, frozen=True, kw_only=True):
    """Opens and closes one connection to ``host:port``.

    Without ``send``, ``expect`` and ``starttls`` nothing is sent or read: a server that accepts
    and closes at once is healthy. The round trip time ends with the last configured step:
    connection, handshake or response.
    """

    kind: ClassVar[str] = "tcp"
    default_timeout: ClassVar[int] = SECOND

    tls: Annotated[bool, Meta(description="Complete a TLS handshake.")] = False
    starttls: Annotated[
        Literal["", "smtp", "imap", "pop3"],
        Meta(description="Request TLS in this protocol, then complete a TLS handshake."),
    ] = ""
    send: Annotated[str, Meta(description="Text to send.", extra={"private": True})] = ""
    expect: Annotated[
        str, Meta(description="Text that must arrive within the first 8,192 bytes.")
    ] = ""
    charset: Annotated[
        str, Meta(description="Character encoding of send and expect, such as latin-1.")
    ] = "utf-8"

    def find_errors(self) -> Iterator[SettingProblem]:
        """See :meth:`checkup.interfaces.kinds.Settings.find_errors`."""
        yield from super().find_errors()
        try:
            "".encode(self.charset)
        except (LookupError, ValueError):
            fix = "use one that Python knows, such as latin-1, cp1252 or shift_jis"
            yield SettingProblem("charset", f"unknown encoding '{self.charset}'", fix)
            return
        for name in ("send", "expect"):
            try:
                getattr(self, name).encode(self.charset)
            except UnicodeEncodeError:
                text = f"contains a character that is not in {self.charset}"
                yield SettingProblem(name, text, "use another charset")

    def find_warnings(self) -> Iterator[SettingProblem]:
        """See :meth:`checkup.interfaces.kinds.Settings.find_warnings`."""
        yield from super().find_warnings()
        if problem := host_port_problem(self.endpoint_url, ip_version=self.ip_version):
            yield problem
        if len(self.expect.encode(self.charset)) > _MAX_RESPONSE:
            text = f"only the first {_MAX_RESPONSE} bytes are searched"
            yield SettingProblem("expect", text, "expect less", is_fatal=True)

    @property
    def uses_tls(self) -> bool:
        """Whether a context for TLS is needed."""
        return self.tls or bool(self.starttls)

    async def attempt_async(self, net: Network, deadline: Deadline) -> Attempt:
        """See :meth:`checkup.interfaces.NetworkChecker.attempt_async`."""
        error = failure = weakness = ""
        certificates = Validity()
        watch = Stopwatch(net.clock_ns)
        try:
            address = split_host_port(self.endpoint_url)
            context = None
            if self.uses_tls:
                context = await self.load_tls_context(net)
                watch = Stopwatch(net.clock_ns)  # only now: preparing a context is no round trip
            with await open_stream(net, address, deadline, watch, self.address_family) as stream:
                if self.starttls:
                    with watch.phase("wait"):
                        await request_starttls(stream, self.starttls)
                if context:
                    name = self.server_name or address[0] or "localhost"
                    certificates = await stream.start_tls(context, name)
                    weakness = stream.tls_weakness()
                if self.send or self.expect:
                    with watch.phase("wait"):
                        send, expect = (
                            text.encode(self.charset) for text in (self.send, self.expect)
                        )
                        await send_and_expect(stream, send, expect)
        except CheckFailedError as failed:
            error, failure = str(failed), failed.failure
        return Attempt(
            rtt=watch.elapsed_ns(),
            error=error,
            failure=failure,
            phases=watch.phases(),
            certificate_expiry=certificates.expiry_ns,
            certificate_renewal=certificates.renewal_ns,
            certificate_lifetime=certificates.lifetime_ns,
            tls_weakness=weakness,
        )


class _Step(Struct, frozen=True):
    """A command of a STARTTLS dialogue, and patterns for the response.

    Attributes:
        command: empty where the server speaks first.
        success: found in a response that allows the next step.
        end: found once the response is complete, whether it is a success or not.
    """

    command: bytes
    success: re.Pattern[bytes]
    end: re.Pattern[bytes]


def _step(command: bytes, success: bytes, end: bytes) -> _Step:
    flags = re.MULTILINE | re.IGNORECASE  # keywords may be in any case (RFC 5321, 2.4; RFC 3501, 9)
    return _Step(command, re.compile(success, flags), re.compile(end, flags))


# The text after the code of a reply is optional (RFC 5321, section 4.2).
_SMTP_END, _SMTP_READY = rb"^[0-9]{3}(?: .*)?\r?\n", rb"^220(?: |\r?$)"
_IMAP_END, _POP3_END = rb"^a [A-Z]+.*\n", rb"^(?:\+OK|-ERR).*\n"

_STARTTLS: Mapping[str, Sequence[_Step]] = {
    "smtp": (  # RFC 3207
        _step(b"", _SMTP_READY, _SMTP_END),
        _step(b"EHLO checkup.invalid\r\n", rb"^250[ -]STARTTLS\b", _SMTP_END),
        _step(b"STARTTLS\r\n", _SMTP_READY, _SMTP_END),
    ),
    "imap": (  # RFC 3501, section 6.2.1
        _step(b"", rb"^\* OK\b", rb"^\* .*\n"),
        _step(b"a STARTTLS\r\n", rb"^a OK\b", _IMAP_END),
    ),
    "pop3": (  # RFC 2595, section 4
        _step(b"", rb"^\+OK\b", _POP3_END),
        _step(b"STLS\r\n", rb"^\+OK\b", _POP3_END),
    ),
}


async def request_starttls(stream: NetworkStream, protocol: str) -> None:
    """Hold the dialogue of a protocol up to where the TLS handshake begins.

    Nothing that the server sent before the handshake counts as part of what comes after it
    (CVE-2011-0411).

    Raises:
        CheckFailedError: the server does not speak the protocol, or offers no TLS.
    """
    for number, step in enumerate(_STARTTLS[protocol]):
        if step.success.search(await _exchange(stream, step.command, step.end)):
            continue
        if number == 0:
            raise CheckFailedError("protocol", f"the server does not greet with {protocol.upper()}")
        raise CheckFailedError("starttls_refused", "the server does not offer STARTTLS")


async def send_and_expect(stream: NetworkStream, send: bytes, expect: bytes) -> None:
    """Send something and wait for something; either may be empty.

    Raises:
        CheckFailedError: it did not arrive.
    """
    await _exchange(stream, send, re.compile(re.escape(expect)) if expect else None)


async def _exchange(stream: NetworkStream, send: bytes, end: re.Pattern[bytes] | None) -> bytes:
    """Send bytes, and return what was received when ``end`` is found in it."""
    try:
        if send:
            await stream.write(send)
        return await _receive_until(stream, end) if end else b""
    except TimeoutError as error:
        raise CheckFailedError(
            "deadline", "the expected response did not arrive in time"
        ) from error
    except ssl.SSLError as error:
        raise from_ssl_error(error) from error
    except OSError as error:
        raise from_os_error(error) from error


async def _receive_until(stream: NetworkStream, end: re.Pattern[bytes]) -> bytes:
    received = b""
    while len(received) < _MAX_RESPONSE:
        piece = await stream.read(min(_PIECE, _MAX_RESPONSE - len(received)))
        if not piece:
            raise CheckFailedError(
                "expect_mismatch", "the server closed the connection without the expected response"
            )
        received += piece
        if end.search(received):
            return received
    raise CheckFailedError(
        "expect_mismatch", f"the first {_MAX_RESPONSE} bytes do not contain the expected response"
    )
