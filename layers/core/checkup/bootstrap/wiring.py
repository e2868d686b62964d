"""A configuration, wired to the objects that do the work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from checkup.alerting.routing import channel_names, route
from checkup.archive import HistoryStore, setting_of, settled_key
from checkup.bootstrap.clients import LiveClients, make_clients
from checkup.bootstrap.rotation import SecretRotationRetry
from checkup.bootstrap.storages import open_storage
from checkup.config.settings import Config
from checkup.errors import UnavailableError
from checkup.notifiers.channels import open_notifiers, open_notifiers_with_fallbacks
from checkup.ports import Notifier, Storage
from checkup.protocol import RunContext, read_state
from checkup.protocol.announcing import load_all_incidents
from checkup.protocol.lifesign import HeartbeatPing
from checkup.redaction import mask_address

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
        routes={name: route(settings) for name, settings in named.items()},
        most={name: settings.most for name, settings in named.items()},
        region=_region(config, environ),
        regions=config.regions,
        page_url=config.page.url or environ.get("PAGE_URL", ""),
        mask=secret_masker(config),
        secret=clients.secret,
        forget_secrets=clients.forget_secrets,
        check_expiry=_check_expiry(config, environ),
        concurrency=config.concurrency,
        interval=config.interval,
        timestamp=config.timestamp,
        scheduled="STATE_BUCKET" in environ,
        quorum=config.quorum,
        reference_targets=config.reference_targets,
        maintenance=tuple(planned.window for planned in config.maintenance),
        alive=_alive(config, clients, environ),
        config_version=config_version,
        digest=config.digest,
        definitions=config.definitions,
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
        return mask_address(text, config.masks)

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
    return HeartbeatPing(config.heartbeat_url, clients).around


def _region(config: Config, environ: Mapping[str, str]) -> str:
    """Name the place that looks: a stack's region, if regions vote; a single machine has none.

    Whoever looks in place of a stack's functions has no vote in it.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" in environ:
        return environ.get("AWS_REGION", "") if config.regions else ""
    return MANUAL_REGION if "STATE_BUCKET" in environ else ""
