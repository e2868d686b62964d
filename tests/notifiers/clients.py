"""What notifiers need from outside, for real, without a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checkup import http
from checkup.errors import UnavailableError
from checkup.ports import Answer


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
        self, url: str, body: bytes, headers: Mapping[str, str], *, timeout: float = 4.0
    ) -> Answer:
        return http.post(url, body, headers, min(timeout, self._timeout))
