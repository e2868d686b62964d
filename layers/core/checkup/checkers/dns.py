"""The ``dns`` checker: does a name server answer, and what?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import dns.message
from dns.message import Message
from msgspec import Meta

from checkup.checkers.address import split_host_port
from checkup.checkers.connection import open_connection
from checkup.checkers.failures import CheckFailedError
from checkup.checkers.nameserver import query_servers, system_nameservers
from checkup.checkers.records import (
    answer_records,
    canonical_rdata,
    check_rcode,
    check_records,
    query_name,
)
from checkup.checkers.resolution import SocketAddress, resolve
from checkup.checkers.stopwatch import Stopwatch
from checkup.deadline import Deadline
from checkup.model import SECOND, Attempt
from checkup.options import Strings
from checkup.ports import Checker

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
        """See :meth:`checkup.ports.Checker.attempt`."""
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
            rtt=watch.elapsed() if is_answered else 0,
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
            return query_servers(servers, query, limit, whole=self._is_judged)

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
            check_records(records, self._type, self.answers_equal, all_of_them=True)
        check_records(records, self._type, self.answers_contain, all_of_them=False)

    def _connect(self, deadline: Deadline, watch: Stopwatch) -> None:
        limit = deadline if self.timeout else deadline.within(_CONNECT_LIMIT)
        open_connection(*split_host_port(self.endpoint_url), limit, watch).close()
