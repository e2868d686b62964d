"""Odd answers of name servers, read by us and by dig; a difference that is not listed fails.

The server sends what a shape says, byte for byte, over UDP and TCP. A shape gets through if the
client sees the address 10.0.0.1 in a successful response.
"""

from __future__ import annotations

import socket
import struct
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Thread
from typing import Final

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rrset
import pytest
from dns.message import Message

from checkup.checkers.dns import DnsChecker
from checkup.times import SECOND
from tests.checkers.results import attempt_of

ADDRESS: Final = "10.0.0.1"
_A: Final = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + bytes([10, 0, 0, 1])

Shape = Callable[[Message, str], Sequence[bytes]]
"""What is sent to a query over ``udp`` or ``tcp``: the datagrams, or the message."""

SHAPES: dict[str, Shape] = {}


def shape(function: Shape) -> Shape:
    SHAPES[function.__name__.replace("_", "-")] = function
    return function


def header(query: Message, counts: tuple[int, int, int, int], flags: int = 0x8180) -> bytes:
    return struct.pack("!HH4H", query.id, flags, *counts)


def name_of(query: Message) -> bytes:
    return query.question[0].name.to_wire() or b""


def question(query: Message) -> bytes:
    return name_of(query) + b"\0\1\0\1"


def good(query: Message, *, edns: bool = True, name: str = "", rcode: int = 0) -> Message:
    """Return the answer that is right."""
    answer = dns.message.make_response(query, recursion_available=True)
    if not edns:
        answer.use_edns(-1)
    owner = name or query.question[0].name
    answer.answer.append(dns.rrset.from_text(owner, 60, "IN", "A", ADDRESS))
    answer.set_rcode(dns.rcode.Rcode(rcode))
    return answer


def empty(query: Message, rcode: dns.rcode.Rcode, *, edns: bool = False) -> bytes:
    answer = dns.message.make_response(query, recursion_available=True)
    if not edns:
        answer.use_edns(-1)
    answer.set_rcode(rcode)
    return answer.to_wire()


def record(kind: int, content: bytes, *, owner: bytes = b"\0", cls: int = 1) -> bytes:
    return owner + struct.pack("!HHIH", kind, cls, 60, len(content)) + content


def with_additional(query: Message, *records: bytes) -> bytes:
    return header(query, (1, 1, 0, len(records))) + question(query) + _A + b"".join(records)


@shape
def plain(query: Message, _: str) -> Sequence[bytes]:
    return [good(query).to_wire()]


@shape
def without_edns(query: Message, _: str) -> Sequence[bytes]:
    return [good(query, edns=False).to_wire()]


@shape
def trailing_byte(query: Message, _: str) -> Sequence[bytes]:
    return [good(query, edns=False).to_wire() + b"\0"]


@shape
def trailing_kilobyte(query: Message, _: str) -> Sequence[bytes]:
    return [good(query, edns=False).to_wire() + b"\xff" * 1000]


@shape
def no_question(query: Message, _: str) -> Sequence[bytes]:
    owner = name_of(query)
    return [header(query, (0, 1, 0, 0)) + owner + _A[2:]]


@shape
def question_in_capitals(query: Message, _: str) -> Sequence[bytes]:
    wire = question(query).swapcase()[:-4] + b"\0\1\0\1"
    return [header(query, (1, 1, 0, 0)) + wire + _A]


@shape
def owner_in_capitals(query: Message, _: str) -> Sequence[bytes]:
    owner = query.question[0].name.to_text().swapcase()
    return [good(query, name=owner, edns=False).to_wire()]


@shape
def two_questions(query: Message, _: str) -> Sequence[bytes]:
    return [header(query, (2, 1, 0, 0)) + question(query) * 2 + _A]


@shape
def another_question(query: Message, _: str) -> Sequence[bytes]:
    other = dns.message.make_query("bank.test.", "A", id=query.id)
    return [good(other).to_wire()]


@shape
def another_class(query: Message, _: str) -> Sequence[bytes]:
    return [header(query, (1, 1, 0, 0)) + question(query)[:-2] + b"\0\3" + _A]


@shape
def answer_count_too_high(query: Message, _: str) -> Sequence[bytes]:
    return [header(query, (1, 2, 0, 0)) + question(query) + _A]


@shape
def answer_count_too_low(query: Message, _: str) -> Sequence[bytes]:
    return [header(query, (1, 1, 0, 0)) + question(query) + _A + _A]


@shape
def additional_count_too_high(query: Message, _: str) -> Sequence[bytes]:
    return [header(query, (1, 1, 0, 1)) + question(query) + _A]


