"""Files and databases into a cache: `import_data` and `import_query`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from . import _core
from .arguments import checked_flag, checked_key, checked_ttl, metadata_text
from .converters.incoming import Incoming
from .errors import InvalidArgument, InvalidArgumentType, StreamError
from .sources import open_source


class Importing:
    """What a cache does with tables that are elsewhere."""

    @abstractmethod
    def _keep(
        self,
        key: str,
        incoming: Incoming,
        *,
        ttl: float | None,
        metadata: Mapping[str, Any] | None = None,
        overwrite: bool = True,
        auto_partition: bool | None = None,
    ) -> _core.Entry: ...

    def import_data(
        self,
        key: str,
        source: Any,
        source_type: str = "auto",
        connection_options: Mapping[str, Any] | None = None,
        query: str | None = None,
        table_name: str | None = None,
        schema: str | None = None,
        ttl: float | None = None,
        metadata: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        auto_partition: bool | None = None,
    ) -> str:
        """Keep files, or a table or query of a database, under a key. They are streamed: what fits into the cache goes in.

        Parameters
        ----------
        key : str
            As for `put`. An entry of that key is replaced once everything was read.
        source : str, path, list or connection
            Files: a Parquet file or folder (with Hive partitions), Feather, Arrow IPC, CSV or JSON lines, by path, glob, URL or a
            list of these. A database: the path of a DuckDB or SQLite file, ``duckdb:///path``, ``sqlite:///path``,
            ``postgresql://user:password@host/database``, or a connection as for `import_query`.
        source_type : str, default "auto"
            ``parquet``, ``geoparquet``, ``feather``, ``ipc``, ``arrow``, ``csv``, ``json``, ``ndjson``, ``jsonl``; ``file``, ``s3``,
            ``gcs``, ``http``, ``https`` (format by name); ``postgres``, ``sqlite``, ``duckdb``; ``mysql``, ``mariadb``, ``sqlserver``,
            ``oracle``, ``sqlalchemy`` (through SQLAlchemy). ``auto`` looks at the scheme, the first bytes and the ending.
        connection_options : mapping, optional
            For a database: ``host``, ``port``, ``dbname``, ``user``, ``password`` … of PostgreSQL; DuckDB's settings; what ``connect``
            of the driver takes otherwise. They are not kept.
        query : str, optional
            The SQL whose rows are kept, in the database's own dialect.
        table_name : str, optional
            The table or view to keep, in place of `query`.
        schema : str, optional
            The schema of `table_name`. Default: where the database looks by itself.
        ttl : float or datetime.timedelta, optional
            Seconds until the entry expires. Default: never.
        metadata : mapping, optional
            Kept with the entry. ``source`` (without passwords), ``source_type``, ``import_method``, ``table_name``, ``schema`` and
            ``query`` are added where you don't give them.
        options : mapping, optional
            For files: ``csv_options`` and ``json_options`` (named parameters of DuckDB's ``read_csv`` and ``read_json``),
            ``duckdb_config`` (its settings), ``s3_options`` (``region``, ``endpoint``, ``aws_access_key_id``,
            ``aws_secret_access_key``). For a query: ``parameters``, the values of its placeholders as the driver takes them.
        auto_partition : bool, optional
            As for `put`.

        Returns
        -------
        str
            The key.

        Raises
        ------
        InvalidArgument
            For an unknown `source_type` or table (the message has the allowed ones), and other wrong arguments.
        MissingFileError, StorageError
            If a file is not there or can't be read, or a database can't be reached.
        MissingPackageError
            If a driver is not installed; the message says which.
        QueryError
            If the database refuses the SQL or fails half-way.
        UnsupportedTypeError
            If a column has values without one Arrow type that holds all of them unchanged; the message names it.
        MemoryLimitError
            If it does not fit into ``memory_limit``. Whatever fails, the entry of before stays.

        Notes
        -----
        `get` gives pandas back, GeoParquet as a GeoDataFrame; ``target_type="arrow"`` has the exact types. Numbers that a database
        declares as ``numeric`` are decimals. Where a driver tells no types (sqlite3, most DB-API drivers), a column is as wide as its
        values need: integers and floats together are doubles if none of them changes by that, decimals have the digits of the
        longest; text beside numbers is refused. For that all rows are read before the first is kept, and what exceeds 64 MiB waits in
        a temporary file. Connections that you give stay open, in their transaction; nothing is committed.

        Examples
        --------
        >>> import os, sqlite3, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "shop.db")
        >>> with sqlite3.connect(path) as connection:
        ...     done = connection.executescript("CREATE TABLE sales (item TEXT, price REAL); INSERT INTO sales VALUES ('pen', 1.5)")
        >>> cache.import_data("sales", path, table_name="sales")
        'sales'
        >>> cache.get("sales")
          item  price
        0  pen    1.5
        """
        return self._import(
            ("source", "source_type"), key, source, source_type, connection_options, query, table_name, schema, ttl, metadata, options, auto_partition
        )

    def import_query(
        self,
        key: str,
        sql: str,
        connection: Any,
        connection_type: str = "auto",
        connection_options: Mapping[str, Any] | None = None,
        ttl: float | None = None,
        metadata: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        auto_partition: bool | None = None,
    ) -> str:
        """Keep the rows of a query on another database under a key.

        Parameters
        ----------
        key : str
            As for `put`.
        sql : str
            One statement that gives rows, in the database's own dialect.
        connection : connection or str
            An ADBC connection (``adbc_driver_*.dbapi``), a DB-API connection (``sqlite3``, ``psycopg``, ``duckdb`` …), an engine or
            connection of SQLAlchemy; or a connection string or path as for `import_data`.
        connection_type : str, default "auto"
            The kind of database that a text names: ``postgres``, ``sqlite``, ``duckdb``, ``mysql``, ``sqlserver``, ``sqlalchemy`` …
        connection_options, ttl, metadata, options, auto_partition
            As for `import_data`.

        Returns
        -------
        str
            The key.

        Raises
        ------
        CacheError
            As `import_data` does.

        Examples
        --------
        >>> import sqlite3
        >>> connection = sqlite3.connect(":memory:")
        >>> cache.import_query("answer", "SELECT ? AS n", connection, options={"parameters": [42]})
        'answer'
        >>> int(cache.get("answer")["n"][0])
        42
        """
        if not isinstance(sql, str):
            raise InvalidArgumentType(f"sql: give the text of one statement, not {type(sql).__name__}")
        if not sql.strip():
            raise InvalidArgument("sql: it is empty; give the text of one statement")
        return self._import(
            ("connection", "connection_type"), key, connection, connection_type, connection_options, sql, None, None, ttl, metadata, options, auto_partition
        )

    def _import(
        self,
        names: tuple[str, str],
        key: str,
        source: Any,
        source_type: str,
        connection_options: Mapping[str, Any] | None,
        query: str | None,
        table_name: str | None,
        schema: str | None,
        ttl: float | None,
        metadata: Mapping[str, Any] | None,
        options: Mapping[str, Any] | None,
        auto_partition: bool | None,
    ) -> str:
        checked_key(key)
        seconds = checked_ttl(ttl)
        split = None if auto_partition is None else checked_flag("auto_partition", auto_partition)
        metadata_text(metadata)
        opened = open_source(
            source,
            source_type,
            connection_options=connection_options,
            query=query,
            table_name=table_name,
            schema=schema,
            options=options,
            names=names,
        )
        try:
            self._keep(key, opened.incoming, ttl=seconds, metadata={**opened.facts, **(metadata or {})}, auto_partition=split)
        except StreamError:
            if opened.failure is None:
                raise
            raise opened.failure from None
        finally:
            opened.close()
        return key
