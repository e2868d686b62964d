"""A proxy before a server of S3 that answers as S3 does on a bad day."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from email.message import Message
from functools import partial
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "expect", "keep-alive"}


@dataclass(frozen=True)
class Fault:
    """What happens to one request in place of the ordinary.

    Attributes:
        forward: the server carries it out all the same.
        status, code: the answer, with S3's name for it; 0 for no answer at all.
        cut: the true answer ends after so many bytes of its body.
        headers: fields of the true answer that are replaced.
    """

    forward: bool = False
    status: int = 0
    code: str = ""
    cut: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


DROP_BEFORE = Fault()
DROP_AFTER = Fault(forward=True)
ERROR_AFTER = Fault(forward=True, status=500, code="InternalError")
INTERNAL = Fault(status=500, code="InternalError")
SLOW_DOWN = Fault(status=503, code="SlowDown")
UNAVAILABLE = Fault(status=503, code="ServiceUnavailable")
CONFLICT = Fault(status=409, code="ConditionalRequestConflict")
DENIED = Fault(status=403, code="AccessDenied")
HANG = Fault(status=-1)
CUT = Fault(forward=True, cut=3)


@dataclass
class FaultyS3:
    """The proxy.

    Attributes:
        url: where it answers.
        faults: what happens to the next requests, in order; then they go through.
        seen: method and path of every request.
        headers: those of every request, with names in lower case.
        ignored: names of headers, in lower case, that the server never gets to see.
        added: headers that the server gets to see besides.
        replaced: headers of every answer that are another's than the server's.
        deadly: the beginning of the request, as in ``seen``, after which its sender is ended; none
            if empty.
        kill: ends the sender.
    """

    url: str
    faults: list[Fault] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    ignored: set[str] = field(default_factory=set)
    added: dict[str, str] = field(default_factory=dict)
    replaced: dict[str, str] = field(default_factory=dict)
    deadly: str = ""
    kill: Callable[[], None] = lambda: None


@contextmanager
def faulty_s3(server: str, authority: Path | None = None) -> Iterator[FaultyS3]:
    """Run the proxy before ``server`` while the block runs.

    Args:
        authority: the certificate to trust if the server speaks TLS; the proxy does not.
    """
    over = threading.Event()
    proxy = FaultyS3("")
    connect = _connect(server, authority)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            super().handle_one_request()
            self.close_connection = True

        def do_GET(self) -> None:
            _serve(self, proxy, connect, over)

        do_PUT = do_HEAD = do_DELETE = do_POST = do_GET  # noqa: N815 - names of the library

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        host, port = http.socket.getsockname()
        proxy.url = f"http://{host}:{port}"
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield proxy
        finally:
            over.set()
            http.shutdown()
            thread.join()


def _connect(server: str, authority: Path | None) -> Callable[[], HTTPConnection]:
    place = urlsplit(server).netloc
    if authority is None:
        return partial(HTTPConnection, place, timeout=30)
    context = ssl.create_default_context(cafile=authority)
    return partial(HTTPSConnection, place, timeout=30, context=context)


def _serve(
    handler: BaseHTTPRequestHandler,
    proxy: FaultyS3,
    connect: Callable[[], HTTPConnection],
    over: threading.Event,
) -> None:
    body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
    proxy.seen.append(f"{handler.command} {urlsplit(handler.path).path}")
    proxy.headers.append({name.lower(): value for name, value in handler.headers.items()})
    fault = proxy.faults.pop(0) if proxy.faults else None
    if fault is HANG:
        over.wait(60)
        return
    if fault is None or fault.forward:
        with closing(connect()) as connection:
            headers = _without(handler.headers, _HOP_BY_HOP | proxy.ignored)
            connection.request(handler.command, handler.path, body, headers | proxy.added)
            answer = connection.getresponse()
            content = answer.read()
        if proxy.deadly and proxy.seen[-1].startswith(proxy.deadly):
            proxy.deadly = ""
            proxy.kill()
            return
        if fault is None or fault.cut is not None or fault.headers:
            _pass_on(handler, answer, content, fault or Fault(headers=proxy.replaced))
            return
    if fault.status:
        _refuse(handler, fault)
    else:
        handler.connection.shutdown(socket.SHUT_RDWR)


def _without(headers: Message, names: set[str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in names}


def _pass_on(
    handler: BaseHTTPRequestHandler, answer: HTTPResponse, content: bytes, fault: Fault
) -> None:
    handler.send_response_only(answer.status, answer.reason)
    fields = {k: v for k, v in answer.getheaders() if k.lower() not in _HOP_BY_HOP}
    for name, value in {**fields, **fault.headers}.items():
        handler.send_header(name, value)
    length = answer.getheader("Content-Length") if handler.command == "HEAD" else len(content)
    handler.send_header("Content-Length", str(length))
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(content[: fault.cut])


def _refuse(handler: BaseHTTPRequestHandler, fault: Fault) -> None:
    content = (
        f"<Error><Code>{fault.code}</Code>"
        "<Message>User: arn:aws:iam::123456789012:user/me is not allowed</Message>"
        "<AWSAccessKeyId>AKIAIOSFODNN7EXAMPLE</AWSAccessKeyId></Error>"
    ).encode()
    handler.send_response(fault.status)
    handler.send_header("Content-Type", "application/xml")
    handler.send_header("Content-Length", str(len(content)))
    handler.send_header("Connection", "close")
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(content)
