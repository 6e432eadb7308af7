"""Files, databases and connections as Arrow streams: what `import_data` and `import_query` read.

`opening` decides what a source is; `file_source` has the files, `connecting` opens databases, whose rows `adbc_database`,
`duckdb_database` and `dbapi_database` stream.
"""

from .opening import OpenSource, open_source

__all__ = ["OpenSource", "open_source"]