@shape
def short_additional_record(query: Message, _: str) -> Sequence[bytes]:
    return [with_additional(query, record(1, b"\x0a"))]


@shape
def long_additional_record(query: Message, _: str) -> Sequence[bytes]:
    return [with_additional(query, record(1, b"\x0a" * 9))]


@shape
def bad_pointer_in_additional_record(query: Message, _: str) -> Sequence[bytes]:
    return [with_additional(query, record(2, b"\xc7\xff"))]


@shape
def unknown_additional_record(query: Message, _: str) -> Sequence[bytes]:
    return [with_additional(query, record(65_400, b"anything"))]


@shape
def empty_additional_record(query: Message, _: str) -> Sequence[bytes]:
    return [with_additional(query, record(15, b""))]


@shape
def bad_service_record(query: Message, _: str) -> Sequence[bytes]:
    return [with_additional(query, record(64, b"\0\1\0\0\1\0\5h"))]


@shape
def signature_of_a_transaction(query: Message, _: str) -> Sequence[bytes]:
    tsig = b"\x08hmac-md5\x07sig-alg\x03reg\x03int\0" + bytes(6) + b"\1\x2c\0\0" + bytes(6)
    return [with_additional(query, record(250, tsig, cls=255))]


@shape
def edns_version_1(query: Message, _: str) -> Sequence[bytes]:
    return [with_additional(query, b"\0\0\x29\x04\xd0\0\1\0\0\0\0")]


@shape
def edns_twice(query: Message, _: str) -> Sequence[bytes]:
    return [with_additional(query, *[b"\0\0\x29\x04\xd0\0\0\0\0\0\0"] * 2)]


@shape
def edns_with_a_name(query: Message, _: str) -> Sequence[bytes]:
    return [with_additional(query, b"\1x\0\0\x29\x04\xd0\0\0\0\0\0\0")]


@shape
def edns_in_the_answer(query: Message, _: str) -> Sequence[bytes]:
    opt = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"
    return [header(query, (1, 2, 0, 0)) + question(query) + _A + opt]


@shape
def edns_option_too_long(query: Message, _: str) -> Sequence[bytes]:
    return [with_additional(query, b"\0\0\x29\x04\xd0\0\0\0\0\0\5\0\3\0\x09x")]


@shape
def edns_option_cut_short(query: Message, _: str) -> Sequence[bytes]:
    return [with_additional(query, b"\0\0\x29\x04\xd0\0\0\0\0\0\2\0\3")]


@shape
def edns_unknown_option(query: Message, _: str) -> Sequence[bytes]:
    return [with_additional(query, b"\0\0\x29\x04\xd0\0\0\0\0\0\6\xff\xff\0\2xy")]


@shape
def edns_bad_cookie(query: Message, _: str) -> Sequence[bytes]:
    return [with_additional(query, b"\0\0\x29\x04\xd0\0\0\0\0\0\7\0\x0a\0\3abc")]


@shape
def edns_all_flags(query: Message, _: str) -> Sequence[bytes]:
    return [with_additional(query, b"\0\0\x29\0\0\0\0\xff\xff\0\0")]


@shape
def extended_rcode(query: Message, _: str) -> Sequence[bytes]:
    return [with_additional(query, b"\0\0\x29\x04\xd0\1\0\0\0\0\0")]


def _unless_plain(query: Message, refusal: Sequence[bytes]) -> Sequence[bytes]:
    return refusal if query.edns >= 0 else [good(query).to_wire()]


@shape
def edns_is_a_format_error(query: Message, _: str) -> Sequence[bytes]:
    return _unless_plain(query, [empty(query, dns.rcode.FORMERR)])


@shape
def edns_is_a_format_error_without_question(query: Message, _: str) -> Sequence[bytes]:
    return _unless_plain(query, [header(query, (0, 0, 0, 0), 0x8181)])


@shape
def edns_is_a_format_error_with_edns(query: Message, _: str) -> Sequence[bytes]:
    return _unless_plain(query, [empty(query, dns.rcode.FORMERR, edns=True)])


@shape
def edns_is_not_implemented(query: Message, _: str) -> Sequence[bytes]:
    return _unless_plain(query, [empty(query, dns.rcode.NOTIMP)])


@shape
def edns_is_a_server_failure(query: Message, _: str) -> Sequence[bytes]:
    return _unless_plain(query, [empty(query, dns.rcode.SERVFAIL)])


