"""From a configuration and an environment to the objects that do the work.

The only place that creates clients. Libraries that are slow to import or optional are imported
by the function that needs them.
"""

from __future__ import annotations

from checkup.bootstrap.clients import LiveClients, make_clients
from checkup.bootstrap.configs import kinds, placed, read_config, run_deadline_seconds
from checkup.bootstrap.deployed import Counted, DeployedConfig
from checkup.bootstrap.storages import make_s3, open_storage, stack_storage
from checkup.bootstrap.wiring import make_keeper, make_monitor, mask_with, open_channels

__all__ = [
    "Counted",
    "DeployedConfig",
    "LiveClients",
    "kinds",
    "make_clients",
    "make_keeper",
    "make_monitor",
    "make_s3",
    "mask_with",
    "open_channels",
    "open_storage",
    "placed",
    "read_config",
    "run_deadline_seconds",
    "stack_storage",
]
