"""The four seams: Checker, Storage, Notifier and Publisher.

A kind of checker, storage, notifier or publisher is one file that fills one of these and one line
in the registry of its package. The settings classes are the configuration: what a key is called
in checkup.json, a field is called here, and its description is the documentation.
"""

from checkup.ports.checker import Checker, Surroundings
from checkup.ports.clients import Answer, Clients
from checkup.ports.notifier import Notification, Notifier, NotifierSettings
from checkup.ports.publisher import Edition, PageFile, Publisher, PublisherSettings
from checkup.ports.storage import (
    DeletesMany,
    Hold,
    Provisionable,
    ReadsAtOnce,
    Step,
    Storage,
    StorageSettings,
    Stored,
)

__all__ = [
    "Answer",
    "Checker",
    "Clients",
    "DeletesMany",
    "Edition",
    "Hold",
    "Notification",
    "Notifier",
    "NotifierSettings",
    "PageFile",
    "Provisionable",
    "Publisher",
    "PublisherSettings",
    "ReadsAtOnce",
    "Step",
    "Storage",
    "StorageSettings",
    "Stored",
    "Surroundings",
]
