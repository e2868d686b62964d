"""Under which names a server on this machine may be asked.

A page of somebody else, opened on this machine, can let a name of its own lead here and then
read what is served ("DNS rebinding"). Its requests carry that name; a literal address or
``localhost`` cannot be taken over in this way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Self
from urllib.parse import urlsplit

_HOST = re.compile(r"(?:\[([\w:.%]+)\]|([\w.-]+))(?::\d*)?", re.ASCII)


class AllowedHosts:
    """The names that are ours, besides addresses and ``localhost``."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = {_normal(name) for name in names if name}

    @classmethod
    def of(cls, url: str, names: Iterable[str]) -> Self:
        """Return the host of an address, if it has one, and further names."""
        return cls([urlsplit(url).hostname or "", *names])

    def include(self, header: str) -> bool:
        """Say whether the ``Host`` of a request is one of ours; a request without one is."""
        name = _name(header)
        return (
            not header
            or name == "localhost"
            or name.endswith(".localhost")
            or name in self._names
            or _is_address(name)
        )


def _name(header: str) -> str:
    """Return the name, without the port."""
    match = _HOST.fullmatch(header.strip())
    return _normal((match[1] or match[2]) if match else "")


def _normal(name: str) -> str:
    return name.lower().removesuffix(".")


def _is_address(name: str) -> bool:
    try:
        ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True
