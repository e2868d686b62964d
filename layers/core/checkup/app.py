"""From a configuration and an environment to the objects that do the work.

The only place that creates clients. Libraries that are slow to import or optional are imported
by the function that needs them.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cache, cached_property, partial
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
from checkup.config.settings import Config, Kinds, evaluation_rules
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
from checkup.notifiers.base import (
    channel_problems,
    component_urls,
    open_notifiers,
    open_notifiers_with_fallbacks,
)
from checkup.pipeline import RunContext, read_state
from checkup.pipeline.context import HeartbeatPing, UnrecordedStates
from checkup.run_store import settled_key
from checkup.storage import STORAGES
from checkup.text import did_you_mean, mask_address
from checkup.times import SECOND

if TYPE_CHECKING:
    from checkup.http import ConnectionPool

_log = logging.getLogger(__name__)


# The environment, and what adapters reach the world with: secrets, AWS and HTTP.


_PROBLEMS: Final = {
    "NoRegionError": "no region of AWS is known; set AWS_REGION, or name one with --region",
    "InvalidRegionError": "there is no such region of AWS; see AWS_REGION, or --region",
    "ProfileNotFound": "there is no such profile in your AWS configuration",
}

_REFUSALS: Final = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}


class Environment(Struct, frozen=True, kw_only=True):
    """What the environment says about the place where this process runs.

    Attributes:
        region_name: of this machine among the configured ``regions`` (``CHECKUP_REGION``).
        aws_region: of the function, or the one to use (``AWS_REGION``).
        is_function: this is a function of Lambda.
        state_bucket: of a deployed stack; empty outside of one.
        home_region: where that bucket is, if the stack only votes in another one's storage.
        page_url: of the stack's page.
        run_deadline: the time limit of a run in the stack, in seconds; empty outside of one.
        config_bucket, config_key: the object that holds the stack's configuration, if any.
    """

    region_name: str = ""
    aws_region: str = ""
    is_function: bool = False
    state_bucket: str | None = None
    home_region: str = ""
    page_url: str = ""
    run_deadline: str = ""
    config_bucket: str = ""
    config_key: str = ""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Environment:
        """Read the variables."""
        return cls(
            region_name=environ.get("CHECKUP_REGION", "").strip(),
            aws_region=environ.get("AWS_REGION", ""),
            is_function="AWS_LAMBDA_FUNCTION_NAME" in environ,
            state_bucket=environ.get("STATE_BUCKET"),
            home_region=environ.get("HOME_REGION", ""),
            page_url=environ.get("PAGE_URL", ""),
            run_deadline=environ.get("RUN_DEADLINE", ""),
            config_bucket=environ.get("CONFIG_BUCKET", ""),
            config_key=environ.get("CONFIG_KEY", ""),
        )

    @property
    def is_stack(self) -> bool:
        """Whether runs belong to a deployed stack."""
        return self.state_bucket is not None


class LiveClients(Clients):
    """Secrets, AWS and HTTP as this process reaches them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._secrets = secrets.SecretResolver(environ, self.aws)

    def secret(self, value: str) -> str:
        """Resolve a secret, as :meth:`checkup.interfaces.Clients.secret` says."""
        return self._secrets.resolve(value)

    @property
    def has_cached_secrets(self) -> bool:
        """Whether secrets are remembered that somebody may have rotated meanwhile."""
        return self._secrets.has_cached

    def clear_secrets(self) -> None:
        """Resolve every secret again when it is used next: one may have been rotated."""
        self._secrets.clear_cache()

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

        return self._forget_refused_secrets(http.post(url, body, headers, timeout, method))

    def request(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], *, timeout: float
    ) -> HttpResponse:
        """Do any HTTP request, as :meth:`checkup.interfaces.Clients.request` says."""
        return self._forget_refused_secrets(
            self._connections.request(method, url, body, headers, timeout)
        )

    def _forget_refused_secrets(self, answer: HttpResponse) -> HttpResponse:
        """Return the response; if it denies access, a secret may have been rotated."""
        if answer.status in _REFUSALS:
            self.clear_secrets()
        return answer

    @cached_property
    def _connections(self) -> ConnectionPool:
        """Connections that are kept for as long as these clients are."""
        from checkup.http import ConnectionPool  # brings in the HTTP libraries

        return ConnectionPool()

    @cached_property
    def _session(self) -> Any:
        """One session, for it reads the service models and finds the credentials."""
        import boto3  # slow to import, and an extra

        # boto3 itself reads only AWS_DEFAULT_REGION.
        return boto3.session.Session(region_name=Environment.of(self._environ).aws_region or None)


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
    if Environment.of(environ).state_bucket:
        if config.storage is not None:
            _log.info("the bucket of the stack replaces the configured storage")
        return open_stack_storage(clients, environ)
    return config.storage.open(clients) if config.storage is not None else None


def open_stack_storage(clients: Clients, environ: Mapping[str, str]) -> Storage:
    """Return the storage in the state bucket of a deployed stack (``STATE_BUCKET``).

    Where the stack only votes, that is the bucket of another one (in ``HOME_REGION``).
    """
    from checkup.storage.s3 import S3Storage  # only in a stack

    stack = Environment.of(environ)
    client = s3_client(clients, stack.home_region)
    return S3Storage(client, stack.state_bucket or "", runs_prefix="runs/")


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
    here, clients = Environment.of(environ), make_clients(config, environ)
    context = CheckerContext(
        storage=_once(lambda: open_storage(config, clients, environ)),
        s3=_once(lambda: s3_client(clients)),
        allows_exec=not here.is_function,
    )
    seconds = here.run_deadline
    return replace(
        config,
        checkers=tuple(checker.with_context(context) for checker in config.checkers),
        run_deadline=int(float(seconds) * SECOND) if seconds else config.run_deadline,
        publish=() if here.is_stack else config.publish,
    )


