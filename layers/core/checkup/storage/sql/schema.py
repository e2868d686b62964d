"""How the tables are made, and brought from one version to the next.

The version stands in ``documents`` under a key that no document can have. A step is never
changed once it was released; what changes is one more step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, inspect, select

from checkup.errors import StorageError
from checkup.storage.sql.tables import CHECKS, DOCUMENTS, as_bytes

_KEY = "schema_version"


def check_schema(connection: Connection) -> None:
    """Make sure that the tables are there and are those that this program knows.

    Raises:
        StorageError: they are not; the sentence says what to do.
    """
    found = schema_version(connection)
    if found == 0:
        raise StorageError(
            'the tables of Checkup are missing: run `checkup provision`, or set "create": true'
        )
    if found < VERSION:
        raise StorageError(
            f"the tables are of version {found} and this program needs {VERSION}:"
            ' run `checkup provision`, or set "create": true'
        )
    _refuse_newer(found)


def upgrade_schema(connection: Connection) -> None:
    """Take the steps that are missing; the Go program's table stays as it is.

    Raises:
        StorageError: a newer program has been here.
    """
    found = schema_version(connection)
    _refuse_newer(found)
    for step in _STEPS[found:]:
        step(connection)
    if found < VERSION:
        _write(connection)


def pending_migration(connection: Connection) -> str:
    """Say what :func:`upgrade_schema` would do; empty if nothing.

    Raises:
        StorageError: a newer program has been here.
    """
    found = schema_version(connection)
    _refuse_newer(found)
    if found == VERSION:
        return ""
    if found:
        return f"bring the tables from version {found} to {VERSION}"
    return f"make the tables {CHECKS.name} and {DOCUMENTS.name}, where they are not there yet"


def schema_version(connection: Connection) -> int:
    """Return the version of the tables; 0 if there are none, or none but the Go program's."""
    if not inspect(connection).has_table(DOCUMENTS.name):
        return 0
    body = connection.scalar(select(DOCUMENTS.c.body).where(DOCUMENTS.c.key == _KEY))
    try:
        return int(as_bytes(body) or b"0")
    except ValueError:
        raise StorageError(f"the {_KEY} in the table documents is no number") from None


def _write(connection: Connection) -> None:
    connection.execute(DOCUMENTS.delete().where(DOCUMENTS.c.key == _KEY))
    body = str(VERSION).encode()
    connection.execute(DOCUMENTS.insert().values(key=_KEY, body=body, version=""))


def _refuse_newer(found: int) -> None:
    if found > VERSION:
        raise StorageError(
            f"the tables are of version {found}, made by a newer Checkup; this one knows {VERSION}"
        )


def _first_tables(connection: Connection) -> None:
    CHECKS.create(connection, checkfirst=True)
    DOCUMENTS.create(connection, checkfirst=True)


_STEPS: Final[tuple[Callable[[Connection], None], ...]] = (_first_tables,)

VERSION: Final = len(_STEPS)
