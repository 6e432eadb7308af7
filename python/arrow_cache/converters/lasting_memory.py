"""Memory for what stays in a cache."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

__all__ = ["lasting_pool"]


def lasting_pool() -> Any:
    """The C library's memory, as a pool of pyarrow's.

    A large piece of it goes back to the system when it is freed. pyarrow's default pool keeps it, so that what a cache spills or evicts
    would go on counting as memory of the process.
    """
    return pa.system_memory_pool()
