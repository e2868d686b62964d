"""What a name server answered, and what is expected of it."""

from __future__ import annotations

from collections.abc import Sequence

import dns.edns
import dns.exception
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

from checkup.checkers.failures import CheckFailedError
from checkup.checkers.quoting import quote_untrusted

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
    records: Sequence[Rdata], record_type: str, expected: Sequence[str], *, all_of_them: bool
) -> None:
    """Compare the records with those expected, as sets.

    Args:
        all_of_them: there may be no others.

    Raises:
        CheckFailedError: one is missing, or one too many.
    """
    found = {_canonical(record): record for record in records}
    wanted = {canonical_rdata(text, record_type): text for text in expected}
    for content, text in wanted.items():
        if content not in found:
            raise CheckFailedError("dns_mismatch", f"the answer lacks '{text}'")
    for content, record in found.items():
        if all_of_them and content not in wanted:
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