@shape
def edns_is_a_bad_version(query: Message, _: str) -> Sequence[bytes]:
    return _unless_plain(query, [empty(query, dns.rcode.BADVERS, edns=True)])


@shape
def edns_is_refused(query: Message, _: str) -> Sequence[bytes]:
    return _unless_plain(query, [empty(query, dns.rcode.REFUSED)])


@shape
def edns_is_dropped(query: Message, _: str) -> Sequence[bytes]:
    return _unless_plain(query, [])


@shape
def nothing(query: Message, _: str) -> Sequence[bytes]:
    del query
    return []


@shape
def no_such_name(query: Message, _: str) -> Sequence[bytes]:
    return [empty(query, dns.rcode.NXDOMAIN)]


@shape
def no_such_name_with_records(query: Message, _: str) -> Sequence[bytes]:
    return [good(query, rcode=3).to_wire()]


@shape
def server_failure_with_records(query: Message, _: str) -> Sequence[bytes]:
    return [good(query, rcode=2).to_wire()]


@shape
def no_records(query: Message, _: str) -> Sequence[bytes]:
    return [empty(query, dns.rcode.NOERROR)]


@shape
def refused(query: Message, _: str) -> Sequence[bytes]:
    return [empty(query, dns.rcode.REFUSED)]


@shape
def unknown_rcode(query: Message, _: str) -> Sequence[bytes]:
    return [empty(query, dns.rcode.Rcode(13))]


@shape
def no_response_flag(query: Message, _: str) -> Sequence[bytes]:
    return [header(query, (1, 1, 0, 0), 0x0100) + question(query) + _A]


@shape
def another_opcode(query: Message, _: str) -> Sequence[bytes]:
    return [header(query, (1, 1, 0, 0), 0x9180) + question(query) + _A]


@shape
def no_recursion_available(query: Message, _: str) -> Sequence[bytes]:
    return [header(query, (1, 1, 0, 0), 0x8000) + question(query) + _A]


@shape
def reserved_bit(query: Message, _: str) -> Sequence[bytes]:
    return [header(query, (1, 1, 0, 0), 0x81C0) + question(query) + _A]


@shape
def dnssec_bits(query: Message, _: str) -> Sequence[bytes]:
    return [header(query, (1, 1, 0, 0), 0x81B0) + question(query) + _A]


@shape
def another_id_first(query: Message, _: str) -> Sequence[bytes]:
    wire = good(query, rcode=3).to_wire()
    return [struct.pack("!H", query.id ^ 1) + wire[2:], good(query).to_wire()]


@shape
def garbage_first(query: Message, _: str) -> Sequence[bytes]:
    return [query.id.to_bytes(2) + b"\x81\x80\0\1\0\xff" + b"\xc0" * 40, good(query).to_wire()]


@shape
def three_bytes_first(query: Message, _: str) -> Sequence[bytes]:
    return [b"\xff" * 3, good(query).to_wire()]


@shape
def header_only(query: Message, _: str) -> Sequence[bytes]:
    return [header(query, (0, 0, 0, 0))]


@shape
def truncated(query: Message, protocol: str) -> Sequence[bytes]:
    wire = good(query, edns=False).to_wire()
    return [wire if protocol == "tcp" else header(query, (1, 0, 0, 0), 0x8380) + question(query)]


@shape
def truncated_inside_a_record(query: Message, protocol: str) -> Sequence[bytes]:
    wire = good(query, edns=False).to_wire()
    return [wire if protocol == "tcp" else header(query, (1, 1, 0, 0), 0x8380) + wire[12:-3]]


@shape
def truncated_inside_the_question(query: Message, protocol: str) -> Sequence[bytes]:
    wire = good(query, edns=False).to_wire()
    return [wire if protocol == "tcp" else header(query, (1, 1, 0, 0), 0x8380) + b"\3"]


@shape
def truncated_header(query: Message, protocol: str) -> Sequence[bytes]:
    wire = good(query, edns=False).to_wire()
    return [wire if protocol == "tcp" else header(query, (0, 0, 0, 0), 0x8380)]


@shape
def truncated_over_tcp_too(query: Message, _: str) -> Sequence[bytes]:
    wire = good(query, edns=False).to_wire()
    return [wire[:2] + b"\x83\x80" + wire[4:]]


@shape
def truncated_and_silent_over_tcp(query: Message, protocol: str) -> Sequence[bytes]:
    return [] if protocol == "tcp" else [header(query, (1, 0, 0, 0), 0x8380) + question(query)]


