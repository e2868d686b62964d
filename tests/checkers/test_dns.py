from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from threading import Event, Thread
from typing import Any

import dns.message
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkup.checkers.dns import (
    DnsChecker,
    answer_records,
    check_rcode,
    query_servers,
)
from checkup.checkers.failures import CheckFailedError
from checkup.checkers.network import SocketAddress
from checkup.deadline import Deadline
from checkup.model import Attempt, Status
from checkup.times import SECOND
from tests.checkers.results import GENEROUS, attempt_of, closed_port, is_fresh, result_of
from tests.servers.nameserver import NameServer


def answer_to(query: dns.message.Message) -> bytes:
    answer = dns.message.make_response(query)
    name = query.question[0].name
    answer.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", "other.test."))
    answer.answer.append(dns.rrset.from_text("other.test.", 60, "IN", "A", "10.0.0.1"))
    return answer.to_wire()


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer() as running:
        yield running


@pytest.fixture
def datagrams_only() -> Iterator[NameServer]:
    with NameServer(tcp=False) as running:
        yield running


def look_up(server: NameServer, name: str, seconds: float = 10, **settings: Any) -> Attempt:
    checker = DnsChecker(endpoint_url=server.address, hostname_fqdn=name, **settings)
    return attempt_of(checker, seconds)


@pytest.mark.row("B29")
@pytest.mark.parametrize(
    ("threshold", "status"),
    [
        pytest.param(0, Status.HEALTHY, id="open"),
        pytest.param(1, Status.DEGRADED, id="go-slow"),
        pytest.param(60 * SECOND, Status.HEALTHY, id="go-fast"),
    ],
)
def test_without_a_name_it_is_a_connection(
    server: NameServer, threshold: int, status: Status
) -> None:
    result = result_of(DnsChecker(endpoint_url=server.address, attempts=2, threshold_rtt=threshold))

    assert result.status is status
    assert len(result.attempts) == 2
    assert all(0 < attempt.rtt < SECOND for attempt in result.attempts)
    assert is_fresh(result)
    assert server.asked == []


@pytest.mark.row("B30", "B31")
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("nxdomain.test.", id="nxdomain"),
        pytest.param("servfail.test.", id="servfail"),
        pytest.param("refused.test.", id="refused"),
        pytest.param("nothing.test.", id="empty"),
        pytest.param("truncated.test.", id="truncated"),
        pytest.param("www.test", id="without-a-dot"),
    ],
)
def test_what_is_answered_does_not_matter_by_default(server: NameServer, name: str) -> None:
    attempt = look_up(server, name)

    assert attempt.error == ""
    assert server.asked == [(name.removesuffix(".") + ".", "udp")]
    assert attempt.phases
    assert 0 < attempt.phases.wait + attempt.phases.connect <= attempt.rtt


@pytest.mark.row("B32")
@pytest.mark.parametrize("name", [pytest.param("www.test.", id="no-tcp")])
def test_server_that_refuses_tcp_is_down(datagrams_only: NameServer, name: str) -> None:
    attempt = look_up(datagrams_only, name)

    assert attempt.failure == "connect_refused"
    assert attempt.rtt > 0


@pytest.mark.row("74", "B33")
@pytest.mark.parametrize("name", [pytest.param("silent.test.", id="silence")])
def test_failed_look_up_has_no_time_and_tries_no_tcp(name: str) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket() as tcp,
    ):
        udp.bind(("127.0.0.1", 0))
        tcp.bind(udp.getsockname())
        tcp.listen()
        tcp.settimeout(0.2)
        address = f"127.0.0.1:{udp.getsockname()[1]}"
        attempt = attempt_of(DnsChecker(endpoint_url=address, hostname_fqdn=name), seconds=0.3)
        with pytest.raises(TimeoutError):
            tcp.accept()

    assert (attempt.rtt, attempt.failure) == (0, "dns_timeout")
    assert attempt.error.startswith("no usable response after ")


@pytest.mark.parametrize("timeout", [pytest.param(1, id="go-aggressive-timeout")])
@pytest.mark.parametrize("name", ["", "www.test."])
def test_timeout_of_a_nanosecond_is_down(server: NameServer, timeout: int, name: str) -> None:
    result = result_of(
        DnsChecker(endpoint_url=server.address, hostname_fqdn=name, timeout=timeout, attempts=2)
    )

    assert result.down
    assert len(result.attempts) == 2


