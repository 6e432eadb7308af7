"""Files on their way in: by path, URL, folder, glob or a list of these, through the reader that suits each format."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable

from ..errors import InvalidArgument, MissingFileError, StorageError
from . import ipc_files, parquet_files, text_files
from .incoming import Incoming
from .locations import Location, local, remote

__all__ = ["format_of", "from_files", "locate", "read"]

_FORMATS: dict[str, tuple[str, ...]] = {
    "parquet": (".parquet", ".pq", ".parq", ".geoparquet"),
    "ipc": (".feather", ".arrow", ".ipc", ".arrows", ".ftr"),
    "csv": (".csv", ".tsv", ".psv", ".csv.gz", ".tsv.gz", ".csv.zst", ".tsv.zst"),
    "json": (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz", ".json.gz", ".jsonl.zst", ".ndjson.zst"),
}
_READERS: dict[str, Callable[[Location], Incoming]] = {
    "parquet": parquet_files.read,
    "ipc": ipc_files.read,
    "csv": text_files.read_csv,
    "json": text_files.read_json,
}
_MAGIC = {b"PAR1": "parquet", b"ARROW1": "ipc", b"FEA1": "ipc"}


def from_files(*sources: str | os.PathLike[str]) -> Incoming:
    """Read files of one format as one stream.

    Parameters
    ----------
    *sources : str or path
        Files, folders (with Hive partitions where they are Parquet), globs, or URLs that Arrow or fsspec knows.

    Raises
    ------
    MissingFileError
        A path that is not there, a glob that fits nothing.
    InvalidArgument
        A format that is not known, or several.
    StorageError
        A file that cannot be read.
    """
    location = locate(*sources)
    return read(location, format_of(location))


def locate(*sources: str | os.PathLike[str]) -> Location:
    """Where files are that a user named by paths, globs or URLs."""
    texts = [os.fspath(source) for source in sources]
    urls = ["://" in text for text in texts]
    if any(urls) and not all(urls):
        raise InvalidArgument(f"{texts[0]!r} and the other sources mix paths and URLs: put them one by one")
    return remote(texts) if all(urls) else local([path for text in texts for path in _expand(text)], texts)


def format_of(location: Location) -> str:
    """The one format of all files: ``parquet``, ``ipc``, ``csv`` or ``json``."""
    formats = {_format_of(path, location) for path in location.files()}
    if len(formats) > 1:
        raise InvalidArgument(
            f"{location.shown} has files of several formats ({', '.join(sorted(formats))}): name one kind"
        )
    return formats.pop()


def read(location: Location, form: str) -> Incoming:
    """Files of a known format as one stream."""
    try:
        return _READERS[form](location)
    except (OSError, ValueError) as error:
        if isinstance(error, (StorageError, InvalidArgument)):
            raise
        raise StorageError(f"{location.shown} cannot be read: {error}") from error


def _expand(text: str) -> list[str]:
    path = os.path.expanduser(text)
    if os.path.exists(path):
        return [path]
    if glob.has_magic(path):
        found = sorted(glob.glob(path, recursive=True))
        if found:
            return found
        raise MissingFileError(f"no file fits {text!r} (looked from {os.getcwd()})")
    raise MissingFileError(
        f"{text!r} is no file or folder (looked from {os.getcwd()}); a str that is put is a path or URL of data files"
    )


def _format_of(path: str, location: Location) -> str:
    lower = path.lower()
    for name, endings in _FORMATS.items():
        if lower.endswith(endings):
            return name
    with location.open(path) as file:
        start = bytes(file.read(6))
    for magic, name in _MAGIC.items():
        if start.startswith(magic):
            return name
    known = ", ".join(ending for endings in _FORMATS.values() for ending in endings)
    raise InvalidArgument(
        f"{path!r} is of no known format: name it by one of {known}, or read it yourself and put the frame"
    )
