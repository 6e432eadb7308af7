"""Tables in and out of a cache: `put` and `get`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from . import _core, converters
from .arguments import checked_columns, checked_flag, checked_key, checked_progress, checked_rows, checked_ttl, metadata_text
from .capsules import reader_of
from .entry_facts import keep_metadata
from .entry_view import EntryView
from .errors import CacheError, KeyExists, UnsupportedTypeError
from .kept_frames import whole_frame
from .progress import Progress
from .putting import with_progress

#: The targets that have a row index.
_WITH_INDEX = ("pandas", "pandas_arrow", "geopandas")
#: Targets that are read batch by batch: of what is on disk, no more than a batch is in memory.
_STREAMS = ("reader", "capsule")


class Tables:
    """What a cache does with whole tables and parts of them."""

    _handle: _core.Cache
    #: New memory that converting a frame may take at once; what needs more is converted in pieces.
    _convert_bytes: int
    #: Whether a table can be too large for memory and disk together.
    _has_disk_limit: bool

    def put(
        self,
        key: str,
        data: object,
        ttl: float | None = None,
        metadata: Mapping[str, Any] | None = None,
        overwrite: bool = True,
        preserve_index: bool = True,
        auto_partition: bool | None = None,
        *,
        progress: Progress = False,
    ) -> str:
        """Keep a table under a key.

        Parameters
        ----------
        key : str
            Any text that is not empty. In SQL the entry is the table ``_cache_<key>``, in double quotes where the key asks for it.
        data : object
            A pandas, GeoPandas or Polars frame or series, anything that speaks Arrow's PyCapsule interface (pyarrow's tables,
            batches and readers among them), or the path of a file. Arrow memory is shared, not copied; memory that the caller
            can still write to is copied, and so is a slice that is a small part of the buffers that it would keep.
        ttl : float or datetime.timedelta, optional
            Seconds until the entry expires, above 0. Default: never, also where the key had a ttl before.
        metadata : mapping, optional
            Whatever shall be kept with the entry; `get_metadata` gives it back. Values that JSON has no form for live as long
            as this process.
        overwrite : bool, default True
            Whether an entry under this key may be replaced.
        preserve_index : bool, default True
            Whether a pandas index is kept.
        auto_partition : bool, optional
            Whether the entry is split into partitions. Default: as configured.
        progress : bool or callable, default False
            As for `query`: a bar, or a function that is called with the share of the rows that have been read. Of a stream or file, which
            does not tell its length, that is 0 and 1 alone.

        Returns
        -------
        str
            The key.

        Raises
        ------
        UnsupportedTypeError
            If `data` is no table, or has a column that can't be kept.
        KeyExists
            If there is an entry and `overwrite` is False.
        MemoryLimitError
            If the table does not fit into ``memory_limit``.
        StreamError
            If a stream is malformed or fails half-way.
        MissingFileError, StorageError
            If a file is not there or can't be read.
        InvalidArgument
            For any other argument that is wrong. Whatever fails, the entry of before stays.

        Examples
        --------
        >>> cache.put("numbers", pd.DataFrame({"a": [1, 2, 3]}), ttl=3600, metadata={"source": "here"})
        'numbers'
        """
        self._store(
            checked_key(key),
            data,
            progress=checked_progress(progress),
            ttl=checked_ttl(ttl),
            metadata=metadata,
            overwrite=checked_flag("overwrite", overwrite),
            preserve_index=checked_flag("preserve_index", preserve_index),
            auto_partition=None if auto_partition is None else checked_flag("auto_partition", auto_partition),
        )
        return key

    def _store(
        self,
        key: str,
        data: object,
        *,
        ttl: float | None,
        metadata: Mapping[str, Any] | None = None,
        overwrite: bool = True,
        preserve_index: bool = True,
        auto_partition: bool | None = None,
        build_seconds: float | None = None,
        progress: Progress = False,
    ) -> _core.Entry:
        if _core.contains(self._handle, key) and not overwrite:  # before a stream is read that can be read once
            raise KeyExists(f"there is an entry {key!r} and overwrite is False: remove it first, or put with overwrite=True")
        metadata_text(metadata)
        incoming = converters.to_arrow(data, preserve_index=preserve_index, most_bytes=self._convert_bytes)
        if incoming.copy is False and converters.keeps_much_more(data):
            incoming = dataclasses.replace(incoming, copy=True)

        def keep(stream: Any) -> _core.Entry:
            return self._keep(
                key,
                dataclasses.replace(incoming, stream=stream),
                ttl=ttl,
                metadata=metadata,
                overwrite=overwrite,
                auto_partition=auto_partition,
                build_seconds=build_seconds,
                expected_bytes=converters.least_bytes(data) if self._has_disk_limit else None,
            )

        try:
            return with_progress(progress, f"put {key!r}", data, incoming.stream, keep)
        except TypeError as error:  # what __arrow_c_stream__ gave is no stream
            if isinstance(error, CacheError):
                raise
            raise UnsupportedTypeError(f"a {type(data).__name__} can't be put: {error}") from error

    def _keep(
        self,
        key: str,
        incoming: converters.Incoming,
        *,
        ttl: float | None,
        metadata: Mapping[str, Any] | None = None,
        overwrite: bool = True,
        auto_partition: bool | None = None,
        build_seconds: float | None = None,
        expected_bytes: int | None = None,
    ) -> _core.Entry:
        text, is_faithful = metadata_text(metadata)
        export = getattr(incoming.stream, "__arrow_c_stream__", None)
        stream = incoming.stream if export is None else export()
        try:
            entry = _core.put(
                self._handle,
                key,
                stream,
                incoming.kind,
                text,
                ttl,
                overwrite,
                auto_partition,
                incoming.copy,
                build_seconds,
                expected_bytes,
            )
        except CacheError:
            failure = getattr(incoming.stream, "error", None)  # what a stream of our own raised, of which the engine has the text alone
            if isinstance(failure, CacheError):
                raise failure from None
            raise
        if metadata is not None and not is_faithful:
            keep_metadata(entry, metadata)
        return entry

    def get(
        self,
        key: str,
        target_type: str | None = None,
        default: Any = None,
        offset: int = 0,
        limit: int | None = None,
        *,
        columns: Sequence[Any] | None = None,
    ) -> Any:
        """The table under a key, whole or in part.

        Parameters
        ----------
        key : str
            The key.
        target_type : str, optional
            ``pandas``, ``pandas_arrow`` (pandas over Arrow's own dtypes), ``geopandas``, ``arrow``, ``polars``, ``reader`` (a
            RecordBatchReader), ``numpy``, ``dict``, ``capsule`` (an ``arrow_array_stream``), or a class such as ``pa.Table``.
            Default: the kind that was put.
        default : object, optional
            What to return where there is no entry. Default: None.
        offset : int, default 0
            The first row, from 0. Past the end the result has no rows.
        limit : int, optional
            Rows at most. Default: all.
        columns : sequence, optional
            Names of the columns to return, in that order; for an entry from pandas its column labels. Default: all. A pandas
            index comes along where the target has one.

        Returns
        -------
        object
            The table; writing to it changes nothing in the cache.

        Raises
        ------
        InvalidArgument
            For an unknown target or column (the message has the known ones), or a negative offset or limit.
        UnsupportedTypeError
            If the entry can't become `target_type`, or what that needs is not installed.

        Examples
        --------
        >>> cache.get("numbers", offset=1, limit=1, columns=["a"])
           a
        1  2
        """
        checked_key(key)
        target = None if target_type is None else converters.normalise_target(target_type)
        first, most = checked_rows("offset", offset), None if limit is None else checked_rows("limit", limit)
        names = checked_columns(columns)
        entry = _core.lookup(self._handle, key)
        return default if entry is None else self._part(entry, target, first, most, names)

    def _whole(self, entry: _core.Entry) -> Any:
        return self._part(entry, None, 0, None, None)

    def _part(self, entry: _core.Entry, target: str | None, offset: int, limit: int | None, columns: list[Any] | None) -> Any:
        view = EntryView.of(entry)
        wanted = target or converters.default_target(view.kind)
        first = min(offset, view.row_count)
        count = view.row_count - first if limit is None else min(limit, view.row_count - first)
        positions = view.positions(columns, with_index=wanted in _WITH_INDEX)

        if wanted in _STREAMS:
            capsule = _core.scan(entry, first, count, positions)
            return reader_of(capsule) if wanted == "reader" else capsule

        def convert() -> Any:
            return converters.from_arrow(view.rows(entry, first, count, positions), wanted, view.kind, offset=first)

        if wanted == "pandas" and positions is None and count == view.row_count:
            return whole_frame(entry, convert, is_decoded=view.is_encoded)
        return convert()
