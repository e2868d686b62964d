"""Keeps checkers inside a Lambda function away from what only the function itself can reach.

There the loopback is the runtime's own interface, from which events and the function's
credentials can be had, and a name that leads to it would make the monitor ask for them. What is
judged is the address that is connected to, not the name, so it cannot change in between. Private
networks are what an internal monitor is for, and on a machine of one's own all is allowed.

``ALLOW_ADDRESSES`` names networks that may be checked nevertheless, with commas between them. The
runtime's own interface and that of AWS's extension for secrets are never among them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, TypeVar

from checkup.errors import CheckUnknownError

_Family = TypeVar("_Family")
_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network
SMTP_PORT = 25

_SECRETS = 2773
"""Where AWS's extension for parameters and secrets listens in a function's environment."""

_REFUSED = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",  # this network (RFC 6890)
        "127.0.0.0/8",
        "169.254.0.0/16",  # the metadata of an instance among them
        "224.0.0.0/3",  # multicast, reserved and broadcast
        "::/128",
        "::1/128",
        "fe80::/10",
        "fec0::/10",  # site-local, gone since RFC 3879
        "ff00::/8",
        "fd00:ec2::/32",  # AWS's own services in IPv6
    )
)

_CARRIERS = tuple(
    (ip_network(network), shift)
    for network, shift in (
        ("::/96", 0),  # IPv4-compatible
        ("::ffff:0:0/96", 0),  # IPv4-mapped
        ("::ffff:0:0:0/96", 0),  # IPv4-translated
        ("64:ff9b::/96", 0),  # NAT64
        ("64:ff9b:1::/48", 0),  # NAT64 of a local network
        ("2002::/16", 80),  # 6to4
    )
)
"""IPv6 networks whose addresses lead to an IPv4 address, and how far from their end it stands."""


def allowed_addresses(
    addresses: Sequence[tuple[_Family, tuple[Any, ...]]],
) -> Sequence[tuple[_Family, tuple[Any, ...]]]:
    """Return the socket addresses that may be connected to from here.

    Raises:
        CheckUnknownError: there were some, and none of them may.
    """
    rules = _rules()
    if rules is None:
        return addresses
    found = [entry for entry in addresses if rules.permit(str(entry[1][0]), entry[1][1])]
    if addresses and not found:
        raise CheckUnknownError(
            "address_refused", "this address may not be checked from a function"
        )
    return found


def is_port_blocked(port: int) -> bool:
    """Say whether what is sent from here to this port of the internet vanishes.

    AWS drops it for port 25, unless an account has asked to be able to send mail
    (https://repost.aws/knowledge-center/ec2-port-25-throttle).
    """
    return port == SMTP_PORT and "AWS_LAMBDA_FUNCTION_NAME" in os.environ


class _Rules:
    """What may be connected to.

    Args:
        allowed: the networks that somebody has named.
        runtime: host and port of the runtime's interface.
    """

    def __init__(self, allowed: Sequence[_Network], runtime: str) -> None:
        host, _, port = runtime.rpartition(":")
        self._allowed = allowed
        self._own = host.strip("[]")
        self._closed = {port, str(_SECRETS)}

    def permit(self, text: str, port: int) -> bool:
        host, _, _zone = text.partition("%")
        address = ip_address(host)
        meant = {address, *_carried(address)}
        if host != self._own and not any(_within(one, _REFUSED) for one in meant):
            return True
        return any(_within(one, self._allowed) for one in meant) and str(port) not in self._closed


def _rules() -> _Rules | None:
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return None
    runtime = os.environ.get("AWS_LAMBDA_RUNTIME_API", "")
    return _made(os.environ.get("ALLOW_ADDRESSES", ""), runtime)


@lru_cache(maxsize=4)
def _made(allowed: str, runtime: str) -> _Rules:
    try:
        networks = [ip_network(part.strip()) for part in allowed.split(",") if part.strip()]
    except ValueError as error:
        sentence = "ALLOW_ADDRESSES is no list of networks such as 10.0.0.0/8"
        raise CheckUnknownError("config", sentence) from error
    return _Rules(networks, runtime)


def _carried(address: _Address) -> list[IPv4Address]:
    """Return the IPv4 addresses that this one leads to by way of a translator."""
    return [
        IPv4Address(int(address) >> shift & 0xFFFFFFFF)
        for network, shift in _CARRIERS
        if address in network
    ]


def _within(address: _Address, networks: Sequence[_Network]) -> bool:
    return any(address in network for network in networks)
