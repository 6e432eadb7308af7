"""What users have, as an Arrow stream, and Arrow tables back as what they had.

A layer of its own: needs pandas, pyarrow and DuckDB's Python package, and knows nothing of the engine. `data_in` decides
who takes what is put, `outgoing` what is given back. pandas goes column by column (`columns` names the codecs); what
Arrow cannot say is kept as JSON in the schema's metadata (`facts`).
"""

from .data_in import to_arrow
from .incoming import Incoming
from .least_bytes import keeps_much_more, least_bytes
from .outgoing import from_arrow, from_result
from .selection import select_columns
from .targets import default_target, normalise_target, target_kinds

__all__ = [
    "Incoming",
    "default_target",
    "from_arrow",
    "from_result",
    "keeps_much_more",
    "least_bytes",
    "normalise_target",
    "select_columns",
    "target_kinds",
    "to_arrow",
]