@shape
def truncated_and_trailing_byte(query: Message, protocol: str) -> Sequence[bytes]:
    wire = good(query, edns=False).to_wire()
    cut = header(query, (1, 0, 0, 0), 0x8380) + question(query)
    return [wire + b"\0" if protocol == "tcp" else cut]


@shape
def large_datagram(query: Message, _: str) -> Sequence[bytes]:
    answer = good(query)
    texts = [f"10.1.{one}.{two}" for one in range(4) for two in range(200)]
    answer.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", *texts))
    return [answer.to_wire(max_size=65535)]


@shape
def many_duplicates(query: Message, _: str) -> Sequence[bytes]:
    return [header(query, (1, 30, 0, 0)) + question(query) + _A * 30]


@shape
def signature_of_the_record(query: Message, _: str) -> Sequence[bytes]:
    answer = good(query)
    text = "A 8 2 60 20400101000000 20200101000000 1 test. AAAA"
    answer.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "RRSIG", text))
    return [answer.to_wire()]


@shape
def damaged_signature_of_the_record(query: Message, _: str) -> Sequence[bytes]:
    wire = header(query, (1, 2, 0, 0)) + question(query) + _A
    return [wire + record(46, b"\0\1\x08", owner=b"\xc0\x0c")]


@shape
def damaged_record_first(query: Message, _: str) -> Sequence[bytes]:
    wire = header(query, (1, 2, 0, 0)) + question(query)
    return [wire + record(1, b"\x0a\0\0", owner=b"\xc0\x0c") + _A]


@shape
def damaged_records_only(query: Message, _: str) -> Sequence[bytes]:
    wire = header(query, (1, 1, 0, 0)) + question(query)
    return [wire + record(1, b"\x0a\0\0", owner=b"\xc0\x0c")]


@shape
def negative_time_to_live(query: Message, _: str) -> Sequence[bytes]:
    wire = header(query, (1, 1, 0, 0)) + question(query)
    return [wire + _A[:6] + b"\xff\xff\xff\xff" + _A[10:]]


@shape
def record_of_another_class(query: Message, _: str) -> Sequence[bytes]:
    wire = header(query, (1, 1, 0, 0)) + question(query)
    return [wire + record(1, bytes([10, 0, 0, 1]), owner=b"\xc0\x0c", cls=3)]


@shape
def record_of_another_name(query: Message, _: str) -> Sequence[bytes]:
    return [good(query, name="other.test.").to_wire()]


def _aliases(query: Message, names: Sequence[str], *, reverse: bool = False) -> Sequence[bytes]:
    answer = dns.message.make_response(query)
    owners = [query.question[0].name.to_text(), *names]
    sets = [
        dns.rrset.from_text(owner, 60, "IN", "CNAME", target)
        for owner, target in zip(owners, names, strict=False)
    ]
    sets.append(dns.rrset.from_text(owners[-1], 60, "IN", "A", ADDRESS))
    answer.answer += sets[::-1] if reverse else sets
    return [answer.to_wire(max_size=65535)]


@shape
def alias(query: Message, _: str) -> Sequence[bytes]:
    return _aliases(query, ["a.other.test.", "b.other.test."])


@shape
def alias_after_its_target(query: Message, _: str) -> Sequence[bytes]:
    return _aliases(query, ["a.other.test.", "b.other.test."], reverse=True)


@shape
def alias_to_a_name_in_capitals(query: Message, _: str) -> Sequence[bytes]:
    answer = dns.message.make_response(query)
    owner = query.question[0].name
    answer.answer.append(dns.rrset.from_text(owner, 60, "IN", "CNAME", "A.Other.TEST."))
    answer.answer.append(dns.rrset.from_text("a.other.test.", 60, "IN", "A", ADDRESS))
    return [answer.to_wire()]


@shape
def alias_to_a_name_with_spaces(query: Message, _: str) -> Sequence[bytes]:
    return _aliases(query, [r"my\032printer._http.test."])


@shape
def alias_in_a_chain_of_15(query: Message, _: str) -> Sequence[bytes]:
    return _aliases(query, [f"link{number}.test." for number in range(15)])


@shape
def alias_in_a_chain_of_40(query: Message, _: str) -> Sequence[bytes]:
    return _aliases(query, [f"link{number}.test." for number in range(40)])


@shape
def alias_of_a_tree(query: Message, _: str) -> Sequence[bytes]:
    name = query.question[0].name
    answer = dns.message.make_response(query)
    target = f"{name.labels[0].decode()}.tree.test."
    answer.answer.append(dns.rrset.from_text("test.", 60, "IN", "DNAME", "tree.test."))
    answer.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", target))
    answer.answer.append(dns.rrset.from_text(target, 60, "IN", "A", ADDRESS))
    return [answer.to_wire()]


