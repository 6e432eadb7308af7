"""What kinds of sources there are, and which one a text names."""

from __future__ import annotations

import os
import re

from ..errors import InvalidArgument, InvalidArgumentType
from ..wording import nearest_hint, shortened
from .redaction import url_scheme

__all__ = ["DATABASES", "FILES", "checked_type", "type_of_text"]

#: A name in ``source_type`` → the format of the files; None: by their names or first bytes.
FILES: dict[str, str | None] = {
    "parquet": "parquet",
    "geoparquet": "parquet",
    "feather": "ipc",
    "ipc": "ipc",
    "arrow": "ipc",
    "csv": "csv",
    "json": "json",
    "ndjson": "json",
    "jsonl": "json",
    "file": None,
    "s3": None,
    "gcs": None,
    "http": None,
    "https": None,
}
#: A name in ``source_type`` or the scheme of a URL → the kind of database.
DATABASES = {
    "postgres": "postgres",
    "postgresql": "postgres",
    "sqlite": "sqlite",
    "duckdb": "duckdb",
    "sqlalchemy": "sqlalchemy",
    "mysql": "sqlalchemy",
    "mariadb": "sqlalchemy",
    "sqlserver": "sqlalchemy",
    "mssql": "sqlalchemy",
    "oracle": "sqlalchemy",
}
_ELSEWHERE = {
    "iceberg": "read it with pyiceberg and put table.scan().to_arrow_batch_reader()",
    "delta": "read it with deltalake and put DeltaTable(path).to_pyarrow_dataset()",
    "dbapi": "leave it out where the connection is an object",
    "adbc": "leave it out where the connection is an object",
}
_SETTINGS = re.compile(r"^\s*(?:host|hostaddr|port|dbname|user|service|password)\s*=", re.IGNORECASE)
_DATABASE_ENDINGS = {".sqlite": "sqlite", ".sqlite3": "sqlite", ".db": "sqlite", ".db3": "sqlite", ".duckdb": "duckdb", ".ddb": "duckdb"}


def checked_type(name: str, source_type: object) -> str:
    """A known type in lower case, or ``auto``.

    Raises
    ------
    InvalidArgument
        It is unknown; the message has the allowed ones.
    """
    if not isinstance(source_type, str):
        raise InvalidArgumentType(f"{name}: give a name such as 'auto' or 'parquet', not {type(source_type).__name__}")
    folded = source_type.strip().lower()
    if folded == "auto" or folded in FILES or folded in DATABASES:
        return folded
    if folded in _ELSEWHERE:
        raise InvalidArgument(f"{name}: {source_type!r} is not read by this version: {_ELSEWHERE[folded]}")
    known = ["auto", *FILES, *DATABASES]
    raise InvalidArgument(f"{name}: {shortened(source_type)} is unknown{nearest_hint(source_type, known)} (one of {', '.join(known)})")


def type_of_text(text: str) -> str:
    """What a path, a URL or a connection string is: a name in `DATABASES`, or ``file``."""
    scheme = url_scheme(text)
    if scheme:
        if scheme in ("iceberg", "delta"):
            return checked_type("source", scheme)
        base, _, driver = scheme.partition("+")
        if base not in DATABASES:
            return "file"
        return base if not driver or base in ("postgres", "postgresql") else "sqlalchemy"
    path = os.path.expanduser(text)
    if os.path.isfile(path):
        return _type_of_bytes(path) or "file"
    if _SETTINGS.match(text):
        return "postgres"
    return _DATABASE_ENDINGS.get(os.path.splitext(path)[1].lower(), "file")


def _type_of_bytes(path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            start = file.read(16)
    except OSError:
        return None  # whoever opens it next says why
    if start == b"SQLite format 3\0":
        return "sqlite"
    if start[8:12] == b"DUCK":
        return "duckdb"
    if not start:  # a database into which nothing was written yet
        return _DATABASE_ENDINGS.get(os.path.splitext(path)[1].lower())
    return None
