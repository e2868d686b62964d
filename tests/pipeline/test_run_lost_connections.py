"""A network that loses every second connection, on the way from a socket to a message."""

from __future__ import annotations

import socket
import struct

import pytest

from checkup.checkers.http import HttpChecker
from checkup.model import Status
from checkup.pipeline import run_and_store
from checkup.storage.memory import MemoryStorage
from tests.alerting.worlds import slot
from tests.pipeline.recording import Ear, monitor, soon
from tests.servers.base import SocketServer

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
RUNS = 4


class Lossy(SocketServer):
    """A web server behind a network that resets every second connection."""

    def __init__(self) -> None:
        super().__init__()
        self.connections = 0

    def serve(self, client: socket.socket) -> None:
        self.connections += 1
        if self.connections % 2 == 0:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        client.recv(65_536)
        client.sendall(ANSWER)


@pytest.mark.row("44")
@pytest.mark.parametrize(("recheck", "told"), [(2, 0), (0, RUNS - 1)])
def test_lost_connections_are_no_outage_and_would_be_without_a_second_look(
    recheck: int, told: int
) -> None:
    ear = Ear()
    with Lossy() as server:
        checker = HttpChecker(
            endpoint_name="Shop", endpoint_url=server.url, id="shop", recheck=recheck,
            flapping=False,
        )  # fmt: skip
        there = monitor(MemoryStorage(), checkers=(checker,), channels={"ear": ear})
        recorded = [run_and_store(there, slot(n), soon()) for n in range(RUNS)]

    assert len(ear.heard) == told
    statuses = {one.run.results[0].status for one in recorded}
    assert statuses == ({Status.HEALTHY} if recheck else {Status.HEALTHY, Status.DOWN})
    assert server.connections >= RUNS