@pytest.mark.row("74")
@pytest.mark.parametrize(
    ("settings", "failure"),
    [
        pytest.param({}, "", id="default"),
        pytest.param({"timeout": SECOND // 10}, "dns_timeout", id="timeout-holds-for-queries"),
    ],
)
def test_slow_answer(server: NameServer, settings: dict[str, Any], failure: str) -> None:
    started = time.monotonic()
    result = result_of(
        DnsChecker(endpoint_url=server.address, hostname_fqdn="slow.test.", **settings)
    )

    assert result.failure == failure
    assert time.monotonic() - started < GENEROUS


@pytest.mark.row("74")
@pytest.mark.parametrize("name", [pytest.param("silent.test.", id="silence")])
def test_question_is_given_up_after_two_seconds(server: NameServer, name: str) -> None:
    started = time.monotonic()
    result = result_of(DnsChecker(endpoint_url=server.address, hostname_fqdn=name))

    assert result.failure == "dns_timeout"
    assert 1.9 < time.monotonic() - started < 2 + GENEROUS


@pytest.mark.row("74")
@pytest.mark.parametrize(
    "name", [pytest.param("", id="go-closed"), pytest.param("www.test.", id="icmp-unreachable")]
)
def test_unreachable_is_down(name: str) -> None:
    address = f"127.0.0.1:{closed_port()}"

    result = result_of(DnsChecker(endpoint_url=address, hostname_fqdn=name))

    assert result.down
    assert result.failure == "connect_refused"


@pytest.mark.row("56")
@pytest.mark.parametrize(
    ("endpoint", "name"),
    [
        pytest.param("127.0.0.1", "", id="no-port"),
        pytest.param("127.0.0.1", "www.test.", id="no-port-and-a-name"),
        pytest.param("", "", id="nothing"),
        pytest.param("127.0.0.1:53", "a..test.", id="empty-label"),
        pytest.param("127.0.0.1:53", "a" * 64 + ".test.", id="long-label"),
    ],
)
def test_invalid_address_or_name_is_unknown(endpoint: str, name: str) -> None:
    result = result_of(DnsChecker(endpoint_url=endpoint, hostname_fqdn=name))

    assert result.status is Status.UNKNOWN
    assert result.failure == "config"


@pytest.mark.row("71", "72", "73", "75", "76", "77")
@pytest.mark.parametrize(
    ("name", "failure", "error"),
    [
        pytest.param("nxdomain", "dns_nxdomain", "no such name", id="nxdomain"),
        pytest.param("nothing", "dns_nodata", "the name has no records of this type", id="nodata"),
        pytest.param(
            "dangling",
            "dns_nodata",
            "the name has no records of this type",
            id="dangling-alias",
        ),
        pytest.param("servfail", "dns_servfail", "the name server failed", id="servfail"),
        pytest.param("bogus", "dns_servfail", "the name server failed (dnssec bogus)", id="bogus"),
        pytest.param("refused", "dns_refused", "the name server refused the query", id="refused"),
        pytest.param(
            "formerr",
            "dns_formerr",
            "the name server could not parse the query",
            id="formerr",
        ),
        pytest.param("notauth", "dns_notauth", "the name server answered NOTAUTH", id="lame"),
        pytest.param("old", "", "", id="knows-no-edns"),
        pytest.param("truncated", "", "", id="truncated"),
        pytest.param("wrong-id", "", "", id="wrong-id"),
        pytest.param("wrong-question", "", "", id="wrong-question"),
        pytest.param("garbage", "", "", id="garbage-first"),
        pytest.param("slow", "", "", id="slow"),
        pytest.param("loop", "dns_alias_loop", "the CNAME chain is too long or a loop", id="loop"),
        pytest.param(
            "chain",
            "dns_alias_loop",
            "the CNAME chain is too long or a loop",
            id="chain-of-50",
        ),
        pytest.param("contradiction", "dns_nxdomain", "no such name", id="with-records"),
    ],
)
def test_response_to_a_query_for_a_type_is_evaluated(
    server: NameServer, name: str, failure: str, error: str
) -> None:
    attempt = look_up(server, f"{name}.test.", record_type="A")

    assert (attempt.failure, attempt.error) == (failure, error)
    assert attempt.rtt > 0
    assert attempt.phases
    assert attempt.phases.connect == 0


@pytest.mark.row("76")
@pytest.mark.parametrize("name", [pytest.param("only-garbage.test.", id="only-garbage")])
def test_garbage_is_ignored_until_the_deadline(server: NameServer, name: str) -> None:
    attempt = look_up(server, name, seconds=0.3, record_type="A")

    assert (attempt.rtt, attempt.failure) == (0, "dns_timeout")


@pytest.mark.row("75")
@pytest.mark.parametrize("name", [pytest.param("truncated.test.", id="tcp-refused")])
def test_truncated_answer_is_not_taken_for_the_whole(datagrams_only: NameServer, name: str) -> None:
    attempt = look_up(datagrams_only, name, record_type="A")

    assert attempt.failure == "dns_truncated"


@pytest.mark.row("75")
@pytest.mark.parametrize("name", [pytest.param("truncated.test.", id="fetched-over-tcp")])
def test_truncated_answer_is_fetched_over_tcp(server: NameServer, name: str) -> None:
    attempt = look_up(server, name, answers_equal=("10.0.0.1",))

    assert attempt.error == ""
    assert server.asked == [(name, "udp"), (name, "tcp")]


@pytest.mark.row("77")
@pytest.mark.parametrize(
    ("code", "name", "failure"),
    [
        pytest.param("NXDOMAIN", "nxdomain", "", id="must-not-exist"),
        pytest.param("NXDOMAIN", "www", "dns_noerror", id="wildcard"),
        pytest.param("REFUSED", "refused", "", id="must-be-refused"),
        pytest.param("NOERROR", "nothing", "", id="empty-is-no-error"),
        pytest.param("NOERROR", "servfail", "dns_servfail", id="servfail"),
    ],
)
def test_expected_code(server: NameServer, code: str, name: str, failure: str) -> None:
    attempt = look_up(server, f"{name}.test.", expected_rcode=code)

    assert attempt.failure == failure
    assert not failure or code == "NOERROR" or attempt.error.endswith(f"; expected {code}")


@pytest.mark.row("78")
@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        pytest.param("www.test", "A", ["10.0.0.1", "10.0.0.2"], id="order"),
        pytest.param("WWW.test", "AAAA", ["2001:DB8:0:0::1"], id="spelling-of-ipv6"),
        pytest.param("alias.test", "CNAME", ["Other.TEST"], id="case-and-final-dot"),
        pytest.param("mail.test", "MX", ["20 mx2.shop.test", "10 MX1.shop.test."], id="mx"),
        pytest.param("zone.test", "NS", ["ns2.shop.test.", "ns1.shop.test."], id="ns"),
        pytest.param(
            "zone.test",
            "SOA",
            ["ns1.shop.test admin.shop.test 7 3600 600 86400 300"],
            id="soa",
        ),
        pytest.param("zone.test", "CAA", ['0 issue "letsencrypt.org"'], id="caa"),
        pytest.param("text.test", "TXT", ["v=spf1 -all", "plain"], id="txt-in-parts"),
        pytest.param("text.test", "TXT", ['"v=spf1" " -all"', '"plain"'], id="txt-quoted"),
        pytest.param("_sip.test", "SRV", ["1 2 5060 sip.shop.test"], id="srv"),
        pytest.param("127.0.0.1", "PTR", ["localhost"], id="ptr-of-an-address"),
        pytest.param("1.0.0.127.in-addr.arpa.", "PTR", ["localhost."], id="ptr-of-a-name"),
    ],
)
def test_answers_are_compared_as_sets(
    server: NameServer, name: str, kind: str, expected: list[str]
) -> None:
    same = look_up(server, name, record_type=kind, answers_equal=tuple(expected))
    part = look_up(server, name, record_type=kind, answers_contain=tuple(expected[:1]))

    assert (same.error, part.error) == ("", "")


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        pytest.param(
            {"answers_equal": ("10.0.0.1", "10.0.0.9")}, "missing record '10.0.0.9'", id="missing"
        ),
        pytest.param(
            {"answers_equal": ("10.0.0.1",)},
            "unexpected record '10.0.0.2'",
            id="one-too-many",
        ),
        pytest.param(
            {"answers_contain": ("10.0.0.1", "10.0.0.9")},
            "missing record '10.0.0.9'",
            id="does-not-contain",
        ),
    ],
)
def test_other_answers_are_down(server: NameServer, settings: dict[str, Any], error: str) -> None:
    attempt = look_up(server, "www.test", **settings)

    assert (attempt.failure, attempt.error) == ("dns_mismatch", error)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("A", "localhost"), ("AAAA", "10.0.0.1"), ("MX", "mail.shop.test"), ("CAA", "x")],
)
def test_expectation_that_no_answer_can_meet_is_refused(kind: Any, text: str) -> None:
    with pytest.raises(ValueError, match=f"is not valid as a record of type {kind}"):
        DnsChecker(record_type=kind, answers_contain=(text,))


