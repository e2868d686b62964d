"""HTTP/1 responses: bytes in, events out, without any I/O.

The parser understands what curl, Go's net/http or browsers understand (tests/differential compares
them): any version, LF for CRLF, lines without a colon, folded and repeated lines, any encoding.
Libraries are no option: h11 is strict by design; http.client knows two versions, 100 lines and
64 KiB a line; neither it nor urllib3 can be fed by an event loop, and urllib3's decoders do not
report whether a compressed body is complete.
"""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from http import HTTPStatus
from typing import Any, Final, Protocol, TypeAlias

from msgspec import Struct

from checkup.checkers.failures import CheckFailedError
from checkup.errors import CheckUnknownError, missing_extra

MAX_HEAD: Final = 1_048_576
"""Bytes of a status line and its header lines. curl reads 300 KiB, Go 10 MiB."""

_MAX_INTERIM: Final = 262_144
"""Bytes of interim responses, which are short and many; curl reads 300 KiB of them."""

_MAX_CHUNK_LINE: Final = 65_536

_STATUS_LINE: Final = re.compile(rb"HTTP/[^ \t]*[ \t]+([0-9]{3})(?![0-9])(.*)", re.IGNORECASE)
_HEAD_END: Final = re.compile(rb"(?:\A|\n)\r?\n")
_CHUNK_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[^0-9A-Za-z].*)?", re.DOTALL)
_LENGTH: Final = re.compile(r"\+?0*([0-9]+)")
_LARGEST_LENGTH: Final = 18
"""Digits; a longer length is none, as for curl."""


class Head(Struct, frozen=True):
    """The status line and the header lines of a response.

    Attributes:
        status: three digits.
        reason: what follows them; may be empty.
        fields: names and values in the order in which they were sent.
    """

    status: int
    reason: str
    fields: tuple[tuple[str, bytes], ...]

    def values(self, name: str) -> list[bytes]:
        """All values of a header, without white space around them."""
        wanted = name.lower()
        return [value for key, value in self.fields if key.lower() == wanted]

    def text(self, name: str) -> str | None:
        """The value of a header, with those of repeated lines after commas; None without one."""
        values = self.values(name)
        return ", ".join(map(decode_text, values)) if values else None

    def members(self, name: str) -> list[str]:
        """The members of a header that is a list, in lower case."""
        joined = b",".join(self.values(name)).decode("latin-1").lower()
        return [member for part in joined.split(",") if (member := part.strip())]

    @property
    def codings(self) -> list[str]:
        """How the body is encoded, in the order in which that was done."""
        transfer = [it for it in self.members("Transfer-Encoding") if it != "chunked"]
        return [*self.members("Content-Encoding"), *transfer]


class Data(Struct, frozen=True):
    """A piece of the body, without its framing, still compressed."""

    content: bytes


class End(Struct, frozen=True):
    """The response is complete."""


Event: TypeAlias = Head | Data | End
_Steps: TypeAlias = Generator[Event | None, None, None]


