"""A configuration, wired to the objects that do the work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from checkup.alerting.routing import names, route
from checkup.archive import Keeper, setting_of, settled
from checkup.bootstrap.clients import LiveClients, make_clients
from checkup.bootstrap.rotation import SecondTry
from checkup.bootstrap.storages import open_storage
from checkup.config.settings import Config
from checkup.errors import UnavailableError
from checkup.notifiers.channels import open_all, open_each
from checkup.ports import Notifier, Storage
from checkup.protocol import Monitor, read_head
from checkup.protocol.announcing import all_announcements
from checkup.protocol.lifesign import LifeSign
from checkup.redaction import mask_address

BY_HAND: Final = "by-hand"
"""The region of runs that somebody adds to those of a stack."""


def make_monitor(
    config: Config,
    environ: Mapping[str, str],
    *,
    storage: Storage | None = None,
    config_version: str = "",
) -> Monitor:
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
    named = dict(zip(names(config.notifiers), config.notifiers, strict=True))
    return Monitor(
        checkers=config.checkers,
        storage=place,
        channels={
            name: SecondTry(channel, clients)
            for name, channel in open_all(config.notifiers, clients).items()
        },
        routes={name: route(settings) for name, settings in named.items()},
        most={name: settings.most for name, settings in named.items()},
        region=_region(config, environ),
        regions=config.regions,
        page_url=config.page.url or environ.get("PAGE_URL", ""),
        mask=mask_with(config),
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


def make_keeper(config: Config, storage: Storage, now: int) -> Keeper:
    """Return what counts the history of all runs that are settled by now."""
    end = settled(read_head(storage).cursor, now)
    setting = setting_of(config, all_announcements(storage))
    return Keeper(storage=storage, setting=setting, end=end, lag=0)


def open_channels(config: Config, environ: Mapping[str, str]) -> dict[str, Notifier]:
    """Return every configured channel on its own, by its name."""
    return open_each(config.notifiers, make_clients(config, environ))


def mask_with(config: Config) -> Callable[[str], str]:
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
    if not config.heartbeat_url or _region(config, environ) == BY_HAND:
        return nullcontext
    return LifeSign(config.heartbeat_url, clients).around


def _region(config: Config, environ: Mapping[str, str]) -> str:
    """Name the place that looks: a stack's region, if regions vote; a single machine has none.

    Whoever looks in place of a stack's functions has no vote in it.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" in environ:
        return environ.get("AWS_REGION", "") if config.regions else ""
    return BY_HAND if "STATE_BUCKET" in environ else ""
