"""Storage in a database: SQLite, PostgreSQL, MySQL and MariaDB, behind one adapter.

Runs are the rows of the Go program's table ``checks``; every other document is a row of
``documents`` beside it. What follows here is the configuration. SQLAlchemy and the drivers are
an extra and are imported when a storage is opened, so nobody else waits for them.

==============  ================================================================
``adapter``     the five verbs, on any of the databases
``shelves``     what is read from and written to the two tables
``tables``      their columns
``schema``      how they are made, and brought from one version to the next
``database``    connections, short transactions, another try after a lost connection
``sqlite`` …    what is special about each, and what its errors mean
``…_dsn``       the addresses that Go's drivers take
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
