"""Where runs and state are kept: as configured, or in the bucket of a deployed stack."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from checkup.config.settings import Config
from checkup.ports import Clients, Storage

_log = logging.getLogger(__name__)


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
    from checkup.storage.s3 import S3Storage  # noqa: PLC0415 - only in a stack

    client = s3_client(clients, environ.get("HOME_REGION", ""))
    return S3Storage(client, environ["STATE_BUCKET"], runs_prefix="runs/")


def s3_client(clients: Clients, region: str = "") -> Any:  # noqa: ANN401 - boto3 has no static type
    """Return a client of S3 whose calls end within seconds.

    Args:
        region: where the bucket is; empty for the region of this process.

    Raises:
        UnavailableError: there is none.
    """
    from checkup.storage.s3 import s3_client_config  # noqa: PLC0415 - only where S3 is used

    return clients.aws("s3", config=s3_client_config(), region_name=region)
