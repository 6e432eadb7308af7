"""Files as a source: the readers of what can be put, and the options that they take here."""

from __future__ import annotations

import glob
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.fs as pafs

from ..converters import files
from ..converters.incoming import Incoming
from ..converters.locations import Location
from ..errors import InvalidArgument, InvalidArgumentType, StorageError
from ..wording import nearest_hint, shortened
from .redaction import url_scheme, without_secrets
from .source_types import FILES

__all__ = ["open_files"]

_BATCH_ROWS = 131_072
_OPTIONS = ("csv_options", "json_options", "s3_options", "duckdb_config")
_NAME = re.compile(r"[A-Za-z_]\w*\Z")
_S3 = {
    "aws_access_key_id": "access_key",
    "aws_secret_access_key": "secret_key",
    "aws_session_token": "session_token",
    "region": "region",
    "endpoint": "endpoint_override",
    "anonymous": "anonymous",
    "scheme": "scheme",
}


def open_files(source: Any, source_type: str, options: Mapping[str, Any]) -> tuple[Incoming, str]:
    """Files as a stream.

    Parameters
    ----------
    source : str, path or list of these
        Paths, globs or URLs.
    source_type : str
        One of `FILES`, or ``auto``.
    options : mapping
        ``csv_options`` and ``json_options`` (parameters of DuckDB's readers, of which ``duckdb_config`` are settings), ``s3_options``.

    Returns
    -------
    Incoming
        The stream and the kind that comes back.
    str
        The format that was read: ``parquet``, ``ipc``, ``csv`` or ``json``.
    """
    for name, value in options.items():
        if name not in _OPTIONS:
            raise InvalidArgument(f"options: {name!r} is unknown for files{nearest_hint(str(name), _OPTIONS)} (one of {', '.join(_OPTIONS)})")
        if not isinstance(value, Mapping):
            raise InvalidArgumentType(f"options: {name} is a mapping of names to values, not {type(value).__name__}")
    sources = source if isinstance(source, (list, tuple)) else [source]
    if not sources:
        raise InvalidArgument("source: an empty list names no file")
    location = _on_s3(options["s3_options"], sources) if "s3_options" in options else files.locate(*sources)
    form = FILES.get(source_type) or files.format_of(location)
    wanted = {f"{form}_options", "duckdb_config"} & set(options) if form in ("csv", "json") else set()
    unused = set(options) - wanted - {"s3_options"}
    if unused:
        raise InvalidArgument(f"options: {', '.join(sorted(unused))} has no meaning for files of the format {form}")
    if not wanted:
        return files.read(location, form), form
    if not location.is_local:
        raise InvalidArgument(f"options: {', '.join(sorted(wanted))} need files on this machine; {location.shown} is not")
    return _by_duckdb(location, form, options.get(f"{form}_options", {}), options.get("duckdb_config", {})), form


def _by_duckdb(location: Any, form: str, parameters: Mapping[str, Any], config: Mapping[str, Any]) -> Incoming:
    given = "".join(f", {_name(name)} = {_literal(name, value)}" for name, value in parameters.items())
    try:
        connection = duckdb.connect(config={_name(name): value for name, value in config.items()})
        relation = connection.sql(f"FROM read_{form}($1{given})", params=[location.files()])
        reader = relation.to_arrow_reader(_BATCH_ROWS)
    except duckdb.IOException as error:
        raise StorageError(f"{location.shown} cannot be read: {error}") from error
    except (duckdb.Error, TypeError) as error:
        raise InvalidArgument(f"{location.shown} cannot be read with these options: {error}") from error

    def batches() -> Iterator[pa.RecordBatch]:
        with connection:
            yield from reader

    return Incoming(pa.RecordBatchReader.from_batches(reader.schema, batches()), "pandas", False)


def _name(name: Any) -> str:
    if not isinstance(name, str) or not _NAME.match(name):
        raise InvalidArgument(f"options: {shortened(name)} is no name of an option")
    return name


def _literal(name: str, value: Any) -> str:
    """A value as DuckDB's SQL has it."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float() if math.isfinite(value):
            return repr(value)
        case str():
            return "'" + value.replace("'", "''") + "'"
        case list() | tuple():
            return "[" + ", ".join(_literal(name, item) for item in value) + "]"
        case Mapping():
            return "{" + ", ".join(f"{_literal(name, str(key))}: {_literal(name, item)}" for key, item in value.items()) + "}"
    raise InvalidArgumentType(f"options: {name} is {shortened(value)}; give a text, number, bool, or a list or mapping of these")


def _on_s3(options: Mapping[str, Any], sources: Any) -> Location:
    unknown = [name for name in options if name not in _S3]
    if unknown:
        raise InvalidArgument(f"options: s3_options has no {unknown[0]!r}{nearest_hint(str(unknown[0]), _S3)} (one of {', '.join(_S3)})")
    paths = [str(source).partition("://")[2] for source in sources]
    if not all(url_scheme(str(source)) in ("s3", "s3a") for source in sources) or any(glob.has_magic(path) for path in paths):
        raise InvalidArgument("options: s3_options are for files and folders that start with s3://, without wildcards")
    settings = {_S3[name]: value for name, value in options.items()}
    endpoint = str(settings.get("endpoint_override", ""))
    if "://" in endpoint:
        settings["scheme"], _, settings["endpoint_override"] = endpoint.partition("://")
    try:
        return Location(pafs.S3FileSystem(**settings), paths, False, without_secrets(sources))
    except (pa.ArrowException, TypeError, ValueError, OSError) as error:
        raise InvalidArgument(f"options: s3_options don't fit: {error}") from error
