"""Configuration that is validated already and has no effect yet: this list shrinks as the features come."""

import os
import sys
import warnings
from collections.abc import Mapping

from .config_keys import KEYS

#: The keys of a feature, and what happens in its place.
TO_COME: tuple[tuple[tuple[str, ...], str], ...] = (
    (("cache_query_plans",), "each query is planned anew"),
)


def without_effect(values: Mapping[str, object]) -> str | None:
    """What of `values` asks for a feature that is still to come, in one sentence; None where nothing does."""
    notes = []
    for names, instead in TO_COME:
        asked = [f"{name}={values[name]!r}" for name in names if name in values and _asks(name, values[name])]
        if asked:
            notes.append(f"{', '.join(asked)} ({instead})")
    if not notes:
        return None
    return f"without effect in this version of arrow_cache: {'; '.join(notes)}"


def _asks(name: str, value: object) -> bool:
    return value is True or (value is not False and value != KEYS[name].default)


def warn_without_effect(values: Mapping[str, object]) -> None:
    """Say what of `values` has no effect, as a warning at the line outside of this package that asked for it."""
    message = without_effect(values)
    if message is None:
        return
    here, level = os.path.dirname(__file__), 1
    frame = sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(here):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, UserWarning, stacklevel=level)
