"""Keeps checkers in a Lambda function away from addresses that only the function can reach.

There, loopback is the API of the runtime, which gives out events and the function's credentials. A
name that resolves to it would make the monitor request them. The guard checks the address that is
connected to, not the name, so it cannot change in between. Private networks are allowed: an
internal monitor is for them. Outside Lambda everything is allowed.

``ALLOW_ADDRESSES`` lists networks that may be checked nevertheless, separated by commas. The API of
the runtime and that of AWS's extension for secrets are never allowed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final, TypeVar

from checkup.errors import CheckUnknownError

_Family = TypeVar("_Family")
_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network
SMTP_PORT = 25

_SECRETS_PORT: Final = 2773
"""The port of AWS's extension for parameters and secrets."""

_BLOCKED: Final = tuple(
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

_IPV4_IN_IPV6: Final = tuple(
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
"""IPv6 networks whose addresses contain an IPv4 address, and how many bits follow it."""


def allowed_addresses(
    addresses: Sequence[tuple[_Family, tuple[Any, ...]]],
) -> Sequence[tuple[_Family, tuple[Any, ...]]]:
    """Return the socket addresses that may be connected to from here.

    Raises:
        CheckUnknownError: there were some, and none of them may.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return addresses
    runtime = os.environ.get("AWS_LAMBDA_RUNTIME_API", "")
    rules = _rules(os.environ.get("ALLOW_ADDRESSES", ""), runtime)
    found = [entry for entry in addresses if rules.permit(str(entry[1][0]), entry[1][1])]
    if addresses and not found:
        raise CheckUnknownError("address_refused", "a Lambda function may not check this address")
    return found


def is_port_blocked(port: int) -> bool:
    """Whether the network drops what is sent from here to this port of the internet.

    AWS does for port 25, unless it has allowed the account to send mail
    (https://repost.aws/knowledge-center/ec2-port-25-throttle).
    """
    return port == SMTP_PORT and "AWS_LAMBDA_FUNCTION_NAME" in os.environ


class _Rules:
    """Which addresses may be connected to in a function.

    Args:
        allowed: the networks in ``ALLOW_ADDRESSES``.
        runtime: host and port of the runtime's API.
    """

    def __init__(self, allowed: Sequence[_Network], runtime: str) -> None:
        host, _, port = runtime.rpartition(":")
        self._allowed = allowed
        self._runtime_host = host.strip("[]")
        self._closed_ports = {port, str(_SECRETS_PORT)}

    def permit(self, text: str, port: int) -> bool:
        host, _, _zone = text.partition("%")
        address = ip_address(host)
        # An IPv6 address may lead to IPv4 addresses by way of a translator.
        reached: set[_Address] = {address}
        reached |= {
            IPv4Address(int(address) >> shift & 0xFFFFFFFF)
            for network, shift in _IPV4_IN_IPV6
            if address in network
        }
        if host != self._runtime_host and not _overlap(reached, _BLOCKED):
            return True
        return _overlap(reached, self._allowed) and str(port) not in self._closed_ports


@lru_cache(maxsize=4)
def _rules(allowed: str, runtime: str) -> _Rules:
    try:
        networks = [ip_network(part.strip()) for part in allowed.split(",") if part.strip()]
    except ValueError as error:
        sentence = "ALLOW_ADDRESSES must be a list of networks such as 10.0.0.0/8"
        raise CheckUnknownError("config", sentence) from error
    return _Rules(networks, runtime)


def _overlap(addresses: Iterable[_Address], networks: Sequence[_Network]) -> bool:
    return any(address in network for address in addresses for network in networks)
