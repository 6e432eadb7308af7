"""The known name that is nearest to a wrong one, for error messages."""

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
