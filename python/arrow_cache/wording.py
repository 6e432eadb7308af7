"""Words for error messages: the known name that is nearest to a wrong one, and a value in short."""

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The most similar of `known`, where upper and lower case count as the same; None where there is none at all.

    Examples
    --------
    >>> nearest("carier", ["origin", "Carrier"])
    'Carrier'
    """
    by_folded = {candidate.casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.0)
    return by_folded[found[0]] if found else None


def nearest_hint(name: str, known: Iterable[str]) -> str:
    """``"; the nearest is 'x'"``, or nothing."""
    found = nearest(name, known)
    return "" if found is None else f"; the nearest is {found!r}"


def shortened(value: object, longest: int = 60) -> str:
    """The value as Python would write it, cut where that is long; its type where it can't be written."""
    try:
        text = repr(value)
    except Exception:  # whatever a class of the caller's raises; Python itself does for integers of many digits
        return f"<{type(value).__name__}>"
    return text if len(text) <= longest else text[: longest - 3] + "..."
