"""Which name servers are queried, how often, and in which order."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import dns.message
import dns.rcode
import dns.rrset
import pytest
from dns.message import Message

from checkup.checkers.dns import query_name, query_servers, system_nameservers
from checkup.checkers.network import SocketAddress
from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError
from tests.checkers.results import closed_port
from tests.servers.nameserver import NameServer


def answer_to(query: Message) -> bytes:
    answer = dns.message.make_response(query)
    answer.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", "10.0.0.1"))
    return answer.to_wire()


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer() as running:
        yield running


def test_servers_of_the_system_are_read_from_its_file_in_lambda_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "check")
    file = tmp_path / "resolv.conf"
    file.write_text("search shop.test\nnameserver 169.254.78.1\nnameserver ::1\n")

    servers = system_nameservers(str(file))

    assert [address[:2] for _, address in servers] == [("169.254.78.1", 53), ("::1", 53)]


@pytest.mark.row("28")
@pytest.mark.parametrize("content", [None, pytest.param("", id="empty")])
def test_system_without_servers_is_unknown(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "resolv.conf"
    if content is not None:
        file.write_text(content)

    with pytest.raises(CheckUnknownError) as raised:
        system_nameservers(str(file))

    assert raised.value.failure == "config"


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param("", id="nothing-else"),
        pytest.param("nameserver 192.0.2.54;\n", id="semicolon-after-the-address"),
        pytest.param("nameserver [2001:db8::1]:5353\n", id="address-with-a-port"),
        pytest.param("nameserver local-dns\n", id="word"),
        pytest.param("nameserver\n", id="no-address"),
        pytest.param("nameserver fe80::1%gone9\n", id="interface-that-is-gone"),
        pytest.param("search .home\n", id="search-that-begins-with-a-dot"),
        pytest.param(f"search {'a' * 70}.test\n", id="long-label"),
        pytest.param("domain a..b\nsortlist x/y\noptions ndots:x timeout:-1 new\n", id="options"),
        pytest.param("# f\xfcr uns\n; nameserver 192.0.2.9\n", id="comments-in-latin-1"),
        pytest.param("lookup file bind\n\n\t \n", id="keyword-of-bsd-and-blank-lines"),
    ],
)
def test_file_of_servers_is_read_as_by_glibc(tmp_path: Path, lines: str) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text(f"{lines}nameserver 192.0.2.53 # ours\r\n", encoding="latin-1")

    servers = system_nameservers(str(file))

    assert (socket.AF_INET, ("192.0.2.53", 53)) in servers


def test_only_three_servers_count_and_zones_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    addresses = ["fe80::1%lo", "192.0.2.1", "192.0.2.2", "192.0.2.3"]
    file.write_text("".join(f"nameserver {address}\n" for address in addresses))

    servers = system_nameservers(str(file))

    assert [address[0] for _, address in servers] == ["fe80::1", "192.0.2.1", "192.0.2.2"]
    assert servers[0][1][3] == socket.if_nametoindex("lo")


@contextmanager
def scripted(*actions: Callable[[Message], bytes | None]) -> Iterator[SocketAddress]:
    """Yield the address of a server whose answer to each query is the next action's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))

        def serve() -> None:
            for action in actions:
                wire, client = udp.recvfrom(65535)
                if not wire:
                    return
                if response := action(dns.message.from_wire(wire)):
                    udp.sendto(response, client)

        thread = Thread(target=serve)
        thread.start()
        yield socket.AF_INET, udp.getsockname()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stopping:
            for _ in actions:
                stopping.sendto(b"", udp.getsockname())
        thread.join()


def nothing(_: Message) -> None:
    return None


def coded(code: dns.rcode.Rcode) -> Callable[[Message], bytes]:
    def respond(query: Message) -> bytes:
        answer = dns.message.make_response(query)
        answer.set_rcode(code)
        return answer.to_wire()

    return respond


def ask(*servers: SocketAddress, seconds: float = 2, **settings: Any) -> Message:
    query = dns.message.make_query("www.shop.test", "A", use_edns=0)
    return query_servers(servers, query, Deadline.after(seconds), **settings)


def test_lost_datagram_is_sent_again() -> None:
    with scripted(nothing, answer_to) as server:
        response = ask(server)

    assert response.answer


def test_dropped_edns_is_left_out() -> None:
    plain = []

    def only_plain(query: Message) -> bytes | None:
        plain.append(query.edns < 0)
        return answer_to(query) if query.edns < 0 else None

    with scripted(only_plain, only_plain, only_plain) as server:
        response = ask(server)

    assert response.answer
    assert plain == [False, False, True]


@pytest.mark.parametrize("code", ["SERVFAIL", "REFUSED", "NOTIMP", "FORMERR"])
def test_next_server_is_queried_if_one_only_has_an_error(code: str) -> None:
    error = coded(dns.rcode.from_text(code))
    with scripted(error, error) as first, scripted(answer_to) as second:
        response = ask(first, second)

    assert response.answer


def test_error_of_the_first_server_is_returned_if_all_have_one() -> None:
    refused, failed = coded(dns.rcode.REFUSED), coded(dns.rcode.SERVFAIL)
    with scripted(refused, refused) as first, scripted(failed, failed) as second:
        response = ask(first, second)

    assert response.rcode() is dns.rcode.REFUSED


def test_expected_error_is_an_answer() -> None:
    with scripted(coded(dns.rcode.REFUSED)) as first, scripted(answer_to) as second:
        response = ask(first, second, expected="REFUSED")

    assert response.rcode() is dns.rcode.REFUSED


def test_server_that_this_machine_cannot_reach_does_not_hide_the_next() -> None:
    unreachable: SocketAddress = (socket.AF_INET6, ("2001:db8::1", 53, 0, 0))
    multicast: SocketAddress = (socket.AF_INET, ("255.255.255.255", 53))  # EACCES
    with scripted(answer_to) as server:
        response = ask(unreachable, multicast, server, seconds=3)

    assert response.answer


def test_next_server_is_asked_when_one_does_not_answer(server: NameServer) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        places = [silent.getsockname(), ("127.0.0.1", closed_port()), (server.host, server.port)]
        servers: list[SocketAddress] = [(socket.AF_INET, place) for place in places]
        query = dns.message.make_query(query_name("www.test", "A"), "A")
        answer = query_servers(servers, query, Deadline.after(1.5))

    assert answer.answer
