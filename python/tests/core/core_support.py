"""The engine called directly, without the Python face around it."""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from arrow_cache import _core

#: Runs for hours unless it is stopped.
ENDLESS_QUERY = "SELECT sum(i * j) FROM range(10000000) a(i), range(10000000) b(j)"


class Stream:
    """An ``arrow_array_stream`` capsule for pyarrow."""

    def __init__(self, capsule: object) -> None:
        self.capsule = capsule

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.capsule


@dataclass
class Core:
    """One open cache, with the arguments that most tests don't care about filled in."""

    handle: Any

    def put(self, key: str, data: Any, *, ttl: Any = None, overwrite: Any = True, auto_partition: Any = None, copy: Any = False) -> Any:
        return _core.put(self.handle, key, data.__arrow_c_stream__(), "arrow", "{}", ttl, overwrite, auto_partition, copy, None, None)

    def read(self, key: str) -> pa.Table:
        return self.rows(_core.lookup(self.handle, key))

    def rows(self, entry: Any, offset: int = 0, limit: int | None = None, columns: Any = None) -> pa.Table:
        return pa.table(Stream(_core.scan(entry, offset, limit, columns)))

    def query(self, sql: str, parameters: Any = None, *, streaming: bool = False) -> list[dict[str, Any]]:
        return pa.table(Stream(_core.query(self.handle, sql, parameters, streaming, None))).to_pylist()