def test_without_a_server_those_of_the_system_are_asked(
    server: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    system: list[SocketAddress] = [(socket.AF_INET, (server.host, server.port))]
    monkeypatch.setattr("checkup.checkers.dns.system_nameservers", lambda: system)
    checker = DnsChecker(hostname_fqdn="www.test")

    good, bad = (
        result_of(DnsChecker(hostname_fqdn=name)) for name in ("www.test", "nxdomain.test")
    )

    assert checker.endpoint == good.endpoint == "www.test"
    assert good.healthy
    assert bad.failure == "dns_nxdomain"
    assert [protocol for _, protocol in server.asked] == ["udp", "udp"]


QUERY = dns.message.make_query("www.shop.test", "A")
PACKET = answer_to(QUERY)


@pytest.fixture(scope="module")
def answering() -> Iterator[tuple[SocketAddress, list[bytes]]]:
    """A name server at an address, which sends the datagrams of the list to each query."""
    datagrams: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))

        def serve() -> None:
            while received := udp.recvfrom(512):
                query, client = received
                if query == b"stop":
                    return
                for datagram in datagrams:
                    udp.sendto(datagram, client)

        thread = Thread(target=serve)
        thread.start()
        yield (socket.AF_INET, udp.getsockname()), datagrams
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stopping:
            stopping.sendto(b"stop", udp.getsockname())
        thread.join()


