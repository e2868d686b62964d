"""What adapters are given of the world outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from msgspec import Struct


class HttpResponse(Struct, frozen=True):
    """What an HTTP service answered; ``headers`` has lower-case names."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class Clients(Protocol):
    """What adapters need from outside, made in one place."""

    def secret(self, value: str) -> str:
        """Return what a secret or a reference to one stands for.

        Raises:
            UnavailableError: the reference leads nowhere.
        """
        ...

    def aws(self, service: str, **options: Any) -> Any:  # noqa: ANN401 - boto3 has no static type
        """Return a client of an AWS service; ``options`` are those of ``boto3.client``.

        Raises:
            UnavailableError: the extra is not installed.
        """
        ...

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        method: str = "POST",
        timeout: float = 4.0,
    ) -> HttpResponse:
        """Send one HTTP POST, follow no redirect, and return the answer.

        Args:
            method: another than POST.
            timeout: seconds for the whole exchange.

        Raises:
            Refused: it certainly did not arrive (name, connection, certificate).
            DeliveryUnknownError: it was sent and no answer came.
        """
        ...

    def request(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], *, timeout: float
    ) -> HttpResponse:
        """Do any HTTP request as :meth:`post` does, and return the whole answer."""
        ...
