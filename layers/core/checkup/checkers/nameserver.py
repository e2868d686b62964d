"""Asks name servers under one deadline, over UDP and, if the answer does not fit, over TCP.

dnspython writes the questions and reads the answers. The sockets are ours: a connected one
lets the kernel drop what comes from elsewhere, and tells when nothing listens there.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence

import dns.exception
import dns.message
import dns.rcode
from dns.flags import TC
from dns.message import Message

from checkup.checkers.connection import connect_happy_eyeballs
from checkup.checkers.failures import CheckFailedError, from_os_error
from checkup.checkers.resolution import SocketAddress
from checkup.checkers.stopwatch import Stopwatch
from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError

_LARGEST = 65_535
_PORT = 53


def system_nameservers(resolv_conf: str = "/etc/resolv.conf") -> Sequence[SocketAddress]:
    """Return the name servers that this machine is configured to ask, first choice first.

    They may be anywhere: in Lambda they are at a link-local address.

    Raises:
        CheckUnknownError: there are none.
    """
    from dns.resolver import NoResolverConfiguration, Resolver  # noqa: PLC0415 - slow to import

    try:
        hosts = Resolver(resolv_conf).nameservers
    except NoResolverConfiguration as error:
        raise CheckUnknownError("config", "this machine has no name server configured") from error
    return [address for host in hosts for address in _addresses(str(host))]


def _addresses(host: str) -> Sequence[SocketAddress]:
    found = socket.getaddrinfo(host, _PORT, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)
    return [(family, address) for family, _, _, _, address in found]


def query_servers(
    servers: Sequence[SocketAddress], query: Message, deadline: Deadline, *, whole: bool = True
) -> Message:
    """Return the answer of the first server that gives one.

    Answers that are not to the question, or cannot be read, may be somebody else's: they are
    passed over (RFC 5452, section 9.1).

    Args:
        whole: fetch an answer that does not fit into a datagram over TCP.

    Raises:
        CheckFailedError: none came by the deadline.
        CheckUnknownError: for want of local resources.
    """
    watch = Stopwatch()
    failed = CheckFailedError("dns_timeout", "no answer in time")
    for asked, server in enumerate(servers):
        share = deadline.within(deadline.left() / (len(servers) - asked))
        try:
            return _ask_one(server, query, share, whole=whole)
        except TimeoutError:
            failed = CheckFailedError("dns_timeout", f"no usable answer after {watch}")
        except OSError as error:
            failed = from_os_error(error)
        except CheckFailedError as other:
            failed = other
    raise failed


def _ask_one(server: SocketAddress, query: Message, deadline: Deadline, *, whole: bool) -> Message:
    answer = _over_udp(server, query, deadline)
    if answer.rcode() == dns.rcode.FORMERR and query.edns >= 0 > answer.edns:
        query.use_edns(-1)  # a server from before 1999 (RFC 6891, section 7)
        answer = _over_udp(server, query, deadline)
    return _over_tcp(server, query, deadline) if whole and answer.flags & TC else answer


def _over_udp(server: SocketAddress, query: Message, deadline: Deadline) -> Message:
    family, address = server
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect(address)
        sock.send(query.to_wire())
        while True:
            left = deadline.left()
            if left <= 0:
                raise TimeoutError
            sock.settimeout(left)
            answer = parse_response(sock.recv(_LARGEST), query)
            if answer:
                return answer


def _over_tcp(server: SocketAddress, query: Message, deadline: Deadline) -> Message:
    try:
        sock = connect_happy_eyeballs([server], deadline)
        sock.deadline = deadline
        with sock, sock.makefile("rb") as stream:
            wire = query.to_wire()
            sock.sendall(len(wire).to_bytes(2) + wire)
            answer = parse_response(stream.read(int.from_bytes(stream.read(2))), query)
    except (CheckFailedError, OSError) as error:
        raise _cut_short() from error
    if not answer:
        raise _cut_short()
    return answer


def _cut_short() -> CheckFailedError:
    return CheckFailedError(
        "dns_truncated", "the answer is cut short, and over TCP it cannot be had"
    )


def parse_response(packet: bytes, query: Message) -> Message | None:
    """Return the answer in the packet, or None if it is none to this question."""
    try:
        answer = dns.message.from_wire(packet, raise_on_truncation=True)
    except dns.message.Truncated as truncated:
        answer = truncated.message()  # type: ignore[no-untyped-call]
    except (dns.exception.DNSException, ValueError):
        return None
    return answer if query.is_response(answer) else None
