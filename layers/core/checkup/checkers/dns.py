"""The ``dns`` checker: does a name server answer, and are its answers as expected?

dnspython writes the queries and reads the responses. Queries go over UDP and, if the response
does not fit into a datagram, over TCP, all under one deadline.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Container, Iterator, Sequence
from contextlib import suppress
from copy import copy
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.reversename
from dns.message import Message, QueryMessage
from dns.name import Name
from dns.rdata import Rdata
from msgspec import Meta

from checkup.checkers.addresses import host_port_problem
from checkup.checkers.event_loop import run_alone
from checkup.checkers.failures import CheckFailedError, from_os_error
from checkup.checkers.host_names import ascii_host
from checkup.checkers.network import (
    DeadlineSocket,
    SocketAddress,
    require_ipv6,
    resolve,
    split_host_port,
)
from checkup.checkers.stream import open_stream
from checkup.deadline import Deadline, Stopwatch
from checkup.errors import CheckUnknownError
from checkup.interfaces import Checker
from checkup.interfaces.kinds import SettingProblem, Strings
from checkup.model import Attempt
from checkup.text import quote_untrusted
from checkup.times import SECOND

_QUERY_LIMIT: Final = 2.0
"""Seconds for the query if no timeout is configured; as in the Go program."""

_CONNECT_LIMIT: Final = 1.0
"""Seconds for the connection if no timeout is configured; as in the Go program."""

_SAFE_PAYLOAD: Final = 1232
"""Bytes of a datagram that no network fragments (DNS flag day 2020)."""

_MAX_MESSAGE: Final = 65_535
_MAX_SERVERS: Final = 3

_RCODE_MESSAGES: Final = {
    "NXDOMAIN": "no such name",
    "SERVFAIL": "the name server failed",
    "REFUSED": "the name server refused the query",
    "FORMERR": "the name server could not parse the query",
    "NOTIMP": "the name server does not support the query",
}


class DnsChecker(Checker, frozen=True, kw_only=True):
    """Queries the name server at ``endpoint_url`` (``host:port``), then connects to it over TCP.

    As in the Go program, any answer is good. If a ``record_type`` or anything else is expected, or
    if the name servers of this machine are used, the answer is evaluated instead, and no TCP
    connection is made.
    """

    kind: ClassVar[str] = "dns"
    default_timeout: ClassVar[int] = 3 * SECOND
    needs_address: ClassVar[bool] = True

    endpoint_url: Annotated[
        str, Meta(description="The name server; if absent, those of this machine are used.")
    ] = ""
    hostname_fqdn: Annotated[
        str, Meta(description="The name to look up; if absent, only the connection is checked.")
    ] = ""
    record_type: Annotated[
        Literal["", "A", "AAAA", "CNAME", "MX", "NS", "TXT", "SOA", "SRV", "CAA", "PTR"],
        Meta(description="The record type to query and expect; if absent, A and any answer."),
    ] = ""
    expected_rcode: Annotated[
        Literal["", "NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED", "FORMERR", "NOTIMP"],
        Meta(description="The expected response code; NOERROR if the answer is evaluated."),
    ] = ""
    answers_equal: Annotated[
        Strings, Meta(description="The exact set of records in the answer, in any order.")
    ] = ()
    answers_contain: Annotated[
        Strings, Meta(description="Records that the answer must contain.")
    ] = ()

    def find_errors(self) -> Iterator[SettingProblem]:
        """Reject expectations that no answer can meet."""
        for name in ("answers_equal", "answers_contain"):
            for text in getattr(self, name):
                try:
                    canonical_rdata(text, self._type)
                except ValueError as error:
                    yield SettingProblem(name, str(error))

    def find_warnings(self) -> Iterator[SettingProblem]:
        """See :meth:`checkup.interfaces.kinds.Settings.find_warnings`."""
        yield from super().find_warnings()
        if problem := host_port_problem(self.endpoint_url, 53):
            yield problem
        try:
            query_name(self.hostname_fqdn, self._type)
        except CheckFailedError:
            fix = "write a name only, such as www.example.com"
            yield SettingProblem("hostname_fqdn", "not a domain name", fix, is_fatal=True)
        if "/" in self.hostname_fqdn and self.record_type not in {"PTR", "CNAME"}:
            fix = "write the name only, without https:// and path"
            yield SettingProblem("hostname_fqdn", "is a URL", fix, is_fatal=True)
        if not self.hostname_fqdn and self._is_evaluated and self.endpoint_url:
            fix = "add hostname_fqdn, the name to look up"
            yield SettingProblem("", "an answer is expected, but nothing is queried", fix)
        if self._expects_records and self.expected_rcode not in {"", "NOERROR"}:
            text = f"no records are compared with the response code {self.expected_rcode}"
            yield SettingProblem("expected_rcode", text, "remove it, or the expected records")

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
            response = self._query(deadline, watch) if self.hostname_fqdn else None
            is_answered = True
            if response and self._is_evaluated:
                self._evaluate_response(response)
            else:
                limit = deadline if self.timeout else deadline.within(_CONNECT_LIMIT)
                address = split_host_port(self.endpoint_url)
                run_alone(lambda net: open_stream(net, address, limit, watch)).close()
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
    def _expects_records(self) -> bool:
        return bool(self.record_type or self.answers_equal or self.answers_contain)

    @property
    def _is_evaluated(self) -> bool:
        return self._expects_records or bool(self.expected_rcode) or not self.endpoint_url

    def _query(self, deadline: Deadline, watch: Stopwatch) -> Message:
        limit = deadline if self.timeout else deadline.within(_QUERY_LIMIT)
        query = dns.message.make_query(query_name(self.hostname_fqdn, self._type), self._type)
        if self._is_evaluated:
            query.use_edns(0, payload=_SAFE_PAYLOAD)
        if self.endpoint_url:
            host, port = split_host_port(self.endpoint_url)
            with watch.phase("resolve"):
                servers = run_alone(lambda net: resolve(net, host, port, limit))
        else:
            servers = system_nameservers()
        with watch.phase("wait"):
            return query_servers(
                servers,
                query,
                limit,
                expected=self.expected_rcode or "NOERROR",
                retry_over_tcp=self._is_evaluated,
            )

    def _evaluate_response(self, response: Message) -> None:
        expected = self.expected_rcode or "NOERROR"
        check_rcode(response, expected)
        if expected != "NOERROR" or (self.expected_rcode and not self._expects_records):
            return
        records = answer_records(response)
        if self.answers_equal:
            check_records(records, self._type, self.answers_equal, exact=True)
        check_records(records, self._type, self.answers_contain, exact=False)


def system_nameservers(resolv_conf: str = "/etc/resolv.conf") -> Sequence[SocketAddress]:
    """Return the name servers that this machine is configured to use, first choice first.

    They may be at any address: in Lambda it is a link-local one. The file is read as by glibc:
    what is no address of a server is skipped, and only the first three servers count.

    Raises:
        CheckUnknownError: there are none.
    """
    try:
        lines = Path(resolv_conf).read_text(encoding="latin-1").split("\n")
    except OSError:
        lines = []
    servers: list[SocketAddress] = []
    for line in lines:
        words = re.split("[;#]", line)[0].split()
        if words[:1] == ["nameserver"]:
            with suppress(OSError, IndexError):
                family, _, _, _, address = socket.getaddrinfo(
                    words[1], 53, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
                )[0]
                servers.append((family, address))
    if not servers:
        raise CheckUnknownError("config", "no name server is configured on this machine")
    return servers[:_MAX_SERVERS]


def query_servers(
    servers: Sequence[SocketAddress],
    query: Message,
    deadline: Deadline,
    *,
    expected: str = "NOERROR",
    retry_over_tcp: bool = True,
) -> Message:
    """Return the first usable response of the servers, which are queried one after the other.

    Each server gets an equal share of the time that is left. As in glibc, the next one is queried
    if a server only returns an error of its own; if all do, that of the first is returned.

    Args:
        expected: a response code that is an answer, beside NOERROR and NXDOMAIN.
        retry_over_tcp: fetch a truncated response again over TCP.

    Raises:
        CheckFailedError: none came by the deadline.
        CheckUnknownError: local resources ran out.
    """
    watch = Stopwatch()
    usable = {dns.rcode.NOERROR, dns.rcode.NXDOMAIN, dns.rcode.from_text(expected)}
    erroneous: Message | None = None
    failures: list[CheckFailedError | CheckUnknownError] = []
    for asked, server in enumerate(servers):
        share = deadline.within(deadline.remaining() / (len(servers) - asked))
        try:
            response = _query_udp(server, query, share)
            if response.rcode() not in usable and query.edns >= 0:
                response = _query_without_edns(server, query, share, usable) or response
            if retry_over_tcp and response.flags & dns.flags.TC:
                response = _query_tcp(server, query, share)
        except TimeoutError:
            sentence = f"no usable response after {watch}"
            failures.append(CheckFailedError("dns_timeout", sentence))
        except (CheckFailedError, CheckUnknownError) as error:
            failures.append(error)
        else:
            if response.rcode() in usable:
                return response
            erroneous = erroneous or response
    if erroneous:
        return erroneous
    raise next((f for f in failures if isinstance(f, CheckFailedError)), failures[0])


def _query_udp(server: SocketAddress, query: Message, deadline: Deadline) -> Message:
    """Return the response, which may be truncated.

    Datagrams are lost, and some firewalls drop those with EDNS: the query is repeated after a
    quarter of the time, and sent without EDNS after half of it.

    A datagram that cannot be read, or does not answer the query, may come from somebody else:
    it is ignored (RFC 5452, section 9.1). The socket is connected, so that the kernel drops what
    comes from other addresses and reports when nothing listens at this one. It keeps the
    deadline; dnspython's own timeouts follow the wall clock, which may be set back.

    Raises:
        TimeoutError: there is none by the deadline.
        CheckFailedError: the network reports that the server cannot be reached.
        CheckUnknownError: the cause is this machine.
    """
    family, address = server
    plain = copy(query)
    plain.use_edns(-1)
    seconds = deadline.remaining()
    try:
        with DeadlineSocket(family, socket.SOCK_DGRAM) as sock:
            sock.connect(address)
            for sent, wait in ((query, 0.25), (query, 0.25), (plain, 1.0)):
                sock.deadline = deadline
                sock.send(sent.to_wire())
                sock.deadline = deadline.within(wait * seconds)
                with suppress(TimeoutError):
                    while True:
                        if response := _parse_response(sock.recv(_MAX_MESSAGE), query):
                            return response
    except TimeoutError:
        raise
    except OSError as error:
        require_ipv6([server])
        raise from_os_error(error) from error
    raise TimeoutError


def _query_without_edns(
    server: SocketAddress, query: Message, deadline: Deadline, usable: Container[dns.rcode.Rcode]
) -> Message | None:
    """Return the response to the query without EDNS if it is any better.

    Old servers and broken ones answer EDNS with FORMERR, NOTIMP, BADVERS or SERVFAIL (RFC 6891,
    section 7), so that dig fails and glibc, which does not use it, does not.
    """
    plain = copy(query)
    plain.use_edns(-1)
    plain.id = query.id ^ 1  # a late response to the first query is none to this one
    try:
        response = _query_udp(server, plain, deadline)
        if response.flags & dns.flags.TC:
            response = _query_tcp(server, plain, deadline)
    except (TimeoutError, CheckFailedError):
        return None
    return response if response.rcode() in usable else None


def _query_tcp(server: SocketAddress, query: Message, deadline: Deadline) -> Message:
    try:
        with DeadlineSocket(server[0], socket.SOCK_STREAM) as sock:
            sock.deadline = deadline
            sock.apply_deadline()
            sock.connect(server[1])
            wire = query.to_wire()
            sock.sendall(len(wire).to_bytes(2) + wire)
            length = int.from_bytes(sock.receive_exactly(2))
            response = _parse_response(sock.receive_exactly(length), query)
    except OSError:
        response = None
    if not response:
        sentence = "the response is truncated, and the query over TCP failed"
        raise CheckFailedError("dns_truncated", sentence)
    return response


def _parse_response(wire: bytes, query: Message) -> Message | None:
    """Return the response to a query; None if it cannot be read or answers another query.

    What cannot be read in it is skipped, as by dig and glibc: bytes after its end, records with
    invalid content, fewer records than the header has.
    """
    try:
        response = dns.message.from_wire(wire, ignore_trailing=True, continue_on_error=True)
    except (dns.exception.DNSException, ValueError):
        return None
    is_response = response.flags & dns.flags.QR and response.opcode() == query.opcode()
    # Some servers leave the question out, and in a truncated response it may be incomplete.
    is_left_out = wire[4:6] == b"\0\0" or response.flags & dns.flags.TC
    is_known = query.question[0] in response.question or (is_left_out and not response.question)
    if response.id != query.id or not is_response or not is_known:
        return None
    response.question = query.question
    return response


class _IdnaCodec(dns.name.IDNACodec):
    def encode(self, label: str) -> bytes:
        return ascii_host(label).encode()


_IDNA: Final = _IdnaCodec()  # type: ignore[no-untyped-call]


def query_name(text: str, record_type: str) -> Name:
    """Return the absolute name; for PTR the text may be an address.

    Raises:
        CheckFailedError: it is not a valid domain name.
    """
    try:
        if record_type == "PTR":
            try:
                return dns.reversename.from_address(text)
            except (dns.exception.SyntaxError, ValueError):
                pass  # a name, not an address
        return dns.name.from_text(text, idna_codec=_IDNA)
    except (dns.exception.DNSException, ValueError) as error:
        raise CheckFailedError("address", "invalid domain name") from error


def canonical_rdata(text: str, record_type: str) -> bytes:
    """Return the canonical content of a record, however its text is written.

    For TXT the text is the content itself, or several quoted strings.

    Raises:
        ValueError: it is not the content of a record of that type.
    """
    if record_type == "TXT" and not text.startswith('"'):
        return text.encode()
    kind = dns.rdatatype.from_text(record_type)
    try:
        record = dns.rdata.from_text(
            dns.rdataclass.IN,
            kind,
            text,
            origin=dns.name.root,
            relativize=False,
            idna_codec=_IDNA,
        )
    except (dns.exception.DNSException, ValueError) as error:
        raise ValueError(f"'{text}' is not valid as a record of type {record_type}") from error
    return _canonical(record)


def check_rcode(response: Message, expected: str) -> None:
    """Compare the response code with the expected one.

    Raises:
        CheckFailedError: it is another, with that one's failure class and message. The message
            names the extended errors of the response (RFC 8914).
    """
    code = dns.rcode.to_text(response.rcode())
    if code == expected:
        return
    message = _RCODE_MESSAGES.get(code, f"the name server answered {code}")
    codes = [option.code for option in response.options if isinstance(option, dns.edns.EDEOption)]
    if codes:
        message += f" ({', '.join(code.name.replace('_', ' ').lower() for code in codes)})"
    if expected != "NOERROR":
        message += f"; expected {expected}"
    raise CheckFailedError(f"dns_{code.lower()}", message)


def answer_records(response: Message) -> Sequence[Rdata]:
    """Return the records that were queried, behind the CNAME chain if there is one.

    Raises:
        CheckFailedError: there are none.
    """
    assert isinstance(response, QueryMessage)  # noqa: S101 - it responds to a query
    try:
        found = response.resolve_chaining().answer
    except dns.message.ChainTooLong as error:
        raise CheckFailedError("dns_alias_loop", "the CNAME chain is too long or a loop") from error
    except dns.exception.DNSException as error:
        raise CheckFailedError("dns_malformed", "the response is inconsistent") from error
    if not found:
        if response.errors:
            raise CheckFailedError("dns_malformed", "the response cannot be read")
        raise CheckFailedError("dns_nodata", "the name has no records of this type")
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
            raise CheckFailedError("dns_mismatch", f"missing record '{text}'")
    for content, record in found.items():
        if exact and content not in wanted:
            shown = quote_untrusted(record.to_text(), ())
            raise CheckFailedError("dns_mismatch", f"unexpected record '{shown}'")


def _canonical(record: Rdata) -> bytes:
    strings: Sequence[bytes] | None = getattr(record, "strings", None)
    if strings is not None:  # TXT: how it is split into strings does not matter
        return b"".join(strings)
    return record.to_digestable()