class ResponseParser:
    """Parses one response; interim responses before it are skipped.

    ``feed`` what was read, then call ``next_event`` until it returns None: it needs more. What
    follows the response is ignored, except that ``unread`` has it.
    """

    def __init__(self, method: str) -> None:
        """Create a parser for the response to a request with this method."""
        self._method = method
        self._buffer = bytearray()
        self._searched = 0
        self._head_size = 0  # of interim responses too
        self._is_closed = False
        self._steps = self._parse()

    def feed(self, data: bytes) -> None:
        """Add what was read; nothing means that the server closed the connection."""
        self._buffer += data
        self._is_closed = not data

    def next_event(self) -> Event | None:
        """Return the next event, or None if more has to be read first.

        Raises:
            CheckFailedError: the response is not HTTP, or not complete.
            CheckUnknownError: it has more than 1 MiB of header lines.
        """
        return next(self._steps, End())

    @property
    def unread(self) -> bytes:
        """What was fed and is not part of an event yet."""
        return bytes(self._buffer)

    def _parse(self) -> _Steps:
        head = yield from self._parse_head()
        # 101 is a final response to what was never asked for.
        while head.status // 100 == 1 and head.status != HTTPStatus.SWITCHING_PROTOCOLS:
            if self._head_size > _MAX_INTERIM:
                raise CheckFailedError("protocol", "the server sent only interim responses")
            head = yield from self._parse_head()
        is_tunnel = self._method == "CONNECT" and head.status // 100 == 2  # noqa: PLR2004
        is_empty = self._method == "HEAD" or is_tunnel or head.status in {101, 204, 304}
        is_chunked = "chunked" in head.members("Transfer-Encoding")
        length = None if is_empty or is_chunked else _content_length(head)
        yield head
        if is_empty:
            pass
        elif is_chunked:
            yield from self._parse_chunks()
        elif length is not None:
            yield from self._parse_content(length)
        else:
            while not self._is_closed or self._buffer:
                yield self._take(len(self._buffer)) if self._buffer else None
        while True:
            yield End()

    def _parse_head(self) -> Generator[None, None, Head]:
        while True:
            while self._buffer.startswith((b"\r", b"\n")):  # browsers skip empty lines before it
                del self._buffer[:1]
            if self._buffer[:5].upper() != b"HTTP/"[: len(self._buffer)]:
                raise CheckFailedError("protocol", "the response is not HTTP")
            if b"\n" in self._buffer or len(self._buffer) > MAX_HEAD:
                break
            if self._is_closed:
                if not self._buffer:
                    raise CheckFailedError(
                        "empty_reply", "the server closed the connection without a response"
                    )
                raise CheckFailedError("protocol", "the response ended in its first line")
            yield None
        line, _, self._buffer = self._buffer.partition(b"\n")
        parts = _STATUS_LINE.fullmatch(line.rstrip(b"\r"))
        if not parts and len(line) <= MAX_HEAD:
            raise CheckFailedError("protocol", "the response is not HTTP")
        self._searched = 0
        while True:
            end = _HEAD_END.search(self._buffer, self._searched)
            if not parts or len(line) + (end.start() if end else len(self._buffer)) > MAX_HEAD:
                raise CheckUnknownError(
                    "client_limit", "the response has more than 1 MiB of headers"
                )
            if end or self._is_closed:
                break
            self._searched = max(0, len(self._buffer) - 2)
            yield None
        # Without an end, the lines that are complete count, as for curl and browsers.
        stop, following = end.span() if end else (self._buffer.rfind(b"\n"), len(self._buffer))
        block = bytes(self._buffer[: max(0, stop)])
        self._head_size += len(line) + following
        del self._buffer[:following]
        return Head(int(parts[1]), decode_text(parts[2]).strip(), _fields(block))

    def _parse_chunks(self) -> _Steps:
        while True:
            line = yield from self._line()
            size = _CHUNK_SIZE.fullmatch(line)
            if not size:
                raise _not_decodable()
            left = int(size[1], 16)
            if not left:
                break
            yield from self._parse_content(left)
            if (yield from self._line()):
                raise _not_decodable()
        trailers = 0
        while line := (yield from self._line()):
            trailers += len(line)
            if trailers > MAX_HEAD:
                raise _not_decodable()

    def _parse_content(self, left: int) -> _Steps:
        while left:
            if self._buffer:
                piece = self._take(left)
                left -= len(piece.content)
                yield piece
            elif self._is_closed:
                raise short_body()
            else:
                yield None

    def _line(self) -> Generator[None, None, bytes]:
        self._searched = 0
        while (end := self._buffer.find(b"\n", self._searched)) < 0:
            if len(self._buffer) > _MAX_CHUNK_LINE:
                raise _not_decodable()
            if self._is_closed:
                raise short_body()
            self._searched = len(self._buffer)
            yield None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line.rstrip(b"\r")

    def _take(self, limit: int) -> Data:
        piece = bytes(self._buffer[:limit])
        del self._buffer[:limit]
        return Data(piece)


def _fields(block: bytes) -> tuple[tuple[str, bytes], ...]:
    """Parse header lines; what is none is skipped, as by browsers."""
    found: list[tuple[str, list[bytes]]] = []
    is_field = False
    for line in block.split(b"\n"):
        if line[:1] in (b" ", b"\t"):  # continues the line before (RFC 9112, section 5.2)
            if is_field:
                found[-1][1].append(line.strip())
            continue
        name, colon, value = line.partition(b":")
        is_field = bool(colon and name.strip())
        if is_field:
            found.append((decode_text(name.strip()), [value.strip()]))
    return tuple((name, b" ".join(values).strip()) for name, values in found)


def _content_length(head: Head) -> int | None:
    """Return the length of the body, or None if it ends with the connection.

    Raises:
        CheckFailedError: there are different ones (RFC 9112, section 6.3).
    """
    lengths = {
        found[1] for text in head.members("Content-Length") if (found := _LENGTH.match(text))
    }
    if len(lengths) > 1:
        raise CheckFailedError("protocol", "the response has contradictory headers")
    length = "".join(lengths)
    return int(length) if 0 < len(length) <= _LARGEST_LENGTH else None


def decode_text(value: bytes) -> str:
    """Decode a header: UTF-8 where it is valid, as servers send it today, else Latin-1."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def short_body() -> CheckFailedError:
    """The failure of a body that is not complete."""
    return CheckFailedError("short_body", "the body ended early")


def _not_decodable() -> CheckFailedError:
    return CheckFailedError("protocol", "the body cannot be decoded")


_PIECE: Final = 65_536
_MAX_CODINGS: Final = 5
_NOT_SUPPORTED: Final = {
    *("compress", "x-compress", "exi", "pack200-gzip", "aes128gcm", "dcb", "dcz"),
}
"""What else is registered: https://www.iana.org/assignments/http-parameters. Other names are no
codings, and servers that send them (``utf-8``, ``none``) mean none, as browsers have it."""


class _Stream(Protocol):
    """A decompressor, as in the standard library's ``compression.zstd``."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Zlib:
    def __init__(self, wbits: int) -> None:
        self._stream = zlib.decompressobj(wbits)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        piece = self._stream.decompress(self._stream.unconsumed_tail + data, max_length)
        self.needs_input = len(piece) < max_length
        return piece


