"""The engine's capsules as pyarrow's objects."""

from typing import cast

import pyarrow as pa

from .errors import MemoryLimitError, StorageError


class ArrowStream:
    """An ``arrow_array_stream`` capsule as an object that speaks the Arrow PyCapsule interface. It can be read once."""

    __slots__ = ("_capsule",)

    def __init__(self, capsule: object) -> None:
        self._capsule = capsule

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._capsule


class ArrowSchema:
    """An ``arrow_schema`` capsule as an object that speaks the Arrow PyCapsule interface. It can be read once."""

    __slots__ = ("_capsule",)

    def __init__(self, capsule: object) -> None:
        self._capsule = capsule

    def __arrow_c_schema__(self) -> object:
        return self._capsule


def reader_of(capsule: object) -> pa.RecordBatchReader:
    """The stream's batches, read as they are asked for."""
    return pa.RecordBatchReader.from_stream(ArrowStream(capsule))


def table_of(capsule: object) -> pa.Table:
    """All rows of a stream of the engine, in the batches in which they come, zero copy.

    Raises
    ------
    StorageError, MemoryLimitError
        Where the engine can't read rows that are on disk: pyarrow passes its words on as errors of its own.
    """
    try:
        return reader_of(capsule).read_all()
    except OSError as error:
        raise StorageError(str(error)) from error
    except pa.ArrowMemoryError as error:
        raise MemoryLimitError(str(error)) from error


def schema_of(capsule: object) -> pa.Schema:
    """The schema in the capsule."""
    return cast("pa.Schema", pa.schema(ArrowSchema(capsule)))
