"""What a configuration value may be: each rule says it in words and turns a value into its one normal form."""

import math
import operator
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .converters import normalise_target, target_kinds
from .sizes import parse_bytes


@dataclass(frozen=True, slots=True)
class Rule:
    """The values that a key takes.

    Attributes
    ----------
    allowed : str
        The values in words, for error messages and documentation.
    accept : callable
        Gives the normal form of a value, or raises ``TypeError`` or ``ValueError``.
    """

    allowed: str
    accept: Callable[[object], object]


def _integer(value: object) -> int:
    if isinstance(value, bool):
        raise TypeError
    return operator.index(value)  # type: ignore[arg-type]  # refuses with TypeError what is not an integer


def _within(value: int, low: int, high: int | None) -> int:
    if value < low or (high is not None and value > high):
        raise ValueError
    return value


def optional(rule: Rule) -> Rule:
    """As `rule`, and None."""
    return Rule(f"{rule.allowed}, or None", lambda value: None if value is None else rule.accept(value))


def flag() -> Rule:
    """True or False, and nothing that only counts as one."""

    def accept(value: object) -> bool:
        if not isinstance(value, bool) and type(value).__name__ not in ("bool_", "bool"):
            raise TypeError
        return bool(value)

    return Rule("True or False", accept)


def whole(low: int, high: int | None = None) -> Rule:
    """An integer from `low` to `high`, both included."""
    span = f"from {low} to {high}" if high is not None else f"of at least {low}"
    return Rule(f"an integer {span}", lambda value: _within(_integer(value), low, high))


def seconds() -> Rule:
    """A duration: a finite number of seconds, 0 or more."""

    def accept(value: object) -> float:
        number = _real(value)
        if not math.isfinite(number) or number < 0:
            raise ValueError
        return number

    return Rule("a number of seconds of at least 0", accept)


def duration() -> Rule:
    """A time that something may take: a finite number of seconds above 0."""

    def accept(value: object) -> object:
        number = seconds().accept(value)
        if number == 0:
            raise ValueError
        return number

    return Rule("a number of seconds above 0", accept)


def share() -> Rule:
    """A part of a whole, above 0 and up to 1."""

    def accept(value: object) -> float:
        number = _real(value)
        if not 0 < number <= 1:
            raise ValueError
        return number

    return Rule("a number above 0 and up to 1", accept)


def size(*, of_machine: bool = False) -> Rule:
    """Bytes: an integer or a text with a unit; with `of_machine` also a float in (0, 1], a share of the machine's memory."""

    def accept(value: object) -> object:
        if isinstance(value, str):
            return _within(parse_bytes(value), 1, 2**63 - 1)
        if of_machine and not isinstance(value, int) and _is_float(value):
            return share().accept(value)
        return _within(_integer(value), 1, 2**63 - 1)

    shared = ", or a share of the machine's memory as a float above 0 and up to 1" if of_machine else ""
    return Rule(f"bytes as an integer of at least 1 or a text such as '4GB' or '512MiB'{shared}", accept)


def choice(names: Sequence[str]) -> Rule:
    """One of some names, in any case."""

    def accept(value: object) -> str:
        if not isinstance(value, str):
            raise TypeError
        if value.lower() not in names:
            raise ValueError
        return value.lower()

    return Rule("one of " + ", ".join(map(repr, names)), accept)


def target() -> Rule:
    """A form in which data can be given back."""
    return Rule("one of " + ", ".join(map(repr, target_kinds())), normalise_target)


def path() -> Rule:
    """A path of a file or folder; it need not be there."""

    def accept(value: object) -> str:
        text = os.fspath(value)  # type: ignore[call-overload]  # refuses with TypeError what is not a path
        if not isinstance(text, str):
            raise TypeError
        if not text or "\0" in text:
            raise ValueError
        return text

    return Rule("a path as str or os.PathLike", accept)


def names() -> Rule:
    """A list of names that are neither empty nor repeated."""

    def accept(value: object) -> list[str]:
        if isinstance(value, str | bytes) or not isinstance(value, Sequence | set | frozenset):
            raise TypeError
        given = sorted(value) if isinstance(value, set | frozenset) else list(value)
        if not all(isinstance(name, str) for name in given):
            raise TypeError
        if not all(name.isidentifier() for name in given) or len(set(given)) != len(given):
            raise ValueError
        return given

    return Rule("a list of names such as ['spatial'], each once", accept)


def numbers_by_name() -> Rule:
    """A mapping of names to finite numbers."""

    def accept(value: object) -> dict[str, float]:
        if not isinstance(value, Mapping):
            raise TypeError
        given: dict[str, float] = {}
        for name, number in value.items():
            if not isinstance(name, str):
                raise TypeError
            if not math.isfinite(_real(number)):
                raise ValueError
            given[name] = number
        return given

    return Rule("a mapping of names to numbers", accept)


def _is_float(value: object) -> bool:
    return not isinstance(value, bool) and hasattr(value, "__float__") and not hasattr(value, "__index__")


def _real(value: object) -> float:
    if isinstance(value, bool | str | bytes) or type(value).__name__ in ("bool_", "bool"):
        raise TypeError
    return float(value)  # type: ignore[arg-type]  # refuses with TypeError what is not a number
