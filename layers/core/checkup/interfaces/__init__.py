"""The four seams: Checker, Storage, Notifier and Publisher.

A kind of checker, storage, notifier or publisher is one file that fills one of these and one line
in the registry of its package. The settings classes are the configuration: what a key is called
in checkup.json, a field is called here, and its description is the documentation.
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
from checkup.interfaces.checker import Checker, CheckerContext

__all__ = [
    "BulkDelete",
    "Checker",
    "CheckerContext",
    "Clients",
    "ConcurrentReads",
    "HttpResponse",
    "LockState",
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