@given(
    st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=200).map(lambda rest: PACKET[:12] + rest),
        st.tuples(st.integers(0, len(PACKET) - 1), st.integers(0, 255)).map(
            lambda change: PACKET[: change[0]] + bytes([change[1]]) + PACKET[change[0] + 1 :]
        ),
    )
)
def test_any_datagram_is_a_response_or_ignored(
    answering: tuple[SocketAddress, list[bytes]], packet: bytes
) -> None:
    server, datagrams = answering
    datagrams[:] = [packet, PACKET]

    response = query_servers([server], QUERY, Deadline.after(10), retry_over_tcp=False)

    assert response.id == QUERY.id
    with suppress(CheckFailedError):
        check_rcode(response, "NOERROR")
        assert answer_records(response)


def test_stream_of_garbage_cannot_outlast_the_deadline() -> None:
    """Each datagram is in time; dnspython would measure with a clock that can be set back."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        is_over = Event()

        def serve() -> None:
            _, client = udp.recvfrom(512)
            while not is_over.wait(0.05):
                with suppress(ConnectionRefusedError):
                    udp.sendto(b"garbage", client)

        thread = Thread(target=serve)
        thread.start()
        started = time.monotonic()
        with pytest.raises(CheckFailedError) as raised:
            query_servers([(socket.AF_INET, udp.getsockname())], QUERY, Deadline.after(0.3))
        seconds = time.monotonic() - started
        is_over.set()
        thread.join()

    assert raised.value.failure == "dns_timeout"
    assert 0.3 <= seconds < GENEROUS


def test_no_http_library_is_loaded() -> None:
    script = "import sys, checkup.checkers.dns; print({'requests', 'httpx'} & set(sys.modules))"

    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert ended.stdout == "set()\n"
