"""From a configuration and an environment to the objects that do the work.

The only place that creates clients. Libraries that are slow to import or optional are imported
by the function that needs them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from threading import Lock
from typing import Any, TypeVar

from msgspec.structs import replace

from checkup import config as configuration
from checkup import secrets
from checkup.alerting.routing import names, route
from checkup.checkers import CHECKERS
from checkup.config.settings import Config, Kinds
from checkup.errors import UnavailableError
from checkup.model import SECOND
from checkup.notifiers import NOTIFIERS
from checkup.notifiers.channels import open_all, open_each
from checkup.ports import (
    Answer,
    Clients,
    Notifier,
    Storage,
    Surroundings,
)
from checkup.protocol import Monitor
from checkup.redaction import mask_address
from checkup.storage import STORAGES

_log = logging.getLogger(__name__)

Made = TypeVar("Made")


def kinds() -> Kinds:
    """Return every kind of checker, storage and notifier that a configuration can name."""
    return Kinds(checkers=CHECKERS, storages=STORAGES, notifiers=NOTIFIERS)


def read_config(path: str | None, environ: Mapping[str, str]) -> Config:
    """Read the file at ``path``, or the one in the working directory if that is None.

    Its checkers know where they are: the storage of the runs, and whether this is a machine.
    In a deployed stack the limit of a run is that of the stack (``RUN_DEADLINE``, in seconds).

    Raises:
        ConfigError: with every problem that the file has.
    """
    config = configuration.load(path, kinds(), environ)
    place = _surroundings(config, environ)
    return replace(
        config,
        checkers=tuple(checker.placed(place) for checker in config.checkers),
        run_deadline=_run_deadline(config, environ),
    )


def _run_deadline(config: Config, environ: Mapping[str, str]) -> int:
    seconds = environ.get("RUN_DEADLINE")
    return int(float(seconds) * SECOND) if seconds else config.run_deadline


class LiveClients:
    """The real thing behind the port: secrets, AWS and HTTP as this process reaches them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def secret(self, value: str) -> str:
        """Resolve a secret, as :meth:`checkup.ports.Clients.secret` says."""
        return secrets.resolve(value, self._environ, self.aws)

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
            problem = type(error).__name__
            raise UnavailableError(f"{service}: no client for AWS ({problem})") from error

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, timeout: float = 4.0
    ) -> Answer:
        """Send one HTTP POST, as :meth:`checkup.ports.Clients.post` says."""
        from checkup import http  # noqa: PLC0415 - brings in the HTTP libraries

        return http.post(url, body, headers, timeout)

    def request(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], *, timeout: float
    ) -> Answer:
        """Do any HTTP request, as :meth:`checkup.ports.Clients.request` says."""
        from checkup import http  # noqa: PLC0415 - brings in the HTTP libraries

        return http.request(method, url, body, headers, timeout)

    @cached_property
    def _session(self) -> Any:  # noqa: ANN401 - boto3 has no static type
        """One session, for it reads the service models and finds the credentials."""
        import boto3  # noqa: PLC0415 - slow to import, and an extra

        # boto3 itself reads only AWS_DEFAULT_REGION.
        return boto3.session.Session(region_name=self._environ.get("AWS_REGION"))


def make_clients(config: Config, environ: Mapping[str, str]) -> Clients:  # noqa: ARG001
    """Return what the adapters of this configuration need from outside."""
    return LiveClients(environ)


def open_storage(config: Config, clients: Clients, environ: Mapping[str, str]) -> Storage | None:
    """Return the storage that runs and state are kept in, or None if there is none.

    In a deployed stack the bucket of the stack (``STATE_BUCKET``) replaces the configured one.

    Raises:
        UnavailableError, StorageError: it cannot be used.
    """
    bucket = environ.get("STATE_BUCKET")
    if bucket:
        if config.storage is not None:
            _log.info("the bucket of the stack replaces the configured storage")
        return stack_storage(clients, bucket)
    return config.storage.open(clients) if config.storage is not None else None


def stack_storage(clients: Clients, bucket: str) -> Storage:
    """Return the storage in the state bucket of a deployed stack."""
    from checkup.storage.s3 import S3Storage  # noqa: PLC0415 - only in a stack

    return S3Storage(_s3(clients), bucket, runs_prefix="runs/")


def make_monitor(
    config: Config, environ: Mapping[str, str], *, storage: Storage | None = None
) -> Monitor:
    """Return everything that a storing run needs.

    Args:
        storage: used in place of the configured one.

    Raises:
        UnavailableError: no storage is configured, or it cannot be used.
        StorageError: the storage cannot be reached.
    """
    clients = make_clients(config, environ)
    place = storage if storage is not None else open_storage(config, clients, environ)
    if place is None:
        raise UnavailableError("no storage configured")
    named = dict(zip(names(config.notifiers), config.notifiers, strict=True))
    return Monitor(
        checkers=config.checkers,
        storage=place,
        channels=open_all(config.notifiers, clients),
        routes={name: route(settings) for name, settings in named.items()},
        most={name: settings.most for name, settings in named.items()},
        region=_region(config, environ),
        regions=config.regions,
        page_url=config.page.url or environ.get("PAGE_URL", ""),
        mask=mask_with(config),
        secret=clients.secret,
        check_expiry=_check_expiry(config, environ),
        concurrency=config.concurrency,
        interval=config.interval,
        timestamp=config.timestamp,
        scheduled="AWS_LAMBDA_FUNCTION_NAME" in environ,
        quorum=config.quorum,
        reference_targets=config.reference_targets,
        maintenance=tuple(planned.window for planned in config.maintenance),
    )


def open_channels(config: Config, environ: Mapping[str, str]) -> dict[str, Notifier]:
    """Return every configured channel on its own, by its name."""
    return open_each(config.notifiers, make_clients(config, environ))


def mask_with(config: Config) -> Callable[[str], str]:
    """Return the function that hides the secrets of this configuration in a text."""

    def mask(text: str) -> str:
        return mask_address(text, config.masks)

    return mask


def run_deadline_seconds(config: Config) -> float:
    """Return how long a run may take."""
    return config.run_deadline / SECOND


def _surroundings(config: Config, environ: Mapping[str, str]) -> Surroundings:
    clients = make_clients(config, environ)
    return Surroundings(
        storage=_once(lambda: open_storage(config, clients, environ)),
        s3=_once(lambda: _s3(clients)),
        runs_programs="AWS_LAMBDA_FUNCTION_NAME" not in environ,
    )


def _s3(clients: Clients) -> Any:  # noqa: ANN401 - boto3 has no static type
    from checkup.storage.s3 import client_config  # noqa: PLC0415 - only where S3 is used

    return clients.aws("s3", config=client_config())


def _once(make: Callable[[], Made]) -> Callable[[], Made]:
    """Return what makes a thing when it is first asked for, and only once in all threads."""
    lock, cached = Lock(), cache(make)

    def get() -> Made:
        with lock:
            return cached()

    return get


def _check_expiry(config: Config, environ: Mapping[str, str]) -> int:
    """Return how long runs are kept; in a stack the bucket sees to that, and we may not delete."""
    if config.storage is None or "STATE_BUCKET" in environ:
        return 0
    return config.storage.check_expiry


def _region(config: Config, environ: Mapping[str, str]) -> str:
    """Name the region of a deployed stack; a single machine has none and never votes for one."""
    in_a_stack = "AWS_LAMBDA_FUNCTION_NAME" in environ
    return environ.get("AWS_REGION", "") if config.regions and in_a_stack else ""
