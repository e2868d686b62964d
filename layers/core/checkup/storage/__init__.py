"""The kinds of storage. To add one, write its module and add its line here."""

from __future__ import annotations

from typing import Final

from checkup.interfaces import StorageSettings
from checkup.interfaces.kinds import Registry

STORAGES: Final[Registry[StorageSettings]] = Registry(
    {
        "fs": "checkup.storage.folder:FolderSettings",
        "s3": "checkup.storage.s3:S3Settings",
        "github": "checkup.storage.github:GitHubSettings",
        "mysql": "checkup.storage.sql:MySqlSettings",
        "postgres": "checkup.storage.sql:PostgresSettings",
        "sqlite3": "checkup.storage.sql:SqliteSettings",
        "sql": "checkup.storage.sql:SqlSettings",
        "appinsights": "checkup.storage.appinsights:AppInsightsSettings",
    }
)
