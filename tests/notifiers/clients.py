"""What notifiers need from outside, for real, without a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import boto3

from checkup import http
from checkup.errors import UnavailableError
from checkup.interfaces import HttpResponse


class DirectClients:
    """Posts with our own HTTP client; secrets are what they are, references lead nowhere."""

    def __init__(self, timeout: float = 4.0) -> None:
        self._timeout = timeout

    def secret(self, value: str) -> str:
        if value.startswith("env:"):
            raise UnavailableError(f"{value}: there is nothing under that name")
        return value

    def aws(self, service: str, **options: Any) -> Any:
        raise UnavailableError(f"{service}: not here {sorted(options)}")

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        method: str = "POST",
        timeout: float = 4.0,
    ) -> HttpResponse:
        return http.post(url, body, headers, min(timeout, self._timeout), method)

    def request(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], *, timeout: float
    ) -> HttpResponse:
        return http.request(method, url, body, headers, min(timeout, self._timeout))


class RoutedClients(DirectClients):
    """Leads what is meant for a provider to one server; the provider's name begins the path.

    Args:
        url: of the server.
    """

    def __init__(self, url: str, timeout: float = 4.0) -> None:
        super().__init__(timeout)
        self._url = url

    def aws(self, service: str, **options: Any) -> Any:
        session: Any = boto3.session.Session(
            aws_access_key_id="AKIASECRET", aws_secret_access_key="secretsecret"
        )
        return session.client(service, endpoint_url=self._url, **options)

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        method: str = "POST",
        timeout: float = 4.0,
    ) -> HttpResponse:
        address = urlsplit(url)
        if address.scheme == "https":
            url = f"{self._url}/{address.netloc}{address.path}"
        return super().post(url, body, headers, method=method, timeout=timeout)
