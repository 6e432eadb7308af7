import inspect

import pytest

import arrow_cache
from arrow_cache import errors

NEAREST = {
    "CacheError": Exception,
    "InvalidArgument": ValueError,
    "InvalidArgumentType": TypeError,
    "UnsupportedTypeError": TypeError,
    "KeyNotFound": KeyError,
    "KeyExists": ValueError,
    "ConfigurationError": ValueError,
    "UnknownKeyError": KeyError,
    "MemoryLimitError": MemoryError,
    "StorageError": OSError,
    "ReadOnlyError": PermissionError,
    "MissingFileError": FileNotFoundError,
    "MissingPackageError": ImportError,
    "QueryError": RuntimeError,
    "QueryInterrupted": RuntimeError,
    "QueryTimeoutError": TimeoutError,
    "StreamError": RuntimeError,
    "ClosedError": RuntimeError,
    "ForkError": RuntimeError,
    "DuckDBError": RuntimeError,
}


def test_every_error_is_public_and_has_a_nearest_builtin():
    classes = {name: value for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)}
    assert set(classes) == set(errors.__all__) == set(NEAREST)
    for name, error in classes.items():
        assert getattr(arrow_cache, name) is error and name in arrow_cache.__all__
        assert issubclass(error, errors.CacheError) and issubclass(error, NEAREST[name])
        assert error.__doc__ and error.code


@pytest.mark.parametrize("name", NEAREST)
def test_the_message_is_what_is_shown(name):
    message = "no entry 'x': it's gone\nsecond line"
    error = getattr(errors, name)(message)
    assert str(error) == message and error.args == (message,)
    assert str(getattr(errors, name)()) == ""


def test_codes_are_those_of_the_engine():
    from arrow_cache import _core

    _core.register_errors(errors.BY_CODE)  # refuses a code that it does not have
    assert set(errors.BY_CODE) == {
        "argument", "type", "keyNotFound", "keyExists", "configuration", "memoryLimit", "storage", "readOnly", "query", "interrupted", "timeout",
        "stream", "closed", "fork", "duckdb",
    }  # fmt: skip
    assert all(error.code == code for code, error in errors.BY_CODE.items())
