"""Internationalised host names, as DNS, TLS and HTTP have them.

There are two standards, under which some names are different hosts (straße, in IDNA 2003 strasse).
Python's own codec, which ``socket`` and ``ssl`` use, follows the old one. This follows browsers and
curl: IDNA 2008 with the mapping of UTS 46, non-transitional, without the rules that only registries
need. So emoji, underscores and hyphens anywhere are allowed.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

_MAX_LABEL: Final = 63
_JOINERS: Final = "\u200c\u200d"
_FORBIDDEN: Final = re.compile(r"[\x00-\x20\x7f\"#%/:<>?@\[\\\]^`{|}]")
"""What no host may contain after an escape or a mapping (https://url.spec.whatwg.org/#hosts)."""


def ascii_host(host: str) -> str:
    """Return a host name in ASCII: ``xn--bcher-kva.example`` for ``bücher.example``.

    ASCII names and addresses are returned as they are.

    Raises:
        ValueError: it contains a character that no name can have, or a label is too long.
    """
    if host.isascii():
        return host
    import idna  # slow to import

    try:
        mapped = idna.uts46_remap(host, std3_rules=False)
    except idna.IDNAError as error:
        raise ValueError("invalid host name") from error
    if _FORBIDDEN.search(mapped):
        raise ValueError("invalid host name")
    return ".".join(map(_ascii_label, mapped.split(".")))


def ascii_netloc(netloc: str) -> str:
    """Return the ``user:password@host:port`` of a URL with its host in ASCII.

    Raises:
        ValueError: the host is not valid.
    """
    credentials, at, host_port = netloc.rpartition("@")
    host, colon, port = host_port.partition(":")
    if not host.startswith("["):
        unescaped = unquote(host, errors="strict")
        if unescaped != host and _FORBIDDEN.search(unescaped):
            raise ValueError("invalid host name")
        host = ascii_host(unescaped)
    return f"{credentials}{at}{host}{colon}{port}"


def _ascii_label(label: str) -> str:
    if label.isascii():
        return label
    from idna import valid_contextj

    # Joiners count where they change a word; elsewhere curl drops them, and browsers refuse them.
    label = "".join(
        letter
        for position, letter in enumerate(label)
        if letter not in _JOINERS or valid_contextj(label, position)
    )
    encoded = label if label.isascii() else f"xn--{label.encode('punycode').decode()}"
    if len(encoded) > _MAX_LABEL:
        raise ValueError("invalid host name")
    return encoded
