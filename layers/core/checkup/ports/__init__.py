"""The four seams: Checker, Storage, Notifier and Publisher.

A kind of checker, storage, notifier or publisher is one file that fills one of these and one line
in the registry of its package. The settings classes are the configuration: what a key is called
in checkup.json, a field is called here, and its description is the documentation.
"""

from checkup.ports.checker import Checker, CheckerContext
from checkup.ports.clients import Clients, HttpResponse
from checkup.ports.notifier import Notification, Notifier, NotifierSettings
from checkup.ports.publisher import PageFile, PageVersion, Publisher, PublisherSettings
from checkup.ports.storage import (
    BulkDelete,
    ConcurrentReads,
    LockState,
    Provisionable,
    ProvisionStep,
    Storage,
    StorageSettings,
    StoredDocument,
)

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
