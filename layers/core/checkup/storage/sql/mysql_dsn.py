"""The DSNs of MySQL as Go's driver takes them.

``user:password@tcp(host:port)/database?option=value&…``, or ``unix(/path)`` for ``tcp(…)``. Of
the options, ``tls`` and the variables of the session count; the others adjust Go's driver.

https://github.com/go-sql-driver/mysql#dsn-data-source-name
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, unquote

from msgspec import Struct

from checkup.errors import UnavailableError

_PORT: Final = 3306
_SOCKET: Final = "/tmp/mysql.sock"  # noqa: S108 - what Go's driver assumes
_TLS: Final = frozenset({"true", "false", "skip-verify", "preferred"})
_TRUTHS: Final = {"1": "true", "TRUE": "true", "True": "true", "0": "false", "": "false"}
_HELP: Final = (
    "mysql: the dsn cannot be read: write user:password@tcp(host:3306)/database"
    " or user:password@unix(/path)/database"
)


class MySqlDsn(Struct, frozen=True, kw_only=True):
    """What a DSN says.

    Attributes:
        host, port: where the server listens, unless ``socket`` is the path of its socket.
        tls: ``true``, ``false``, ``skip-verify`` or ``preferred``.
        variables: of the session, in SQL's own notation, such as ``{"time_zone": "'UTC'"}``.
    """

    user: str
    password: str
    host: str = ""
    port: int = _PORT
    socket: str = ""
    database: str
    tls: str = "false"
    variables: dict[str, str] = {}


def parse_mysql_dsn(dsn: str) -> MySqlDsn:
    """Return what the DSN says.

    Raises:
        UnavailableError: it has another form. The sentence shows nothing of it.
    """
    front, slash, back = dsn.rpartition("/")
    if not slash:
        raise UnavailableError(_HELP)
    userinfo, _, server = front.rpartition("@")
    user, _, password = userinfo.partition(":")
    database, _, query = back.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    host, port, socket = _address(server)
    return MySqlDsn(
        user=user,
        password=password,
        host=host,
        port=port,
        socket=socket,
        database=unquote(database),
        tls=_tls(options.get("tls", "")),
        variables={name: value for name, value in options.items() if _is_variable(name)},
    )


def _address(server: str) -> tuple[str, int, str]:
    """Return host, port and socket of ``net(address)``, with Go's defaults."""
    net, bracket, rest = server.partition("(")
    address = rest.removesuffix(")")
    if net not in {"", "tcp", "unix"} or (bracket and address == rest):
        raise UnavailableError(_HELP)
    if net == "unix":
        return "", _PORT, address or _SOCKET
    host, port = _host_and_port(address)
    return host or "127.0.0.1", port, ""


def _host_and_port(address: str) -> tuple[str, int]:
    found = re.fullmatch(r"(?:\[([^\]]*)\]|([^:]*))(?::([0-9]{1,5}))?", address)
    if found is None:
        raise UnavailableError(_HELP)
    return found[1] or found[2] or "", int(found[3] or _PORT)


def _tls(value: str) -> str:
    tls = _TRUTHS.get(value, value.lower())
    if tls not in _TLS:
        raise UnavailableError(
            "mysql: the dsn's tls cannot be read: write true, false, skip-verify or preferred"
        )
    return tls


def _is_variable(name: str) -> bool:
    """Tell a variable of the session from an option of the driver, none of which has a ``_``."""
    return re.fullmatch(r"[a-z]+(?:_[a-z0-9]+)+", name) is not None
