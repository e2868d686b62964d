"""A name server that misbehaves by name: the first label of what is asked says how."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from threading import Thread
from types import TracebackType
from typing import Self

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from dns.message import Message

ZONE: dict[str, list[tuple[str, ...]]] = {
    "www": [("A", "10.0.0.2", "10.0.0.1"), ("AAAA", "2001:db8::1")],
    "mail": [("MX", "10 mx1.shop.test.", "20 mx2.shop.test.")],
    "zone": [
        ("NS", "ns1.shop.test.", "ns2.shop.test."),
        ("SOA", "ns1.shop.test. admin.shop.test. 7 3600 600 86400 300"),
        ("CAA", '0 issue "letsencrypt.org"'),
    ],
    "text": [("TXT", '"v=spf1 " "-all"', '"plain"')],
    "_sip": [("SRV", "1 2 5060 sip.shop.test.")],
    "1": [("PTR", "localhost.")],
    "alias": [("CNAME", "other.test.")],
}
"""Records by the first label of the name."""


class NameServer:
    """Answers over UDP and TCP on one port of loopback.

    Attributes:
        asked: the names that were asked for, and over which protocol.
        plain: how many questions came without EDNS.
    """

    def __init__(self, *, tcp: bool = True) -> None:
        self.asked: list[tuple[str, str]] = []
        self.plain = 0
        self._tcp = tcp
        self._behaviours: dict[str, Callable[[Message, str], Iterator[bytes]]] = {
            "nxdomain": _code(dns.rcode.NXDOMAIN),
            "servfail": _code(dns.rcode.SERVFAIL),
            "bogus": _code(dns.rcode.SERVFAIL, dns.edns.EDECode.DNSSEC_BOGUS),
            "refused": _code(dns.rcode.REFUSED),
            "formerr": _code(dns.rcode.FORMERR),
            "old": _old,
            "notauth": _code(dns.rcode.NOTAUTH),
            "truncated": _truncated,
            "wrong-id": _wrong_id,
            "wrong-question": _wrong_question,
            "garbage": _garbage,
            "only-garbage": _only_garbage,
            "slow": _slow,
            "silent": _silent,
            "loop": _loop,
            "chain": _chain,
            "dangling": _dangling,
            "contradiction": _contradiction,
        }

    def __enter__(self) -> Self:
        self._udp_socket, self._tcp_socket = _pair()
        self.host, self.port = self._udp_socket.getsockname()
        self._threads = [Thread(target=self._serve_udp)]
        if self._tcp:
            self._threads.append(Thread(target=self._serve_tcp))
        else:
            self._tcp_socket.close()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for sock in (self._udp_socket, self._tcp_socket):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._udp_socket.close()
        self._tcp_socket.close()

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    def _serve_udp(self) -> None:
        while True:
            packet, client = self._udp_socket.recvfrom(65535)
            if not client or not packet:
                return
            Thread(target=self._answer_udp, args=(packet, client), daemon=True).start()

    def _answer_udp(self, packet: bytes, client: tuple[str, int]) -> None:
        for answer in self._answers(packet, "udp"):
            with suppress(OSError):
                self._udp_socket.sendto(answer, client)

    def _serve_tcp(self) -> None:
        while True:
            try:
                accepted, _ = self._tcp_socket.accept()
            except OSError:
                return
            with accepted, suppress(OSError):
                length = accepted.recv(2)
                if length:
                    for answer in self._answers(accepted.recv(65535), "tcp"):
                        accepted.sendall(len(answer).to_bytes(2) + answer)

    def _answers(self, packet: bytes, protocol: str) -> Iterator[bytes]:
        query = dns.message.from_wire(packet)
        label = query.question[0].name.labels[0].decode().lower()
        self.asked.append((query.question[0].name.to_text(), protocol))
        self.plain += query.edns < 0
        behaviour = self._behaviours.get(label, _known)
        yield from behaviour(query, protocol)


def _pair() -> tuple[socket.socket, socket.socket]:
    """Return sockets for both protocols on one free port."""
    while True:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        try:
            return udp, socket.create_server(udp.getsockname())
        except OSError:
            udp.close()


def _known(query: Message, _: str) -> Iterator[bytes]:
    yield _answer(query).to_wire()


def _answer(query: Message) -> Message:
    answer = dns.message.make_response(query)
    question = query.question[0]
    kind = question.rdtype.name
    for known, *texts in ZONE.get(question.name.labels[0].decode().lower(), []):
        if kind == known:
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *texts))
    return answer


def _code(
    code: dns.rcode.Rcode, reason: dns.edns.EDECode | None = None
) -> Callable[[Message, str], Iterator[bytes]]:
    def behaviour(query: Message, _: str) -> Iterator[bytes]:
        answer = dns.message.make_response(query)
        answer.set_rcode(code)
        if reason is not None:
            answer.use_edns(0, options=[dns.edns.EDEOption(reason, "text of the server")])
        yield answer.to_wire()

    return behaviour


def _old(query: Message, _: str) -> Iterator[bytes]:
    """Know nothing of EDNS."""
    if query.edns < 0:
        yield _with_address(query).to_wire()
    else:
        answer = dns.message.make_response(query)
        answer.use_edns(-1)
        answer.set_rcode(dns.rcode.FORMERR)
        yield answer.to_wire()


def _with_address(query: Message) -> Message:
    answer = dns.message.make_response(query)
    answer.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", "10.0.0.1"))
    return answer


def _truncated(query: Message, protocol: str) -> Iterator[bytes]:
    """Send half a record over UDP, and over TCP everything."""
    answer = _with_address(query)
    if protocol == "tcp":
        yield answer.to_wire()
    else:
        answer.use_edns(-1)
        answer.flags |= dns.flags.TC
        yield answer.to_wire()[:-5]


def _wrong_id(query: Message, _: str) -> Iterator[bytes]:
    answer = dns.message.make_response(query)
    answer.set_rcode(dns.rcode.NXDOMAIN)
    wire = answer.to_wire()
    yield (query.id ^ 1).to_bytes(2) + wire[2:]
    yield _with_address(query).to_wire()


def _wrong_question(query: Message, _: str) -> Iterator[bytes]:
    other = dns.message.make_query("bank.test.", "A", id=query.id)
    yield _with_address(other).to_wire()
    yield _with_address(query).to_wire()


def _garbage(query: Message, _: str) -> Iterator[bytes]:
    yield b""
    yield b"\xff" * 3
    yield query.id.to_bytes(2) + b"\x81\x80\x00\x01\x00\xff" + b"\xc0" * 40
    yield _with_address(query).to_wire()


def _only_garbage(_: Message, __: str) -> Iterator[bytes]:
    yield b"\xff" * 30


def _slow(query: Message, _: str) -> Iterator[bytes]:
    time.sleep(0.3)
    yield _with_address(query).to_wire()


def _silent(_: Message, __: str) -> Iterator[bytes]:
    yield from ()


def _loop(query: Message, _: str) -> Iterator[bytes]:
    yield from _aliases(query, ["loop.test.", "pool.test.", "loop.test."])


def _chain(query: Message, _: str) -> Iterator[bytes]:
    names = ["chain.test.", *(f"link{number}.test." for number in range(50))]
    yield from _aliases(query, names)


def _dangling(query: Message, _: str) -> Iterator[bytes]:
    yield from _aliases(query, ["dangling.test.", "nowhere.test."])


def _aliases(query: Message, names: list[str]) -> Iterator[bytes]:
    answer = dns.message.make_response(query)
    for name, target in pairwise(names):
        answer.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", target))
    yield answer.to_wire()


def _contradiction(query: Message, _: str) -> Iterator[bytes]:
    """Say that there are records and that there is no such name."""
    answer = _with_address(query)
    answer.set_rcode(dns.rcode.NXDOMAIN)
    yield answer.to_wire()
