"""What is kept beside a table so that it comes back as it was: JSON under one key of the schema's metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from ..errors import InvalidArgument

__all__ = ["KEY", "VERSION", "json_metadata", "read", "write"]

KEY = b"arrow_cache"
VERSION = 1


def write(facts: Mapping[str, Any]) -> dict[bytes, bytes]:
    """Schema metadata that holds ``facts``."""
    return {KEY: json.dumps({"version": VERSION, **facts}, separators=(",", ":")).encode()}


def read(schema: pa.Schema) -> dict[str, Any] | None:
    """The facts in a schema's metadata; None where there are none.

    Raises
    ------
    InvalidArgument
        A later version of this package wrote them, or they are damaged.
    """
    data = (schema.metadata or {}).get(KEY)
    if data is None:
        return None
    try:
        facts = json.loads(data)
        version = facts["version"]
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidArgument(f"the schema metadata under {KEY.decode()!r} is damaged ({error}): remove it") from error
    if version != VERSION:
        raise InvalidArgument(
            f"the table was written in format {version} of arrow_cache, this version reads {VERSION}: "
            f"update arrow_cache, or read the table with target_type='arrow'"
        )
    return dict(facts)


def json_metadata(schema: pa.Schema, key: bytes) -> dict[str, Any]:
    """What other packages keep as a JSON object under a key of the schema's metadata; empty where it is anything else."""
    try:
        content = json.loads((schema.metadata or {}).get(key, b"{}"))
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
