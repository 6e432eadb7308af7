"""Entries that outlive the process: `persist` and `load`."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from . import _core
from .arguments import checked_flag, checked_key
from .config import ArrowCacheConfig
from .errors import InvalidArgument, InvalidArgumentType, ReadOnlyError
from .wording import shortened


class Persisting:
    """What a cache does to keep entries in files, and to have them back."""

    _handle: _core.Cache
    _config: ArrowCacheConfig

    def persist(self, key: str, storage_dir: str | os.PathLike[str] | None = None, format: str = "arrow") -> bool:
        """Write an entry to files, so that `load` brings it back: in another process, on another machine, in a later version.

        It is a snapshot of the current version: others read and write the key meanwhile. What is written is on the disk, whole,
        when this returns; if the process is killed before that, the folder has the version of before. Persisting a key again
        writes only the partitions that have changed.

        Parameters
        ----------
        key : str
            The key.
        storage_dir : str or path, optional
            The folder to write to; it is made if it is not there. The entry has a folder of its own in it, with an Arrow IPC file a
            partition, which pyarrow, Polars and DuckDB open as they are, and a manifest. Default: ``storage_path`` of the
            configuration.
        format : {"arrow", "parquet"}, default "arrow"
            What the files of the partitions are: Arrow IPC files, which `load` maps, or Parquet files, which are smaller, which more programs read,
            and which `load` reads into memory. An entry may change from one to the other: the other files go.

        Returns
        -------
        bool
            True; False if there is no entry under the key.

        Raises
        ------
        StorageError
            If the files can't be written, or another process persists the same key there at this moment. What was persisted before
            is still there.
        UnsupportedTypeError
            If it has a column that Arrow files can't hold (a dictionary of dictionaries), or Parquet files (intervals of months and days,
            unions, run-end encoding, structures without fields, dictionaries that hold a null or view texts (Polars' Categorical and Enum);
            a table without columns). It is named, and what was persisted before is still there.
        InvalidArgument
            For another `format`, and for Parquet in ``storage_path`` of a cache with ``persistent_storage``, which maps what is there.

        Notes
        -----
        Everything comes back: values, types, index, CRS, attributes, metadata (as JSON has it), statistics, and the time at which
        the entry expires, if it does. Files are compressed as ``enable_compression`` says. ``docs/storage-format.md`` describes them.

        Examples
        --------
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> cache.persist("numbers", folder)
        True
        >>> cache.remove("numbers")
        True
        >>> cache.load("numbers", folder)
        True
        """
        return _core.persist(self._handle, checked_key(key), self._storage_dir(storage_dir), self._encoder(key, format))

    def _encoder(self, key: str, name: object) -> Callable[[object], bytes] | None:
        if not isinstance(name, str):
            raise InvalidArgumentType(f"format: give 'arrow' or 'parquet', not {type(name).__name__} ({shortened(name)})")
        if name.lower() not in ("arrow", "parquet"):
            raise InvalidArgument(f"format: {shortened(name)} is not known; give 'arrow' or 'parquet'")
        if name.lower() == "arrow":
            return None
        from .parquet_parts import encoder  # pyarrow's Parquet takes a while to import

        kind = self._config.compression_type if self._config.enable_compression else "none"
        return encoder(key, kind, self._config.compression_level if kind == "zstd" else None)

    def load(self, key: str, storage_dir: str | os.PathLike[str] | None = None, *, verify: bool = False) -> bool:
        """Bring back an entry that was persisted, in place of what is there under the key.

        Arrow files are mapped, not read: rows come from the disk when they are asked for, and the bytes of a column are then compared with
        their checksums. Parquet files are compared with theirs, and read, at once. Another version that is persisted meanwhile does not disturb.

        Parameters
        ----------
        key : str
            The key.
        storage_dir : str or path, optional
            The folder that it was persisted to. Default: ``storage_path`` of the configuration.
        verify : bool, default False
            Whether to read all files now and compare all that readers look at with its checksums.

        Returns
        -------
        bool
            True; False if nothing of that key is there (the folder itself may be missing), or it has expired.

        Raises
        ------
        StorageError
            If a file is missing or damaged; the message names it. The cache is as it was then.
        UnsupportedTypeError
            If it was written by a later version of arrow_cache whose format this one does not know.

        Examples
        --------
        >>> cache.load("never persisted", "nowhere")
        False
        """
        return _core.load(self._handle, checked_key(key), self._storage_dir(storage_dir), checked_flag("verify", verify), _decode)

    def flush(self) -> None:
        """Wait until all that was changed before is on the disk in ``storage_path``.

        With ``persistent_storage`` and ``durability="relaxed"`` changes are written in the background; otherwise there is nothing to wait for.

        Raises
        ------
        StorageError
            If something can't be written. It stays in memory and is tried again, every second and with each `flush`; ``status()`` has
            ``pending_count``, ``pending_bytes``, ``persist_failures`` and ``last_persist_failure``.

        Examples
        --------
        >>> cache.flush()
        """
        _core.flush(self._handle)

    def check(self, storage_dir: str | os.PathLike[str] | None = None, *, repair: bool = False) -> list[dict[str, Any]]:
        """Read all that has been persisted to a folder, and compare all that readers look at with its checksums.

        Parameters
        ----------
        storage_dir : str or path, optional
            The folder. Default: ``storage_path`` of the configuration.
        repair : bool, default False
            Whether to remove what nobody can read: files that belong to nothing, and entries with a file that is missing or damaged. No cache
            may have the folder open as its storage then. What a later version of arrow_cache has written is left alone.

        Returns
        -------
        list of dict
            Of each entry ``path``, ``key`` (None where it can't be told), ``num_rows``, ``size_bytes`` on disk, ``problems`` (texts; none
            where all is well) and ``repaired``.

        Raises
        ------
        StorageError
            If there is no such folder, or a cache has it open and `repair` is asked for.

        Notes
        -----
        ``arrow-cache check DIR`` (or ``python -m arrow_cache check DIR``) does the same.

        Examples
        --------
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> cache.persist("numbers", folder)
        True
        >>> [(found["key"], found["problems"]) for found in cache.check(folder)]
        [('numbers', [])]
        """
        if checked_flag("repair", repair) and self._config.read_only and self._storage_dir(storage_dir) == self._storage_dir(None):
            raise ReadOnlyError("cannot repair: the cache was opened with read_only; close it and run arrow-cache check --repair")
        return check_storage(self._storage_dir(storage_dir), repair=repair)

    def _storage_dir(self, storage_dir: object) -> str:
        if storage_dir is None:
            return os.path.abspath(self._config.storage_path)
        return folder_path(storage_dir)


def _decode(data: bytes, schema: object) -> object:
    from .parquet_parts import decode_part  # pyarrow's Parquet takes a while to import

    return decode_part(data, schema)


def check_storage(storage_dir: str, *, repair: bool) -> list[dict[str, Any]]:
    """`Persisting.check` without a cache."""
    return _core.check_storage(storage_dir, checked_flag("repair", repair))


def folder_path(storage_dir: object) -> str:
    """The path of a storage folder, from the root."""
    if not isinstance(storage_dir, str | os.PathLike):
        raise InvalidArgumentType(f"storage_dir: give the path of a folder, not {type(storage_dir).__name__} ({shortened(storage_dir)})")
    path = os.fspath(storage_dir)
    if not isinstance(path, str):
        raise InvalidArgumentType("storage_dir: give a path that is text, not bytes")
    if not path or "\0" in path:
        raise InvalidArgument(f"storage_dir: {path!r} is no path of a folder")
    return os.path.abspath(path)
