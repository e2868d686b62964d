"""The configuration, as it counts in the place where this process runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from threading import Lock
from typing import TypeVar

from msgspec.structs import replace

from checkup import config as configuration
from checkup.bootstrap.clients import make_clients
from checkup.bootstrap.publishers import PUBLISHERS
from checkup.bootstrap.storages import open_storage, s3_client
from checkup.checkers import CHECKERS
from checkup.config.settings import Config, Kinds
from checkup.model import SECOND
from checkup.notifiers import NOTIFIERS
from checkup.ports import CheckerContext
from checkup.storage import STORAGES

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
        checkers=tuple(checker.placed(place) for checker in config.checkers),
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
        runs_programs="AWS_LAMBDA_FUNCTION_NAME" not in environ,
    )


def _once(make: Callable[[], Made]) -> Callable[[], Made]:
    """Return what makes a thing when it is first asked for, and only once in all threads."""
    lock, cached = Lock(), cache(make)

    def get() -> Made:
        with lock:
            return cached()

    return get
