"""A web server on 127.0.0.1 that misbehaves by path, and certificates that are wrong by name.

``with WebServer() as web: web.url("/status/503")``. What a path does is said by the method
that serves it (``/slow`` is served by :meth:`Behaviours.slow`); query parameters are its
arguments. Everything ends when the server is closed, however long it was to last.
"""

from __future__ import annotations

import asyncio
import gzip
import ssl
import struct
import threading
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from socket import SO_LINGER, SOL_SOCKET
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote, urlsplit

Behaviour = Callable[..., Coroutine[Any, Any, None]]


class WebServer:
    """A server in a thread of its own.

    Attributes:
        requests: the heads of the requests, in order.
        bodies: their bodies, so far as their length was said.
        accepted: how many connections there were.
        peak: how many there were at once.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[str] = []
        self.bodies: list[bytes] = []
        self.accepted = 0
        self.peak = 0
        self.port = 0
        self._tls = tls
        self._open = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join(10)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}{path}"

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(lambda _loop, _context: None)  # clients may be rude
        self._closing = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._transports: list[asyncio.WriteTransport] = []
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._closing.wait()
        server.close()
        await asyncio.sleep(0)  # who was accepted just now begins
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for transport in self._transports:
            transport.abort()  # also where something is still to be sent
        await asyncio.sleep(0)  # that is done in the next turn

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self._transports.append(writer.transport)
        self.accepted += 1
        self._open += 1
        self.peak = max(self.peak, self._open)
        try:
            await self._answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client had enough
        finally:
            self._open -= 1
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        self.requests.append(head)
        lengths = [line[15:] for line in head.lower().split("\r\n") if "content-length:" in line]
        self.bodies.append(await reader.readexactly(int(lengths[0])) if lengths else b"")
        target = urlsplit(head.split(" ")[1])
        name, _, argument = target.path.strip("/").partition("/")
        behaviour: Behaviour = getattr(Behaviours(writer, head), name.replace("-", "_") or "up")
        arguments = [argument] if argument else []
        await behaviour(*arguments, **dict(parse_qsl(target.query)))


class Behaviours:
    """What the paths do; each method takes its arguments as text."""

    def __init__(self, writer: asyncio.StreamWriter, head: str) -> None:
        self._writer = writer
        self._head = head

    async def up(self) -> None:
        """Answer as the Go program's tests expect, with the Host that was asked for."""
        await self.body(f"I'm up @{self._header('host')}")

    async def body(self, text: str = "") -> None:
        await self._reply(200, text.encode())

    async def status(self, code: str, reason: str | None = None, length: str = "0") -> None:
        phrase = HTTPStatus(int(code)).phrase if reason is None else reason
        phrase = "x" * int(length) or phrase
        await self._send(f"HTTP/1.1 {code} {phrase}\r\nContent-Length: 0\r\n\r\n")

    async def redirect(self) -> None:
        await self._send("HTTP/1.1 301 Moved\r\nLocation: /up\r\nContent-Length: 0\r\n\r\n")

    async def redirect_to(self, url: str, code: str = "302", left: str = "0") -> None:
        """Redirect to a URL (quoted twice), after as many redirects to here as are left."""
        again = f"/redirect-to/{url}?left={int(left) - 1}&code={code}"
        target = again if int(left) else unquote(unquote(url))
        await self._send(f"HTTP/1.1 {code} Moved\r\nLocation: {target}\r\n\r\nmoved")

    async def loop(self) -> None:
        await self.redirect_to("/loop")

    async def header(self, line: str) -> None:
        await self._reply(200, b"hello", f"{unquote(line)}\r\n")

    async def repeat_all(self) -> None:
        """Send everything that was received back, wherever that is possible."""
        said = " ".join(self._head.split("\r\n"))
        await self._send(
            f"HTTP/1.1 302 {said}\r\nLocation: /{quote(said)}?{said}\r\nX-Said: {said}\r\n\r\n"
        )

    async def echo(self) -> None:
        """Send the request's head back as the body."""
        await self._reply(200, self._head.encode("latin-1"))

    async def echo_header(self) -> None:
        """Send a request header back, but not in the body."""
        await self._reply(200, b"hello", f"X-Checkup: {self._header('x-checkup')}\r\n")

    async def wants_token(self, token: str) -> None:
        """Answer only those who bring this token."""
        await self.status("200" if self._header("authorization") == f"Bearer {token}" else "401")

    async def slow(self, seconds: str = "1") -> None:
        await asyncio.sleep(float(seconds))
        await self.body("slow")

    async def silent(self) -> None:
        await asyncio.sleep(3600)

    async def stalled_body(self, seconds: str = "3600") -> None:
        await self._send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegun")
        await asyncio.sleep(float(seconds))

    async def trickled_headers(self) -> None:
        await self._send("HTTP/1.1 200 OK\r\nX-Trickle: ")
        await self._endlessly(b"x", pause=0.05)

    async def trickled_body(self) -> None:
        await self._send("HTTP/1.1 200 OK\r\n\r\n")
        await self._endlessly(b"x", pause=0.05)

    async def endless_headers(self) -> None:
        await self._send("HTTP/1.1 200 OK\r\n")
        await self._endlessly(b"X-More: more\r\n")

    async def endless_header(self) -> None:
        await self._send("HTTP/1.1 200 OK\r\nX-Long: ")
        await self._endlessly(b"x" * 1024)

    async def endless_body(self) -> None:
        await self._send("HTTP/1.1 200 OK\r\n\r\n")
        await self._endlessly(b"x" * 65536)

    async def endless_interim(self) -> None:
        await self._endlessly(b"HTTP/1.1 102 Processing\r\n\r\n" * 1_000)

    async def slow_interim(self) -> None:
        await self._endlessly(b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.1)

    async def early_hints(self) -> None:
        await self._send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
        await self.body("after the hints")

    async def many_headers(self) -> None:
        await self._reply(200, b"hello", "".join(f"X-{n}: {n}\r\n" for n in range(150)))

    async def bomb(self) -> None:
        """Send 1 GiB of zeros as 1 MiB of gzip."""
        packed = gzip.compress(bytes(1024 * 1024))
        await self._reply(200, packed * 1024, "Content-Encoding: gzip\r\n")

    async def compressed(self, text: str) -> None:
        """Compress, although nobody asked for it."""
        await self._reply(200, gzip.compress(text.encode()), "Content-Encoding: gzip\r\n")

    async def badly_compressed(self) -> None:
        await self._reply(200, b"not gzip at all", "Content-Encoding: gzip\r\n")

    async def large(self, needle: str, at: str) -> None:
        """Send a body of 2 MiB with a text at an offset."""
        body = bytearray(b"." * 2 * 1024 * 1024)
        body[int(at) : int(at) + len(needle)] = needle.encode()
        await self._reply(200, bytes(body))

    async def brackets(self) -> None:
        """Send JSON that is nested deeper than any reader follows."""
        await self._reply(200, b"[" * 200_000)

    async def two_lengths(self) -> None:
        await self._send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!")

    async def length_and_chunks(self) -> None:
        await self._send(
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
            "6\r\nneedle\r\n0\r\n\r\n"
        )

    async def stacked_encodings(self) -> None:
        encodings = ", ".join(["gzip"] * 100)
        await self._reply(200, gzip.compress(b"needle"), f"Content-Encoding: {encodings}\r\n")

    async def unknown_encoding(self) -> None:
        await self._reply(200, b"needle", "Content-Encoding: rot13\r\n")

    async def reset_header(self) -> None:
        await self._send("HTTP/1.1 200 OK\r\nX-Half: ")
        await asyncio.sleep(0.1)
        self._abort()

    async def cut_header(self) -> None:
        await self._send("HTTP/1.1 200 OK\r\nX-Half: ")

    async def negative_chunk(self) -> None:
        await self._send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n")

    async def cut_chunk(self) -> None:
        await self._send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nneed")

    async def old_protocol(self) -> None:
        await self._send("<html>HTTP/0.9 has no headers</html>")

    async def switching(self) -> None:
        await self._send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")

    async def short_body(self) -> None:
        await self._send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\ntoo short")

    async def chunked(self, first: str, second: str) -> None:
        chunks = "".join(f"{len(part):x}\r\n{part}\r\n" for part in (first, second, ""))
        await self._send(f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}")

    async def bad_chunks(self) -> None:
        await self._send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n")

    async def no_length(self) -> None:
        await self._send("HTTP/1.0 200 OK\r\n\r\nold style")

    async def banner(self) -> None:
        await self._send("SSH-2.0-OpenSSH_9.9\r\n")

    async def empty(self) -> None:
        """Close without an answer."""

    async def reset(self) -> None:
        self._abort()

    async def reset_body(self) -> None:
        await self._send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegun")
        await asyncio.sleep(0.2)
        self._abort()

    def _header(self, name: str) -> str:
        lines = self._head.split("\r\n")
        return next((line[len(name) + 2 :] for line in lines if line.lower().startswith(name)), "")

    def _abort(self) -> None:
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def _reply(self, status: int, body: bytes, headers: str = "") -> None:
        head = f"HTTP/1.1 {status} OK\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        await self._send(head.encode("latin-1") + body)

    async def _send(self, data: str | bytes) -> None:
        self._writer.write(data.encode("latin-1") if isinstance(data, str) else data)
        await self._writer.drain()

    async def _endlessly(self, data: bytes, pause: float = 0.0) -> None:
        while True:
            await self._send(data)
            await asyncio.sleep(pause)
