"""The DSNs of PostgreSQL as Go's driver takes them -> the words that libpq takes.

Both take an address (``postgres://user:password@host/database?sslmode=…``) or a list of words
(``host=… user=… dbname=…``). Where Go's driver differs from libpq, it is followed here: a server on
localhost and encryption are its defaults, and a word that it does not know is a setting of the
session, such as ``search_path``.

https://pkg.go.dev/github.com/lib/pq#hdr-Connection_String_Parameters
https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

from checkup.errors import UnavailableError

_WORD = re.compile(
    r"\s*([A-Za-z_.]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)\s*", re.DOTALL
)
_SCHEMES = ("postgres://", "postgresql://")
_GO_ONLY = frozenset({"binary_parameters", "disable_prepared_binary_result", "sslinline"})


def parse_postgres_dsn(dsn: str) -> dict[str, str]:
    """Return the words of a DSN.

    Raises:
        UnavailableError: it has neither form. The sentence shows nothing of it.
    """
    try:
        words = dict(_of_address(dsn) if dsn.startswith(_SCHEMES) else _of_words(dsn))
    except ValueError:
        raise UnavailableError(
            "postgres: the dsn cannot be read: write postgres://user:password@host:port/database"
            " (with %40 for @ and its like), or host=… user=… password='…' dbname=…"
        ) from None
    return {name: value for name, value in words.items() if name not in _GO_ONLY}


def with_defaults(words: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the words with what Go's driver assumes where nothing is said."""
    defaults = {}
    if "service" not in words and "PGSERVICE" not in environ:
        defaults["host"] = environ.get("PGHOST", "localhost")
        defaults["sslmode"] = environ.get("PGSSLMODE", "require")
    return {**defaults, **words}


def _of_address(dsn: str) -> Iterator[tuple[str, str]]:
    address = urlsplit(dsn)
    userinfo, _, hosts = address.netloc.rpartition("@")
    user, colon, password = userinfo.partition(":")
    pairs = [_split_port(host) for host in hosts.split(",")]
    yield from _given("host", ",".join(unquote(host) for host, _ in pairs))
    yield from _given("port", ",".join(port for _, port in pairs))
    yield from _given("user", unquote(user))
    if colon:
        yield "password", unquote(password)
    yield from _given("dbname", unquote(address.path.removeprefix("/")))
    yield from parse_qsl(address.query, keep_blank_values=True, strict_parsing=bool(address.query))


def _split_port(host: str) -> tuple[str, str]:
    if host.startswith("["):
        inner, _, rest = host[1:].partition("]")
        return inner, rest.removeprefix(":")
    name, _, port = host.partition(":")
    return name, port


def _given(name: str, value: str) -> Iterator[tuple[str, str]]:
    if value.strip(","):
        yield name, value


def _of_words(dsn: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(dsn):
        word = _WORD.match(dsn, place)
        if word is None:
            raise ValueError
        name, quoted, bare = word.groups()
        yield name, re.sub(r"\\(.)", r"\1", quoted if quoted is not None else bare)
        place = word.end()
