"""The clients that are compared, and the server that serves all shapes to them."""

from __future__ import annotations

import json
import re
import shutil
import socket
import struct
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Self
from urllib.parse import SplitResult, quote

from msgspec import Struct

from checkup.checkers.event_loop import run_alone
from checkup.checkers.failures import CheckFailedError
from checkup.checkers.http_client import ConnectOptions, Timeouts
from checkup.checkers.http_session import HttpSession, build_request
from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError
from checkup.interfaces import Network
from tests.differential.http_shapes import Shape

REDIRECTS = 10
SECONDS = 10


class Outcome(Struct, frozen=True):
    """What a client says.

    Attributes:
        status: of the last response; ``failed`` without one that is complete, ``unknown`` if this
            machine or a limit of the client is the reason.
        body: decoded.
    """

    status: int | str
    body: bytes = b""

    def __str__(self) -> str:
        return f"{self.status} {self.body[:40]!r}"


class ShapeServer:
    """Serves shapes, each below a folder with its number, until the block ends."""

    def __init__(self, shapes: Sequence[Shape]) -> None:
        self._shapes = shapes
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._thread = Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(SECONDS)
        self._listener.close()

    def urls(self) -> list[str]:
        port = self._listener.getsockname()[1]
        return [f"http://127.0.0.1:{port}/{number}/" for number in range(len(self._shapes))]

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            client.settimeout(SECONDS)
            shape = Shape({}, "open")
            while shape.end == "open":  # curl uses such a connection again
                head = b""
                while b"\r\n\r\n" not in head:
                    if not (more := client.recv(65_536)):
                        return
                    head += more
                lines = head.split(b"\r\n")
                number, _, path = lines[0].split(b" ")[1][1:].partition(b"/")
                if not number.isdigit():  # a redirect to the top
                    number, path = b"0", b"outside"
                shape = self._shapes[int(number)]
                client.sendall(_answer(shape, "/" + _quoted(path), lines))
            if shape.end == "reset":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            client.shutdown(socket.SHUT_WR)
            while client.recv(65_536):
                pass


def _answer(shape: Shape, path: str, lines: Sequence[bytes]) -> bytes:
    wanted = shape.cookies.get(path)
    if wanted is not None:
        sent = [line[8:] for line in lines if line.lower().startswith(b"cookie: ")]
        found = {pair for value in sent for pair in value.decode().split("; ")}
        if found != wanted:
            return b"HTTP/1.1 403 x\r\n\r\nsent: %s" % b", ".join(sent)
    return shape.pages.get(path, b"HTTP/1.1 404 x\r\n\r\nnot found: " + path.encode())


def _quoted(path: bytes) -> str:
    """Return a path in one spelling: clients quote with different letters, or not at all."""
    spaced = path.replace(b"+", b"%20")
    unquoted = re.sub(rb"%([0-9A-Fa-f]{2})", lambda it: b"%" + it[1].upper(), spaced)
    unquoted = re.sub(rb"%(?![0-9A-F]{2})", b"%25", unquoted)
    return quote(unquoted, safe="/?=&%,;:@!$'()*#~")


def ask_us(url: str) -> Outcome:
    """Ask with our own client; the whole body, as if a pattern were expected in it."""

    async def options(url: SplitResult, same_origin: bool) -> ConnectOptions:
        del url, same_origin
        return ConnectOptions()

    async def ask(net: Network) -> Outcome:
        timeouts = Timeouts(total=Deadline.after(SECONDS))
        with HttpSession(net, timeouts, options, ()) as session:
            head = await session.send(build_request(url, {}), REDIRECTS)
            body = [piece async for piece in session.iter_content(head, 16 << 20)]
            return Outcome(head.status, b"".join(body))

    try:
        return run_alone(ask)
    except CheckFailedError:
        return Outcome("failed")
    except CheckUnknownError:
        return Outcome("unknown")


def curl_version() -> str:
    """The version of curl, such as ``7.88.1``; empty if it is not installed."""
    path = shutil.which("curl")
    if not path:
        return ""
    shown = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
    return shown.stdout.split()[1]


def ask_curl(urls: Sequence[str], folder: Path) -> list[Outcome]:
    """Ask with curl, in one process."""
    transfers = []
    for number, url in enumerate(urls):
        (folder / str(number)).write_bytes(b"")
        transfers.append(
            f'url = "{url}"\noutput = "{folder / str(number)}"\nsilent\ncompressed\n'
            f'write-out = "%{{exitcode}} %{{http_code}}\\n"\nmax-time = {SECONDS}\nnoproxy = "*"\n'
            f'location\nmax-redirs = {REDIRECTS}\nproto-redir = "=http,https"\ncookie = ""\n'
        )
    outcomes: list[Outcome] = []
    while len(outcomes) < len(urls):
        ended = subprocess.run(
            ["curl", "--disable", "--config", "-"],
            input="next\n".join(transfers[len(outcomes) :]),
            capture_output=True,
            text=True,
            check=False,
        )
        # It gives up all that follow when a line is longer than its memory may be.
        for line in ended.stdout.splitlines() or ["27 000"]:
            code, status = line.split()
            body = (folder / str(len(outcomes))).read_bytes()
            outcomes.append(Outcome("failed") if int(code) else Outcome(int(status), body))
    return outcomes


def ask_go(urls: Sequence[str], program: Path) -> list[Outcome]:
    """Ask with Go's net/http."""
    ended = subprocess.run(
        [program], input="\n".join(urls), capture_output=True, text=True, check=True
    )
    outcomes = []
    for line in ended.stdout.splitlines():
        said: Mapping[str, str | int] = json.loads(line)
        if said["error"]:
            outcomes.append(Outcome("failed"))
        else:
            outcomes.append(Outcome(int(said["status"]), bytes.fromhex(str(said["body"]))))
    return outcomes