def run_deadline_seconds(config: Config) -> float:
    """Return how long a run may take."""
    return config.run_deadline / SECOND


def _once(make: Callable[[], Made]) -> Callable[[], Made]:
    """Return a function that makes a thing on first use, and only once in all threads."""
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
"""The region of runs that somebody adds to those of several regions; it has no vote."""

VOTE_GRACE: Final = 30 * SECOND
"""How long after its run deadline a machine that votes may still store its run."""


def run_context(
    config: Config,
    environ: Mapping[str, str],
    *,
    storage: Storage | None = None,
    config_version: str = "",
    region: str | None = None,
) -> RunContext:
    """Return everything that a storing run needs.

    Args:
        storage: used in place of the configured one.
        config_version: the version of the object that the configuration was read from.
        region: the name of this machine among ``regions``, in place of the environment's.

    Raises:
        UnavailableError: no storage is configured, or it cannot be used.
        StorageError: the storage cannot be reached.
    """
    here, clients = Environment.of(environ), make_clients(config, environ)
    opened = storage if storage is not None else open_storage(config, clients, environ)
    if opened is None:
        raise UnavailableError("no storage configured")
    named = dict(zip(channel_names(config.notifiers), config.notifiers, strict=True))
    region = _region(config, here) if region is None else region
    shares_slots = bool(config.regions) and not here.is_stack
    page_url = config.page.url or here.page_url
    context = RunContext(
        checkers=config.checkers,
        storage=opened,
        channels={
            name: SecretRotationRetry(channel, clients)
            for name, channel in open_notifiers_with_fallbacks(config.notifiers, clients).items()
        },
        routes={name: Route.of(settings) for name, settings in named.items()},
        max_alerts={name: settings.max_alerts for name, settings in named.items()},
        channel_problems=lambda: channel_problems(config.notifiers, clients),
        unrecorded=UnrecordedStates(f"{config.path} {config.digest}"),
        region=region,
        regions=config.regions,
        machine="" if here.is_stack else here.region_name or socket.gethostname(),
        page_url=page_url,
        component_urls=partial(
            component_urls, config.checkers, page_url, opened, config.page.id, config.page.url
        ),
        timezone=config.page.timezone,
        mask=secret_masker(config),
        secret=clients.secret,
        clear_secrets=clients.clear_secrets,
        retention=_retention(config, here),
        concurrency=config.concurrency,
        interval=config.interval,
        timestamp=config.timestamp,
        scheduled=here.is_stack or shares_slots,
        quorum=config.quorum,
        reference_targets=config.reference_targets,
        maintenance=tuple(planned.window for planned in config.maintenance),
        heartbeat=_heartbeat(config, clients, region),
        config_version=config_version,
        digest=config.digest,
        target_digests=config.checker_digests,
    )
    return replace(context, grace=config.run_deadline + VOTE_GRACE) if shares_slots else context


def _region(config: Config, here: Environment) -> str:
    """Return the region of the runs from here: that of a stack's function, or of this machine.

    Whoever runs checks in place of a stack's functions has no vote in it.
    """
    if not here.is_stack and not here.is_function:
        return here.region_name if config.regions else ""
    if here.is_function:
        return here.aws_region if config.regions else ""
    return MANUAL_REGION


def require_region(context: RunContext) -> None:
    """Check that the runs of this machine have a vote, where ``regions`` are configured.

    Raises:
        CheckupError: this machine has no name, or one that is not among them.
    """
    if not context.regions or context.region in {*context.regions, MANUAL_REGION}:
        return
    names = ", ".join(context.regions)
    if not context.region:
        raise CheckupError(
            f"regions are configured, but not which of them this machine is; set CHECKUP_REGION"
            f" to one of: {names}"
        )
    hint = did_you_mean(context.region, context.regions)
    raise CheckupError(
        "; ".join(filter(None, [f'no region "{context.region}" in regions ({names})', hint]))
    )


def history_store(config: Config, storage: Storage, now: int) -> HistoryStore:
    """Return what counts the history of all runs that are settled by now."""
    end = settled_key(read_state(storage).cursor, now)
    rules = evaluation_rules(config, load_all_incidents(storage))
    return HistoryStore(storage=storage, rules=rules, end=end, lag=0)


def open_channels(config: Config, environ: Mapping[str, str]) -> dict[str, Notifier]:
    """Return every configured channel on its own, by its name."""
    return open_notifiers(config.notifiers, make_clients(config, environ))


def secret_masker(config: Config) -> Callable[[str], str]:
    """Return the function that hides the secrets of this configuration in a text."""

    def mask(text: str) -> str:
        return mask_address(text, config.masked_values)

    return mask


def _retention(config: Config, here: Environment) -> int:
    """Return how long runs are kept; in a stack the bucket sees to that, and we may not delete."""
    return 0 if config.storage is None or here.is_stack else config.storage.check_expiry


def _heartbeat(
    config: Config, clients: LiveClients, region: str
) -> Callable[[], AbstractContextManager[None]]:
    """Return what reports complete runs; runs without a vote are not reported."""
    if not config.heartbeat_url or region == MANUAL_REGION:
        return nullcontext
    return HeartbeatPing(config.heartbeat_url, clients).during_run


def require_storage(config: Config) -> Storage:
    """Return the storage of this configuration.

    Raises:
        CheckupError: there is none, or it cannot be used.
    """
    storage = open_storage(config, make_clients(config, os.environ), os.environ)
    if storage is None:
        raise CheckupError("no storage configured")
    return storage
