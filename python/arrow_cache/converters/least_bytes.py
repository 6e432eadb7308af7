"""What a table takes, without converting it: at least, and whether it keeps much more than it shows."""

import pandas as pd
import pyarrow as pa


#: Memory beside its own that a slice may keep: what is less is not worth a copy.
_SLACK_BYTES = 16 << 20
#: A table keeps much more than it shows where its buffers are so many times its size.
_SHARE = 4
#: Buffers of tables in more pieces are not looked through.
_MOST_PIECES = 10_000


def keeps_much_more(data: object) -> bool:
    """Whether an Arrow table is a small part of the buffers that it keeps alive, such as a slice of a large table.

    Parameters
    ----------
    data : object
        What is put.
    """
    if isinstance(data, pa.Table):
        if data.num_columns and data.num_columns * data.column(0).num_chunks > _MOST_PIECES:
            return False
    elif not isinstance(data, pa.RecordBatch):
        return False
    return bool(data.get_total_buffer_size() > _SHARE * data.nbytes + _SLACK_BYTES)


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
