"""Answers that no server should give, made of pieces that servers do send.

``python -m tests.checkers.answers 100000`` tries so many of them; the tests try a few hundred.
"""

from __future__ import annotations

import gzip
import random
import socket
import sys
import time

from hypothesis import strategies as st

from checkup.checkers.http import HttpChecker
from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError
from checkup.model import Attempt
from tests.servers.base import SocketServer

PIECES = (
    b"HTTP/1.1 ",
    b"HTTP/1.0 ",
    b"HTTP/9.9 ",
    b"HTTP/",
    b"200 OK",
    b"200",
    b"204 No Content",
    b"100 Continue",
    b"103 Early Hints",
    b"101 Switching Protocols",
    b"301 Moved",
    b"304 Not Modified",
    b"-1 X",
    b"999999999999 X",
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\n\n",
    b"\r",
    b"\x00",
    b"\xff\xfe",
    b": ",
    b" ",
    b"Content-Length: 5\r\n",
    b"Content-Length: 0\r\n",
    b"Content-Length: -1\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Content-Length: 5, 5\r\n",
    b"Content-Length: \xb2\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"Transfer-Encoding: identity\r\n",
    b"Content-Encoding: gzip\r\n",
    b"Content-Encoding: deflate\r\n",
    b"Content-Encoding: br, zstd, gzip\r\n",
    b"Content-Encoding: " + b"gzip, " * 50 + b"gzip\r\n",
    b"Location: /\r\n",
    b"Location: http://[::1\r\n",
    b"Location: \xff\xfe\r\n",
    b"Location: //\r\n",
    b"Location: http://127.0.0.1:0/\r\n",
    b"Location: javascript:alert(1)\r\n",
    b"Set-Cookie: a=b\r\n",
    b"X: " + b"y" * 70_000 + b"\r\n",
    b"X: y\r\n" * 120,
    b" folded\r\n",
    b"no colon\r\n",
    b"5\r\nhello\r\n",
    b"0\r\n\r\n",
    b"0\r\nTrailer: x\r\n\r\n",
    b"FFFFFFFFFFFFFFFFFF\r\n",
    b"-5\r\nhello\r\n",
    b"5;ext=\xff\r\nhello\r\n",
    b"hello",
    b'{"a": [1, 2, {"b": null}]}',
    b"[" * 5_000,
    gzip.compress(b"hello" * 1_000),
    gzip.compress(b"hello")[:-4],
    b"SSH-2.0-OpenSSH\r\n",
    b"\x16\x03\x01\x02\x00",
)
LIMIT = 1.0
"""Seconds that an attempt may take."""

answers = st.lists(st.sampled_from(PIECES) | st.binary(max_size=12), max_size=14).map(b"".join)
plausible = st.tuples(
    st.sampled_from([b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 302 X\r\n", b"HTTP/1.0 200\r\n"]), answers
).map(b"".join)


class RawServer(SocketServer):
    """Answers every connection with the same bytes, and hangs up."""

    patience = 5.0

    def __init__(self) -> None:
        self.answer = b""
        super().__init__()

    def serve(self, client: socket.socket) -> None:
        client.recv(4_096)
        client.sendall(self.answer)
        client.shutdown(socket.SHUT_WR)
        client.recv(1)


def look_at(server: RawServer, answer: bytes) -> Attempt | CheckUnknownError:
    """Return what a demanding checker says to an answer; nothing else may come out."""
    server.answer = answer
    checker = HttpChecker(
        endpoint_url=f"{server.url}/",
        must_contain="hello",
        must_match="h.*o",
        must_hold=("a[2].b == null",),
        must_have_headers={"X": ("y",)} if len(answer) % 3 == 0 else {},
        follow_redirects=2,
        max_body=100_000,
    )
    try:
        return checker.attempt(Deadline.after(LIMIT))
    except CheckUnknownError as reason:
        return reason


def main(count: int) -> int:
    """Try so many answers at random and return how many were not dealt with."""
    chance = random.Random(count)
    failed = 0
    began = time.monotonic()
    with RawServer() as server:
        for number in range(count):
            pieces = chance.choices(PIECES, k=chance.randrange(12))
            pieces.insert(0, chance.choice([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 302 X\r\n"]))
            pieces.insert(chance.randrange(len(pieces)), chance.randbytes(chance.randrange(9)))
            answer, started = b"".join(pieces), time.monotonic()
            try:
                look_at(server, answer)
            except Exception as error:  # noqa: BLE001 - any is a failure
                failed += 1
                print(f"{answer[:300]!r}: {error!r}")
            if (took := time.monotonic() - started) > LIMIT + 3:
                failed += 1
                print(f"{answer[:300]!r}: {took:.1f} s")
            if number % 10_000 == 9_999:
                print(f"{number + 1} answers, {failed} failures, {time.monotonic() - began:.0f} s")
    print(f"{count} answers, {failed} failures")
    return failed


if __name__ == "__main__":
    sys.exit(1 if main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000) else 0)