@shape
def compression_loop(query: Message, _: str) -> Sequence[bytes]:
    wire = header(query, (1, 1, 0, 0)) + question(query)
    loop = struct.pack("!H", 0xC000 | len(wire))
    return [wire + loop + _A[2:]]


@shape
def compression_forwards(query: Message, _: str) -> Sequence[bytes]:
    wire = header(query, (1, 1, 0, 0)) + question(query)
    after = struct.pack("!H", 0xC000 | (len(wire) + 16))
    return [wire + after + _A[2:] + name_of(query)]


MEANT: Final = {
    "long-additional-record": "glibc reads the answers only, and gets the address",
    "bad-pointer-in-additional-record": "glibc reads the answers only, and gets the address",
    "edns-bad-cookie": "no cookie was sent, so none is checked (RFC 7873, section 5.3)",
    "garbage-first": "it may come from somebody else, and is ignored (RFC 5452, section 9.1)",
    "no-response-flag": "RFC 1035, section 4.1.1; a reflected query would count as a response",
    "damaged-record-first": "what was expected is there; a record that is not is still missed",
    "record-of-another-name": "does not answer the query (RFC 1034, section 4.3.2); glibc skips it",
    "alias-in-a-chain-of-40": "resolvers stop after 16 or fewer (BIND), so that users get an error",
}
"""Shapes of which dig 9.18 and we make something else, and why."""


class RawServer:
    """Sends the bytes of a shape, which the first label of the query's name selects."""

    def __init__(self) -> None:
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._tcp.getsockname()[1]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))

    def serve(self) -> None:
        for target in (self._serve_udp, self._serve_tcp):
            Thread(target=target, daemon=True).start()

    def close(self) -> None:
        for sock in (self._udp, self._tcp):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _serve_udp(self) -> None:
        with suppress(OSError):
            while True:
                wire, client = self._udp.recvfrom(65535)
                if not client:
                    return
                for packet in answers_to(wire, "udp"):
                    self._udp.sendto(packet, client)

    def _serve_tcp(self) -> None:
        with suppress(OSError):
            while True:
                Thread(target=self._answer, args=(self._tcp.accept()[0],), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            for answer in answers_to(client.recv(65535)[2:], "tcp"):
                client.sendall(len(answer).to_bytes(2) + answer)
            client.recv(1)


def answers_to(wire: bytes, protocol: str) -> Sequence[bytes]:
    query = dns.message.from_wire(wire, ignore_trailing=True)
    return SHAPES[query.question[0].name.labels[0].decode().lower()](query, protocol)


@pytest.fixture(scope="module")
def server() -> Iterator[RawServer]:
    raw = RawServer()
    raw.serve()
    yield raw
    raw.close()


def dig(port: int, name: str, *options: str) -> str:
    """Return what dig makes of a shape: ``address``, or the reason why not."""
    usual = ["+tries=1", "+timeout=1", "+noall", "+answer", "+comments", "+noidnin"]
    ended = subprocess.run(
        ["dig", "@127.0.0.1", "-p", str(port), *usual, *options, f"{name}.test.", "A"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    lines = ended.stdout.splitlines()
    if "status: NOERROR" not in ended.stdout:
        return next((line for line in lines if "status" in line or "error" in line), "no response")
    found = any(line.split()[-2:] == ["A", ADDRESS] for line in lines if line[:1] not in {";", ""})
    return "address" if found else "no address"


def test_every_other_result_than_that_of_dig_is_listed(server: RawServer) -> None:
    """Without EDNS dig sends what glibc does; the way that gets through counts."""

    def compare(name: str) -> tuple[str, str]:
        theirs = dig(server.port, name)
        if theirs != "address":
            theirs = dig(server.port, name, "+noedns")
        attempt = attempt_of(
            DnsChecker(
                endpoint_url=f"127.0.0.1:{server.port}",
                hostname_fqdn=f"{name}.test.",
                answers_contain=(ADDRESS,),
                timeout=2 * SECOND,
            ),
            seconds=2,
        )
        return theirs, attempt.failure or "address"

    with ThreadPoolExecutor(8) as pool:
        results = dict(zip(SHAPES, pool.map(compare, SHAPES), strict=True))
    different = {
        name: result
        for name, result in results.items()
        if (result[0] == "address") != (result[1] == "address")
    }

    assert different.keys() == MEANT.keys(), different
    assert len(results) >= 70
