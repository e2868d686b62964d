"""What adapters reach the world with: secrets, AWS and HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from checkup import secrets
from checkup.config.settings import Config
from checkup.errors import UnavailableError
from checkup.ports import HttpResponse

if TYPE_CHECKING:
    from checkup.http import ConnectionPool

_PROBLEMS: Final = {
    "NoRegionError": "no region of AWS is known; set AWS_REGION, or name one with --region",
    "InvalidRegionError": "there is no such region of AWS; see AWS_REGION, or --region",
    "ProfileNotFound": "there is no such profile in your AWS configuration",
}

_REFUSALS: Final = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}


class LiveClients:
    """The real thing behind the port: secrets, AWS and HTTP as this process reaches them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._vault = secrets.SecretResolver(environ, self.aws)

    def secret(self, value: str) -> str:
        """Resolve a secret, as :meth:`checkup.ports.Clients.secret` says."""
        return self._vault.resolve(value)

    @property
    def known_secrets(self) -> bool:
        """Whether secrets are remembered that somebody may have rotated meanwhile."""
        return self._vault.known

    def forget_secrets(self) -> None:
        """Look every secret up anew when it is used next, for one may have been rotated."""
        self._vault.forget()

    def aws(self, service: str, **options: Any) -> Any:  # noqa: ANN401 - boto3 has no static type
        """Make a client of AWS, as :meth:`checkup.ports.Clients.aws` says.

        An empty option means that it is not configured: boto3 then looks in the environment.
        """
        try:
            from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - slow, and an extra
        except ImportError as error:
            hint = f"{service}: needs the extra for AWS; run: pip install 'checkup[aws]'"
            raise UnavailableError(hint) from error
        given = {name: option for name, option in options.items() if option not in ("", None)}
        try:
            return self._session.client(service, **given)
        except (BotoCoreError, ValueError) as error:
            name = type(error).__name__
            problem = _PROBLEMS.get(name, f"no client for AWS ({name})")
            raise UnavailableError(f"{service}: {problem}") from error

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        method: str = "POST",
        timeout: float = 4.0,
    ) -> HttpResponse:
        """Send one HTTP POST, as :meth:`checkup.ports.Clients.post` says."""
        from checkup import http  # noqa: PLC0415 - brings in the HTTP libraries

        return self._noticed(http.post(url, body, headers, timeout, method))

    def request(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], *, timeout: float
    ) -> HttpResponse:
        """Do any HTTP request, as :meth:`checkup.ports.Clients.request` says."""
        return self._noticed(self._lines.request(method, url, body, headers, timeout))

    def _noticed(self, answer: HttpResponse) -> HttpResponse:
        """Return the answer; one that refuses whoever asks may be meant for an old secret."""
        if answer.status in _REFUSALS:
            self.forget_secrets()
        return answer

    @cached_property
    def _lines(self) -> ConnectionPool:
        """Connections that are kept for as long as these clients are."""
        from checkup.http import ConnectionPool  # noqa: PLC0415 - brings in the HTTP libraries

        return ConnectionPool()

    @cached_property
    def _session(self) -> Any:  # noqa: ANN401 - boto3 has no static type
        """One session, for it reads the service models and finds the credentials."""
        import boto3  # noqa: PLC0415 - slow to import, and an extra

        # boto3 itself reads only AWS_DEFAULT_REGION.
        return boto3.session.Session(region_name=self._environ.get("AWS_REGION"))


def make_clients(config: Config, environ: Mapping[str, str]) -> LiveClients:  # noqa: ARG001
    """Return what the adapters of this configuration need from outside."""
    return LiveClients(environ)