class _Deflate(_Zlib):
    """With the header of RFC 1950, as HTTP has it, or without, as some servers do."""

    def __init__(self) -> None:
        super().__init__(zlib.MAX_WBITS)
        self._start: bytes | None = b""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if self._start is not None:
            data = self._start + data
            if len(data) < 2:  # noqa: PLR2004 - the length of that header
                self._start = data
                return b""
            self._start = None
            if data[0] & 15 != zlib.DEFLATED or (data[0] << 8 | data[1]) % 31:
                self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        return super().decompress(data, max_length)


class _Brotli:
    unused_data = b""

    def __init__(self, library: Any) -> None:
        self._stream = library.Decompressor()
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return bool(self._stream.is_finished())

    def decompress(self, data: bytes, max_length: int) -> bytes:
        piece = bytes(self._stream.process(data, output_buffer_limit=max_length))
        # It may accept more while it still has output, and returns somewhat more than the limit.
        self.needs_input = len(piece) < max_length and bool(self._stream.can_accept_more_data())
        return piece


def _decompressor(coding: str) -> tuple[Callable[[], _Stream], type[Exception]]:
    """Return what makes a decompressor, and the error that it raises.

    Raises:
        CheckUnknownError: it is not supported here.
    """
    if coding in {"gzip", "x-gzip"}:
        # Some servers send what is deflate; as curl does, zlib finds out which of them it is.
        return lambda: _Zlib(32 + zlib.MAX_WBITS), zlib.error
    if coding == "deflate":
        return _Deflate, zlib.error
    try:
        if coding == "br":
            import brotli  # an extra

            return lambda: _Brotli(brotli), brotli.error
        if coding == "zstd":
            if sys.version_info >= (3, 14):
                from compression import zstd
            else:
                from backports import zstd  # an extra

            return zstd.ZstdDecompressor, zstd.ZstdError
    except ImportError as error:
        sentence = missing_extra(f"the body is encoded as {coding}", "encodings")
        raise CheckUnknownError("unsupported", sentence) from error
    raise CheckUnknownError("unsupported", f"the body is encoded as {coding}")


class _Stage:
    """Undoes one coding of a body; gzip and zstd may have several members one after the other."""

    def __init__(self, coding: str) -> None:
        self._has_members = coding in {"gzip", "x-gzip", "zstd"}
        self._new, self._error = _decompressor(coding)
        self._stream = self._new()
        self._is_first = True
        self._is_used = False
        self._is_junk = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield pieces of at most 64 KiB.

        Raises:
            CheckFailedError: it is not encoded like this.
        """
        while data and not self._is_junk:
            if self._stream.eof:
                if not self._has_members:
                    return
                self._stream, self._is_first, self._is_used = self._new(), False, False
            try:
                yield from self._decompress(data)
            except self._error as error:
                if self._is_first or self._is_used:
                    raise _not_decodable() from error
                self._is_junk = True  # after the end; other clients ignore it too
            data = self._stream.unused_data if self._stream.eof else b""

    def _decompress(self, data: bytes) -> Iterator[bytes]:
        while True:
            piece = self._stream.decompress(data, _PIECE)
            data = b""
            if piece:
                self._is_used = True
                yield piece
            if self._stream.eof or self._stream.needs_input:
                return

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing; a body without a byte is complete."""
        return self._stream.eof or (not self._is_first and not self._is_used)


class BodyDecoder:
    """Decodes a body, at most ``max_bytes`` of it: a bomb is not unpacked any further.

    Attributes:
        is_full: whether there were so many.
    """

    def __init__(self, codings: Sequence[str], max_bytes: int) -> None:
        """Create a decoder for a body with these codings, in the order in which they were applied.

        Raises:
            CheckFailedError: there are too many.
            CheckUnknownError: one of them is not supported here.
        """
        supported = {"gzip", "x-gzip", "deflate", "br", "zstd", *_NOT_SUPPORTED}
        used = [coding for coding in reversed(codings) if coding in supported]
        if len(used) > _MAX_CODINGS:
            raise _not_decodable()
        self._stages = [_Stage(coding) for coding in used]
        self._left = max_bytes
        self._is_empty = True

    @property
    def is_full(self) -> bool:
        """Whether there were ``max_bytes``."""
        return not self._left

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what the next piece of the body decodes to.

        Raises:
            CheckFailedError: it is not encoded as announced.
        """
        self._is_empty = self._is_empty and not data
        for piece in _through(self._stages, data):
            kept = piece[: self._left]
            self._left -= len(kept)
            yield kept
            if not self._left:
                return

    def finish(self) -> None:
        """Check at its end that nothing is missing.

        Raises:
            CheckFailedError: a compressed body is cut short.
        """
        if not self._is_empty and not all(stage.is_complete for stage in self._stages):
            raise short_body()


def _through(stages: Sequence[_Stage], data: bytes) -> Iterator[bytes]:
    if not stages:
        yield data
        return
    for piece in stages[0].decode(data):
        yield from _through(stages[1:], piece)
