"""What is wrong with a configured address, and how to write it.

Whether an address is valid is decided in :mod:`checkup.checkers.network`, as in Go; this module
explains the slip behind an invalid one. No user name, path or query is shown: they may be secret.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final

from checkup.checkers.failures import CheckFailedError
from checkup.checkers.network import parse_http_url, split_host_port
from checkup.errors import CheckUnknownError
from checkup.interfaces.kinds import SettingProblem

_FIELD: Final = "endpoint_url"
_HTTP_SLIP: Final = re.compile(
    r"(https?)(?::/?(?!/)|[;,.]/{0,2}|:///+|//+)(?=[\w\[])", re.IGNORECASE
)
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://", re.IGNORECASE)
_NO_SCHEME: Final = re.compile(
    r"(?:localhost|[\w-]+(?:\.[\w-]+)+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?(?:[/?#]|$)"
)
_NOT_IN_HOSTS: Final = re.compile(r"[\s{}<>\"^|\\`$]")
_QUOTES: Final = tuple("\u201c\u201d\u201e\u2018\u2019'\"")
_PLAIN_HOST: Final = re.compile(r"[A-Za-z0-9_.-]{1,253}")
_SPACES: Final = "starts or ends with white space"
_BAD_PORT: Final = "the port must be a number from 1 to 65535"


def http_url_problem(url: str, ip_version: int = 0) -> SettingProblem | None:
    """Return why no request can be made to a URL; None if one can, or if it is empty."""
    if not url:
        return None
    try:
        parts = parse_http_url(url)
    except (CheckFailedError, CheckUnknownError) as error:
        if url != url.strip():
            return _fatal(_SPACES, "remove it")
        has_scheme = bool(re.match(r"[A-Za-z0-9+.-]+://", url))
        text = str(error).partition(";")[0]
        return _fatal(text if has_scheme else "not an http or https URL", _http_fix(url))
    if url != url.strip():
        return SettingProblem(_FIELD, _SPACES, "remove it")
    if parts.port == 0:
        return _fatal("port 0 cannot be reached", _BAD_PORT)
    return _host_problem(parts.hostname or "", ip_version)


def host_port_problem(address: str, port: int = 0, ip_version: int = 0) -> SettingProblem | None:
    """Return why no connection can be made to ``host:port``; None as for a URL.

    Args:
        port: the usual port of this kind of checker, for the fix; 0 for none.
    """
    if not address:
        return None
    if address != address.strip():
        return _fatal(_SPACES, "remove it")
    if scheme := _SCHEME.match(address):
        rest = re.split(r"[/?#]", address[scheme.end() :], maxsplit=1)[0]
        host, _, number = rest.rpartition("@")[2].partition(":")
        usual = port or {"https": 443, "http": 80}.get(scheme[1].lower(), 0)
        number = number or str(usual or "")
        fix = "write host:port only"
        if _PLAIN_HOST.fullmatch(host) and number.isdecimal():
            fix = f'write it without {scheme[0]}, as "{host}:{number}"'
        return _fatal("is a URL", fix)
    try:
        host, number_found = split_host_port(address)
    except CheckFailedError as error:
        return _fatal(str(error).partition(";")[0], _host_port_fix(address, port))
    if number_found == 0:
        return _fatal("port 0 cannot be reached", _BAD_PORT)
    return _host_problem(host, ip_version)


def _fatal(text: str, fix: str) -> SettingProblem:
    return SettingProblem(_FIELD, text, fix, is_fatal=True)


def _http_fix(url: str) -> str:
    fix = "write it like https://www.example.com/path"
    scheme = _SCHEME.match(url)
    host = re.split(r"[/?#]", url[scheme.end() :])[0].rpartition("@")[2] if scheme else ""
    if url[:1] in _QUOTES:
        fix = "remove the quotation marks that are part of the value"
    elif slip := _HTTP_SLIP.match(url):
        fix = f'begin with "{slip[1].lower()}://"'
    elif not scheme:
        if _NO_SCHEME.match(url):
            fix = 'put "https://" or "http://" in front of it'
    elif scheme[1].lower() not in {"http", "https"}:
        fix = "use http:// or https://; for another protocol, use a checker of type tcp"
    elif re.search(r"%(?![0-9A-Fa-f]{2})", url):
        fix = "write a percent sign as %25"
    elif "[" in host or host.count(":") > 1:
        fix = "write an IPv6 address in brackets: http://[2001:db8::1]:80/"
    elif ":" in host.lstrip(":"):
        fix = _BAD_PORT
    return fix


def _host_port_fix(address: str, port: int) -> str:
    usual = str(port or "port")
    if address.count(":") > 1 and "[" not in address:
        host, _, number = address.rpartition(":")
        for found, shown in ((host, number), (address, usual)):
            if _is_ip(found) and (shown == usual or shown.isdecimal()):
                return f'put the IPv6 address in brackets: "[{found}]:{shown}"'
    if _PLAIN_HOST.fullmatch(address):
        return f'add the port: "{address}:{usual}"'
    host, _, number = address.rpartition(":")
    if "/" in number:
        return "remove what follows the port"
    if number.isalpha():
        return f'this machine knows no service "{number}"; write its port as a number'
    return _BAD_PORT if number.strip("-").isdecimal() else f"write it like host:{usual}"


def _host_problem(host: str, ip_version: int) -> SettingProblem | None:
    if found := _NOT_IN_HOSTS.search(host):
        what = "white space" if found[0].isspace() else f'"{found[0]}"'
        fix = "for an environment variable, write ${NAME}" if found[0] in "${" else "remove it"
        return _fatal(f"a host name cannot contain {what}", fix)
    if ip_version and _is_ip(host) and ip_address(host).version != ip_version:
        text = f"is an IPv{ip_address(host).version} address, and ip_version is {ip_version}"
        return _fatal(text, "remove ip_version")
    return None


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
