"""The four interfaces: Checker, Storage, Notifier and Publisher.

A kind of checker, storage, notifier or publisher is one file that implements one of these and one
line in the registry of its package. The settings classes are the configuration: fields are named
like the keys of checkup.json, and their descriptions are the documentation.
"""

from __future__ import annotations

from checkup.interfaces.backends import (
    BulkDelete,
    Clients,
    ConcurrentReads,
    HttpResponse,
    LockState,
    Notification,
    Notifier,
    NotifierSettings,
    PageFile,
    PageVersion,
    Provisionable,
    ProvisionStep,
    Publisher,
    PublisherSettings,
    Storage,
    StorageSettings,
    StoredDocument,
)
from checkup.interfaces.checker import Checker, CheckerContext, Network, NetworkChecker

__all__ = [
    "BulkDelete",
    "Checker",
    "CheckerContext",
    "Clients",
    "ConcurrentReads",
    "HttpResponse",
    "LockState",
    "Network",
    "NetworkChecker",
    "Notification",
    "Notifier",
    "NotifierSettings",
    "PageFile",
    "PageVersion",
    "ProvisionStep",
    "Provisionable",
    "Publisher",
    "PublisherSettings",
    "Storage",
    "StorageSettings",
    "StoredDocument",
]
