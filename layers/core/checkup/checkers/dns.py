"""The ``dns`` checker: does a name server answer, and what?"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import dns.edns
import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.reversename
from dns.flags import TC
from dns.message import Message, QueryMessage
from dns.name import Name
from dns.rdata import Rdata
from msgspec import Meta

from checkup.checkers.failures import CheckFailedError, from_os_error
from checkup.checkers.network import (
    SocketAddress,
    connect_happy_eyeballs,
    open_connection,
    resolve,
    split_host_port,
)
from checkup.deadline import Deadline, Stopwatch
from checkup.errors import CheckUnknownError
from checkup.interfaces import Checker
from checkup.interfaces.kinds import Strings
from checkup.model import Attempt
from checkup.text import quote_untrusted
from checkup.times import SECOND

# Asks name servers under one deadline, over UDP and, if the answer does not fit, over TCP.
#
# dnspython writes the questions and reads the answers. The sockets are ours: a connected one
# lets the kernel drop what comes from elsewhere, and tells when nothing listens there.


_LARGEST = 65_535
_PORT = 53


def system_nameservers(resolv_conf: str = "/etc/resolv.conf") -> Sequence[SocketAddress]:
    """Return the name servers that this machine is configured to ask, first choice first.

    They may be anywhere: in Lambda they are at a link-local address.

    Raises:
        CheckUnknownError: there are none.
    """
    from dns.resolver import NoResolverConfiguration, Resolver  # slow to import

    try:
        hosts = Resolver(resolv_conf).nameservers
    except NoResolverConfiguration as error:
        raise CheckUnknownError("config", "this machine has no name server configured") from error
    return [address for host in hosts for address in _addresses(str(host))]


def _addresses(host: str) -> Sequence[SocketAddress]:
    found = socket.getaddrinfo(host, _PORT, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)
    return [(family, address) for family, _, _, _, address in found]


def query_servers(
    servers: Sequence[SocketAddress],
    query: Message,
    deadline: Deadline,
    *,
    retry_over_tcp: bool = True,
) -> Message:
    """Return the answer of the first server that gives one.

    Answers that are not to the question, or cannot be read, may be somebody else's: they are
    passed over (RFC 5452, section 9.1).

    Args:
        retry_over_tcp: fetch an answer that does not fit into a datagram over TCP.

    Raises:
        CheckFailedError: none came by the deadline.
        CheckUnknownError: for want of local resources.
    """
    watch = Stopwatch()
    failed = CheckFailedError("dns_timeout", "no answer in time")
    for asked, server in enumerate(servers):
        share = deadline.within(deadline.remaining() / (len(servers) - asked))
        try:
            return _ask_one(server, query, share, whole=retry_over_tcp)
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
            left = deadline.remaining()
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


# What a name server answered, and what is expected of it.


_SENTENCES = {
    "NXDOMAIN": "there is no such name",
    "SERVFAIL": "the name server failed",
    "REFUSED": "the name server refuses to answer",
    "FORMERR": "the name server does not understand the question",
    "NOTIMP": "the name server cannot answer such questions",
}


def query_name(text: str, record_type: str) -> Name:
    """Return the name, complete; for PTR an address may be given.

    Raises:
        CheckFailedError: it is not a possible name.
    """
    try:
        if record_type == "PTR":
            try:
                return dns.reversename.from_address(text)
            except (dns.exception.SyntaxError, ValueError):
                pass  # a name, not an address
        return dns.name.from_text(text)
    except (dns.exception.DNSException, ValueError) as error:
        raise CheckFailedError("address", "not a possible name") from error


def canonical_rdata(text: str, record_type: str) -> bytes:
    """Return what a record's text stands for, however it is spelt.

    A text for TXT is the content itself; in quotation marks it may be in several parts.

    Raises:
        ValueError: it is no record of that type.
    """
    if record_type == "TXT" and not text.startswith('"'):
        return text.encode()
    kind = dns.rdatatype.from_text(record_type)
    try:
        record = dns.rdata.from_text(
            dns.rdataclass.IN, kind, text, origin=dns.name.root, relativize=False
        )
    except (dns.exception.DNSException, ValueError) as error:
        raise ValueError(
            f"'{text}' is not the content of a record of type {record_type}"
        ) from error
    return _canonical(record)


def check_rcode(answer: Message, expected: str) -> None:
    """See that the answer has the response code that is expected.

    Raises:
        CheckFailedError: it has another; the class and the sentence are those of that one.
    """
    code = dns.rcode.to_text(answer.rcode())
    if code == expected:
        return
    wanted = "" if expected == "NOERROR" else f", {expected} was expected"
    sentence = _SENTENCES.get(code, f"the name server answers {code}")
    raise CheckFailedError(f"dns_{code.lower()}", f"{sentence}{_reasons(answer)}{wanted}")


def answer_records(answer: Message) -> Sequence[Rdata]:
    """Return the records that were asked for, at the end of the aliases if there are any.

    Raises:
        CheckFailedError: there are none.
    """
    assert isinstance(answer, QueryMessage)  # noqa: S101 - it answers a query
    try:
        found = answer.resolve_chaining().answer
    except dns.message.ChainTooLong as error:
        raise CheckFailedError("dns_alias_loop", "the aliases of the name lead nowhere") from error
    except dns.exception.DNSException as error:
        raise CheckFailedError("dns_malformed", "the answer contradicts itself") from error
    if not found:
        raise CheckFailedError("dns_nodata", "the name has no record of this type")
    return list(found)


def check_records(
    records: Sequence[Rdata], record_type: str, expected: Sequence[str], *, exact: bool
) -> None:
    """Compare the records with those expected, as sets.

    Args:
        exact: there may be no others.

    Raises:
        CheckFailedError: one is missing, or one too many.
    """
    found = {_canonical(record): record for record in records}
    wanted = {canonical_rdata(text, record_type): text for text in expected}
    for content, text in wanted.items():
        if content not in found:
            raise CheckFailedError("dns_mismatch", f"the answer lacks '{text}'")
    for content, record in found.items():
        if exact and content not in wanted:
            shown = quote_untrusted(record.to_text(), ())
            raise CheckFailedError(
                "dns_mismatch", f"the answer has '{shown}', which is not expected"
            )


def _canonical(record: Rdata) -> bytes:
    strings: Sequence[bytes] | None = getattr(record, "strings", None)
    if strings is not None:  # TXT: how it is cut into parts says nothing
        return b"".join(strings)
    return record.to_digestable()


def _reasons(answer: Message) -> str:
    """Return the reasons that the server gives by number (RFC 8914)."""
    codes = [option.code for option in answer.options if isinstance(option, dns.edns.EDEOption)]
    names = [code.name.replace("_", " ").lower() for code in codes]
    return f" ({', '.join(names)})" if names else ""


_QUERY_LIMIT, _CONNECT_LIMIT = 2.0, 1.0
"""Seconds, where none are configured; as in the Go program."""

_SAFE_PAYLOAD = 1232
"""Bytes of a datagram that no network cuts in pieces (DNS flag day 2020)."""


class DnsChecker(Checker, frozen=True, kw_only=True):
    """Asks the name server at ``endpoint_url`` (``host:port``), then connects to it over TCP.

    As in the Go program, what the server answers does not matter. It does as soon as a
    ``record_type`` or anything is expected, or where the servers of this machine are asked;
    then no TCP connection is made for its own sake.
    """

    kind: ClassVar[str] = "dns"
    default_timeout: ClassVar[int] = 3 * SECOND

    endpoint_url: Annotated[
        str, Meta(description="The name server; if absent, those of this machine are asked.")
    ] = ""
    hostname_fqdn: Annotated[
        str, Meta(description="The name to look up; without one it is only connected.")
    ] = ""
    record_type: Annotated[
        Literal["", "A", "AAAA", "CNAME", "MX", "NS", "TXT", "SOA", "SRV", "CAA", "PTR"],
        Meta(description="The type to ask for, and to get; A, and not judged, if absent."),
    ] = ""
    expected_rcode: Annotated[
        Literal["", "NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED", "FORMERR", "NOTIMP"],
        Meta(description="The response code that is good; NOERROR wherever answers are judged."),
    ] = ""
    answers_equal: Annotated[
        Strings, Meta(description="The records of the answer: these, in any order, no others.")
    ] = ()
    answers_contain: Annotated[
        Strings, Meta(description="Records that the answer has to have, among others.")
    ] = ()

    def __post_init__(self) -> None:
        """Refuse expectations that no answer can meet."""
        for text in (*self.answers_equal, *self.answers_contain):
            canonical_rdata(text, self._type)

    @property
    def endpoint(self) -> str:
        """The server, or the name where no server is given."""
        return self.endpoint_url or self.hostname_fqdn

    def attempt(self, deadline: Deadline) -> Attempt:
        """See :meth:`checkup.interfaces.Checker.attempt`."""
        error = failure = ""
        is_answered = False
        watch = Stopwatch()
        try:
            answer = self._answer(deadline, watch) if self.hostname_fqdn else None
            is_answered = True
            if answer and self._is_judged:
                self._judge(answer)
            else:
                self._connect(deadline, watch)
        except CheckFailedError as failed:
            error, failure = str(failed), failed.failure
        return Attempt(
            rtt=watch.elapsed_ns() if is_answered else 0,
            error=error,
            failure=failure,
            phases=watch.phases(),
        )

    @property
    def _type(self) -> str:
        return self.record_type or "A"

    @property
    def _records_are_expected(self) -> bool:
        return bool(self.record_type or self.answers_equal or self.answers_contain)

    @property
    def _is_judged(self) -> bool:
        return self._records_are_expected or bool(self.expected_rcode) or not self.endpoint_url

    def _answer(self, deadline: Deadline, watch: Stopwatch) -> Message:
        limit = deadline if self.timeout else deadline.within(_QUERY_LIMIT)
        query = dns.message.make_query(query_name(self.hostname_fqdn, self._type), self._type)
        if self._is_judged:
            query.use_edns(0, payload=_SAFE_PAYLOAD)
        servers = self._servers(limit, watch)
        with watch.phase("wait"):
            return query_servers(servers, query, limit, retry_over_tcp=self._is_judged)

    def _servers(self, deadline: Deadline, watch: Stopwatch) -> Sequence[SocketAddress]:
        if not self.endpoint_url:
            return system_nameservers()
        host, port = split_host_port(self.endpoint_url)
        with watch.phase("resolve"):
            return resolve(host, port, deadline)

    def _judge(self, answer: Message) -> None:
        expected = self.expected_rcode or "NOERROR"
        check_rcode(answer, expected)
        if expected != "NOERROR" or (self.expected_rcode and not self._records_are_expected):
            return
        records = answer_records(answer)
        if self.answers_equal:
            check_records(records, self._type, self.answers_equal, exact=True)
        check_records(records, self._type, self.answers_contain, exact=False)

    def _connect(self, deadline: Deadline, watch: Stopwatch) -> None:
        limit = deadline if self.timeout else deadline.within(_CONNECT_LIMIT)
        open_connection(*split_host_port(self.endpoint_url), limit, watch).close()
