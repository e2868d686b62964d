"""The two tables: the Go program's for runs, and one beside it for everything else."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import mysql

METADATA: Final = MetaData()

_INNODB: Final[dict[str, Any]] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}

CHECKS: Final = Table(
    "checks",
    METADATA,
    Column("name", Text().with_variant(String(512), "mysql"), primary_key=True),
    Column("timestamp", BigInteger, nullable=False),
    Column("results", Text().with_variant(mysql.MEDIUMTEXT(), "mysql")),
    UniqueConstraint("timestamp", name="idx_checks_timestamp"),
    **_INNODB,
)

DOCUMENTS: Final = Table(
    "documents",
    METADATA,
    Column(
        "key",  # in the order of its bytes, whatever language the database speaks
        String(1000)
        .with_variant(Text(collation="C"), "postgresql")
        .with_variant(mysql.VARCHAR(1000, charset="ascii", collation="ascii_bin"), "mysql"),
        primary_key=True,
    ),
    Column("body", LargeBinary().with_variant(mysql.LONGBLOB(), "mysql"), nullable=False),
    Column("version", String(32), nullable=False),
    **_INNODB,
)


def as_bytes(value: str | bytes | None) -> bytes:
    """Return what a column holds: SQLite gives it back as it was written, and Go writes bytes."""
    return value.encode() if isinstance(value, str) else bytes(value or b"")
