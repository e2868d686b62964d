"""From a configuration and an environment to the objects that do the work.

The only place that creates clients. Libraries that are slow to import or optional are imported
by the function that needs them.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cache, cached_property
from http import HTTPStatus
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from checkup import config as configuration
from checkup import secrets
from checkup.alerting.outbox import Route, channel_names
from checkup.checkers import CHECKERS
from checkup.config.settings import Config, Kinds, setting_of
from checkup.errors import CheckupError, NotDeliveredError, UnavailableError, missing_extra
from checkup.history.store import HistoryStore
from checkup.incidents.store import load_all_incidents
from checkup.interfaces import (
    CheckerContext,
    Clients,
    HttpResponse,
    Notification,
    Notifier,
    PublisherSettings,
    Storage,
)
from checkup.interfaces.kinds import Registry
from checkup.notifiers import NOTIFIERS
from checkup.notifiers.base import open_notifiers, open_notifiers_with_fallbacks
from checkup.pipeline import RunContext, read_state
from checkup.pipeline.context import HeartbeatPing
from checkup.run_store import settled_key
from checkup.storage import STORAGES
from checkup.text import mask_address
from checkup.times import SECOND

if TYPE_CHECKING:
    from checkup.http import ConnectionPool

_log = logging.getLogger(__name__)


# What adapters reach the world with: secrets, AWS and HTTP.


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
        """Resolve a secret, as :meth:`checkup.interfaces.Clients.secret` says."""
        return self._vault.resolve(value)

    @property
    def has_cached_secrets(self) -> bool:
        """Whether secrets are remembered that somebody may have rotated meanwhile."""
        return self._vault.has_cached

    def clear_secrets(self) -> None:
        """Look every secret up anew when it is used next, for one may have been rotated."""
        self._vault.clear_cache()

    def aws(self, service: str, **options: Any) -> Any:
        """Make a client of AWS, as :meth:`checkup.interfaces.Clients.aws` says.

        An empty option means that it is not configured: boto3 then looks in the environment.
        """
        try:
            from botocore.exceptions import BotoCoreError  # slow, and an extra
        except ImportError as error:
            raise UnavailableError(missing_extra(service, "aws")) from error
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
        """Send one HTTP POST, as :meth:`checkup.interfaces.Clients.post` says."""
        from checkup import http  # brings in the HTTP libraries

        return self._noticed(http.post(url, body, headers, timeout, method))

    def request(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], *, timeout: float
    ) -> HttpResponse:
        """Do any HTTP request, as :meth:`checkup.interfaces.Clients.request` says."""
        return self._noticed(self._lines.request(method, url, body, headers, timeout))

    def _noticed(self, answer: HttpResponse) -> HttpResponse:
        """Return the answer; one that refuses whoever asks may be meant for an old secret."""
        if answer.status in _REFUSALS:
            self.clear_secrets()
        return answer

    @cached_property
    def _lines(self) -> ConnectionPool:
        """Connections that are kept for as long as these clients are."""
        from checkup.http import ConnectionPool  # brings in the HTTP libraries

        return ConnectionPool()

    @cached_property
    def _session(self) -> Any:
        """One session, for it reads the service models and finds the credentials."""
        import boto3  # slow to import, and an extra

        # boto3 itself reads only AWS_DEFAULT_REGION.
        return boto3.session.Session(region_name=self._environ.get("AWS_REGION"))


def make_clients(config: Config, environ: Mapping[str, str]) -> LiveClients:  # noqa: ARG001
    """Return what the adapters of this configuration need from outside."""
    return LiveClients(environ)


# The kinds of place for the page. To add one, write its module and add its line here.
#
# They come with the page, which the check function of a stack is deployed without.


PUBLISHERS: Final[Registry[PublisherSettings]] = Registry(
    {
        "fs": "checkup_page.publishers.folder:FolderPublisherSettings",
        "s3": "checkup_page.publishers.s3:S3PublisherSettings",
        "github": "checkup_page.publishers.github:GitHubPublisherSettings",
    }
    if find_spec("checkup_page")
    else {}
)


# Where runs and state are kept: as configured, or in the bucket of a deployed stack.


def open_storage(config: Config, clients: Clients, environ: Mapping[str, str]) -> Storage | None:
    """Return the storage that runs and state are kept in, or None if there is none.

    In a deployed stack the bucket of the stack (``STATE_BUCKET``) replaces the configured one.

    Raises:
        UnavailableError, StorageError: it cannot be used.
    """
    if environ.get("STATE_BUCKET"):
        if config.storage is not None:
            _log.info("the bucket of the stack replaces the configured storage")
        return open_stack_storage(clients, environ)
    return config.storage.open(clients) if config.storage is not None else None


def open_stack_storage(clients: Clients, environ: Mapping[str, str]) -> Storage:
    """Return the storage in the state bucket of a deployed stack (``STATE_BUCKET``).

    Where the stack only votes, that is the bucket of another one (in ``HOME_REGION``).
    """
    from checkup.storage.s3 import S3Storage  # only in a stack

    client = s3_client(clients, environ.get("HOME_REGION", ""))
    return S3Storage(client, environ["STATE_BUCKET"], runs_prefix="runs/")


def s3_client(clients: Clients, region: str = "") -> Any:
    """Return a client of S3 whose calls end within seconds.

    Args:
        region: where the bucket is; empty for the region of this process.

    Raises:
        UnavailableError: there is none.
    """
    from checkup.storage.s3 import s3_client_config  # only where S3 is used

    return clients.aws("s3", config=s3_client_config(), region_name=region)


# The configuration, as it counts in the place where this process runs.


Made = TypeVar("Made")


def registered_kinds() -> Kinds:
    """Return every kind of checker, storage, notifier and publisher that there is here."""
    return Kinds(checkers=CHECKERS, storages=STORAGES, notifiers=NOTIFIERS, publishers=PUBLISHERS)


def read_config(path: str | None, environ: Mapping[str, str]) -> Config:
    """Read the file at ``path``, or the one in the working directory if that is None.

    Raises:
        ConfigError: with every problem that the file has.
    """
    return adapt_config(configuration.load(path, registered_kinds(), environ), environ)


def adapt_config(config: Config, environ: Mapping[str, str]) -> Config:
    """Return the configuration as it counts here.

    Its checkers know where they are: the storage of the runs, and whether this is a machine.
    In a deployed stack the limit of a run is that of the stack (``RUN_DEADLINE``, in seconds), and
    its page is where the stack has it.
    """
    place = _surroundings(config, environ)
    return replace(
        config,
        checkers=tuple(checker.with_context(place) for checker in config.checkers),
        run_deadline=_run_deadline(config, environ),
        publish=None if "STATE_BUCKET" in environ else config.publish,
    )


def run_deadline_seconds(config: Config) -> float:
    """Return how long a run may take."""
    return config.run_deadline / SECOND


def _run_deadline(config: Config, environ: Mapping[str, str]) -> int:
    seconds = environ.get("RUN_DEADLINE")
    return int(float(seconds) * SECOND) if seconds else config.run_deadline


def _surroundings(config: Config, environ: Mapping[str, str]) -> CheckerContext:
    clients = make_clients(config, environ)
    return CheckerContext(
        storage=_once(lambda: open_storage(config, clients, environ)),
        s3=_once(lambda: s3_client(clients)),
        allows_exec="AWS_LAMBDA_FUNCTION_NAME" not in environ,
    )


def _once(make: Callable[[], Made]) -> Callable[[], Made]:
    """Return what makes a thing when it is first asked for, and only once in all threads."""
    lock, cached = Lock(), cache(make)

    def get() -> Made:
        with lock:
            return cached()

    return get


# A second try with a new secret, when the one that was remembered is refused.


class SecretRotationRetry(Struct, frozen=True):
    """A channel whose secret may be rotated at any moment.

    What was refused has certainly not been accepted, so that a second message doubles nothing.
    """

    notifier: Notifier
    clients: LiveClients

    def send(self, notification: Notification) -> None:
        """Deliver a message, as :meth:`checkup.interfaces.Notifier.send` says."""
        known = self.clients.has_cached_secrets
        try:
            self.notifier.send(notification)
        except NotDeliveredError:
            if not known or self.clients.has_cached_secrets:
                raise  # the secret was new, or nobody said that it was wrong
            self.notifier.send(notification)


# A configuration, wired to the objects that do the work.


MANUAL_REGION: Final = "by-hand"
"""The region of runs that somebody adds to those of a stack."""


def run_context(
    config: Config,
    environ: Mapping[str, str],
    *,
    storage: Storage | None = None,
    config_version: str = "",
) -> RunContext:
    """Return everything that a storing run needs.

    Args:
        storage: used in place of the configured one.
        config_version: the version of the object that the configuration was read from.

    Raises:
        UnavailableError: no storage is configured, or it cannot be used.
        StorageError: the storage cannot be reached.
    """
    clients = make_clients(config, environ)
    place = storage if storage is not None else open_storage(config, clients, environ)
    if place is None:
        raise UnavailableError("no storage configured")
    named = dict(zip(channel_names(config.notifiers), config.notifiers, strict=True))
    return RunContext(
        checkers=config.checkers,
        storage=place,
        channels={
            name: SecretRotationRetry(channel, clients)
            for name, channel in open_notifiers_with_fallbacks(config.notifiers, clients).items()
        },
        routes={name: Route.of(settings) for name, settings in named.items()},
        max_alerts={name: settings.max_alerts for name, settings in named.items()},
        region=_region(config, environ),
        regions=config.regions,
        page_url=config.page.url or environ.get("PAGE_URL", ""),
        mask=secret_masker(config),
        secret=clients.secret,
        clear_secrets=clients.clear_secrets,
        check_expiry=_check_expiry(config, environ),
        concurrency=config.concurrency,
        interval=config.interval,
        timestamp=config.timestamp,
        scheduled="STATE_BUCKET" in environ,
        quorum=config.quorum,
        reference_targets=config.reference_targets,
        maintenance=tuple(planned.window for planned in config.maintenance),
        heartbeat=_alive(config, clients, environ),
        config_version=config_version,
        digest=config.digest,
        target_digests=config.checker_digests,
    )


def history_store(config: Config, storage: Storage, now: int) -> HistoryStore:
    """Return what counts the history of all runs that are settled by now."""
    end = settled_key(read_state(storage).cursor, now)
    setting = setting_of(config, load_all_incidents(storage))
    return HistoryStore(storage=storage, setting=setting, end=end, lag=0)


def open_channels(config: Config, environ: Mapping[str, str]) -> dict[str, Notifier]:
    """Return every configured channel on its own, by its name."""
    return open_notifiers(config.notifiers, make_clients(config, environ))


def secret_masker(config: Config) -> Callable[[str], str]:
    """Return the function that hides the secrets of this configuration in a text."""

    def mask(text: str) -> str:
        return mask_address(text, config.masked_values)

    return mask


def _check_expiry(config: Config, environ: Mapping[str, str]) -> int:
    """Return how long runs are kept; in a stack the bucket sees to that, and we may not delete."""
    if config.storage is None or "STATE_BUCKET" in environ:
        return 0
    return config.storage.check_expiry


def _alive(
    config: Config, clients: LiveClients, environ: Mapping[str, str]
) -> Callable[[], AbstractContextManager[None]]:
    """Return what tells of complete runs; who has no vote has none to tell of."""
    if not config.heartbeat_url or _region(config, environ) == MANUAL_REGION:
        return nullcontext
    return HeartbeatPing(config.heartbeat_url, clients).during_run


def _region(config: Config, environ: Mapping[str, str]) -> str:
    """Name the place that looks: a stack's region, if regions vote; a single machine has none.

    Whoever looks in place of a stack's functions has no vote in it.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" in environ:
        return environ.get("AWS_REGION", "") if config.regions else ""
    return MANUAL_REGION if "STATE_BUCKET" in environ else ""


def require_storage(config: Config) -> Storage:
    """Return the storage of this configuration.

    Raises:
        CheckupError: there is none, or it cannot be used.
    """
    storage = open_storage(config, make_clients(config, os.environ), os.environ)
    if storage is None:
        raise CheckupError("no storage configured")
    return storage
