"""The key under which the result of a call is kept: the function, what its code is, and the values of its arguments."""

import dataclasses
import datetime as dt
import decimal
import enum
import functools
import hashlib
import inspect
import itertools
import os
import types
import uuid
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, cast

import numpy as np

from .errors import InvalidArgumentType

P = ParamSpec("P")
R = TypeVar("R")

#: Arguments longer than this, written out, appear in the key as a digest.
LONGEST_ARGUMENTS = 160
_PLAIN = (bool, int, float, complex, str, bytes, decimal.Decimal, uuid.UUID, dt.date, dt.time, dt.timedelta, dt.tzinfo)
_serial = itertools.count(1)


class Memoized(Protocol, Generic[P, R]):
    """A function whose results the cache keeps."""

    __wrapped__: Callable[P, R]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...

    def cache_key(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """The key of the call with these arguments."""

    def forget(self, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Remove the result of the call with these arguments; whether there was one."""


def memoized(
    function: Callable[P, R],
    key: Callable[..., str] | str | None,
    get_or_put: Callable[[str, Callable[[], R]], R],
    remove: Callable[[str], bool],
) -> Memoized[P, R]:
    """`function` with its results kept by `get_or_put` under keys made from its arguments.

    Raises
    ------
    InvalidArgumentType
        If it is not a plain function, method or callable, or is asynchronous or a generator.
    """
    if not callable(function):
        raise InvalidArgumentType(f"memoize decorates a function, not {type(function).__name__}")
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        raise InvalidArgumentType(f"memoize keeps tables: {_name(function)} returns a coroutine or generator, not a table")
    make_key = key if callable(key) else _key_maker(function, key)

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        return get_or_put(make_key(*args, **kwargs), lambda: function(*args, **kwargs))

    def forget(*args: P.args, **kwargs: P.kwargs) -> bool:
        return remove(make_key(*args, **kwargs))

    call.cache_key = make_key  # type: ignore[attr-defined]
    call.forget = forget  # type: ignore[attr-defined]
    return cast("Memoized[P, R]", call)


def _key_maker(function: Callable[..., object], name: str | None) -> Callable[..., str]:
    prefix = f"{_name(function)}#{_identity(function)}" if name is None else name
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        signature = None

    def make_key(*args: object, **kwargs: object) -> str:
        if signature is not None:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            args, kwargs = (), dict(bound.arguments)
        parts = [_written(value, f"argument {index} of {prefix}") for index, value in enumerate(args, start=1)]
        parts += [f"{name}={_written(value, f'argument {name!r} of {prefix}')}" for name, value in kwargs.items()]
        text = ", ".join(parts)
        if len(text) > LONGEST_ARGUMENTS:
            text = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        return f"{prefix}({text})"

    return make_key


def _name(function: Callable[..., object]) -> str:
    plain = inspect.unwrap(function)
    if isinstance(plain, functools.partial):
        plain = plain.func
    named = plain if hasattr(plain, "__qualname__") else type(plain)
    return f"{getattr(named, '__module__', None) or '?'}.{named.__qualname__}"


def _identity(function: Callable[..., object], within: frozenset[int] = frozenset()) -> str:
    """Digest of what the function is beside its name: its code and what it closes over, as it is now.

    Functions of one name (lambdas, functions made by functions, a notebook cell that was edited) stay apart by it.
    """
    plain = inspect.unwrap(function)
    if id(plain) in within:  # functions that call each other
        return "above"
    within |= {id(plain)}
    parts: list[object] = []
    if isinstance(plain, functools.partial):
        parts += [_closed_over(value, within) for value in (*plain.args, *plain.keywords.items())]
        plain = plain.func
    if isinstance(plain, types.MethodType):
        parts.append(_closed_over(plain.__self__, within))
        plain = plain.__func__
    if isinstance(plain, types.FunctionType):
        parts.append(_code(plain.__code__))
        for cell in plain.__closure__ or ():
            try:
                parts.append(_closed_over(cell.cell_contents, within))
            except ValueError:  # not filled yet: the function itself, as a rule
                parts.append("empty")
    else:
        parts.append(_closed_over(plain, within))
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _code(code: types.CodeType) -> object:
    constants = [_code(value) if isinstance(value, types.CodeType) else repr(value) for value in code.co_consts]
    return (code.co_code, code.co_names, constants)


def _closed_over(value: object, within: frozenset[int]) -> str:
    if isinstance(value, types.FunctionType):
        return f"{_name(value)}#{_identity(value, within)}"
    if isinstance(value, type | types.BuiltinFunctionType | types.ModuleType):
        return repr(value)
    try:
        return _written(value, "")
    except InvalidArgumentType:
        return f"object {next(_serial)}"  # can't be told apart by value: this decoration stands alone


def _written(value: object, where: str) -> str:
    """The value as text that no other value has; raises for what has no such text."""
    match value:
        case None | types.EllipsisType():
            return repr(value)
        case enum.Enum():
            return f"{type(value).__module__}.{type(value).__qualname__}.{value.name}"
        case np.generic():
            return f"{type(value).__name__}({value!r})"
        case _ if type(value) in _PLAIN or isinstance(value, dt.date | dt.time | dt.timedelta | dt.tzinfo):
            return repr(value)
        case os.PathLike():
            return f"Path({os.fspath(value)!r})"
        case type():
            return f"{value.__module__}.{value.__qualname__}"
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = [f"{field.name}={_written(getattr(value, field.name), where)}" for field in dataclasses.fields(value)]
            return f"{type(value).__module__}.{type(value).__qualname__}({', '.join(fields)})"
        case Mapping():
            pairs = sorted(f"{_written(name, where)}: {_written(item, where)}" for name, item in value.items())
            return f"{type(value).__name__}{{{', '.join(pairs)}}}"
        case Set():
            return f"{type(value).__name__}{{{', '.join(sorted(_written(item, where) for item in value))}}}"
        case slice() | range():
            return f"{type(value).__name__}({_written((value.start, value.stop, value.step), where)})"
        case list() | tuple():
            return f"{type(value).__name__}[{', '.join(_written(item, where) for item in cast('Sequence[object]', value))}]"
    raise InvalidArgumentType(
        f"{where}: a {type(value).__name__} has no text that tells it apart from others of its kind; "
        "give memoize a key: a function of the same arguments that returns a str"
    )
