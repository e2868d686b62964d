"""Storage in a database: SQLite, PostgreSQL, MySQL and MariaDB.

Runs are rows of the Go program's table ``checks``; every other document is a row of ``documents``.
Only the settings are imported here: SQLAlchemy and the drivers are an extra, and are imported when
a storage is opened.

==============  ================================================================
``storage``     the storage interface, for all databases
``database``    connections, transactions, retries; the tables and their schema
``sqlite`` …    one module for each database: connection, DSN, locks, errors
``settings``    the configuration
==============  ================================================================
"""

from __future__ import annotations

from checkup.storage.sql.settings import (
    MySqlSettings,
    PostgresSettings,
    SqliteSettings,
    SqlSettings,
)

__all__ = ["MySqlSettings", "PostgresSettings", "SqlSettings", "SqliteSettings"]
