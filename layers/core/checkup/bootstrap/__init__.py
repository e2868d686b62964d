"""From a configuration and an environment to the objects that do the work.

The only place that creates clients. Libraries that are slow to import or optional are imported
by the function that needs them.
"""

from __future__ import annotations

from checkup.bootstrap.clients import LiveClients, make_clients
from checkup.bootstrap.configs import (
    adapt_config,
    read_config,
    registered_kinds,
    run_deadline_seconds,
)
from checkup.bootstrap.deployed import ActiveConfig, DeployedConfigReader
from checkup.bootstrap.storages import open_stack_storage, open_storage, s3_client
from checkup.bootstrap.wiring import history_store, open_channels, run_context, secret_masker

__all__ = [
    "ActiveConfig",
    "DeployedConfigReader",
    "LiveClients",
    "adapt_config",
    "history_store",
    "make_clients",
    "open_channels",
    "open_stack_storage",
    "open_storage",
    "read_config",
    "registered_kinds",
    "run_context",
    "run_deadline_seconds",
    "s3_client",
    "secret_masker",
]
