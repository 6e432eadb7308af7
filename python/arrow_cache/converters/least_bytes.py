"""What a table takes at least, without converting it."""

import pandas as pd
import pyarrow as pa


def least_bytes(data: object) -> int | None:
    """Bytes that a table in memory will take at least, about; None where that is not known before it is read.

    Parameters
    ----------
    data : object
        What is put.
    """
    if isinstance(data, pa.Table | pa.RecordBatch):
        return int(data.nbytes)
    if isinstance(data, pd.DataFrame):
        return int(data.memory_usage(index=False, deep=False).sum())
    return None
