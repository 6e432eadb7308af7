"""Files of persisted entries with bytes changed, cut off, added, exchanged or gone: an error that names the file, or the right rows.

``ARROW_CACHE_DAMAGE_ROUNDS`` says how many in all, ``ARROW_CACHE_SEED`` which.
"""

import os
import resource
import shutil
import time

import numpy as np
import pyarrow as pa
import pytest
from converters.arrow_samples import TYPES

from arrow_cache import ArrowCache
from arrow_cache.errors import CacheError, StorageError, UnsupportedTypeError

ROUNDS = int(os.environ.get("ARROW_CACHE_DAMAGE_ROUNDS", "3000"))
SEED = int(os.environ.get("ARROW_CACHE_SEED", "1"))
KINDS = {"plain": {}, "lz4": {"compression_type": "lz4"}, "zstd": {"compression_type": "zstd"}, "parquet": {}}


def damage(content, other, rng):
    """Another content than this."""
    content = bytearray(content)
    match rng.integers(12):
        case 0 | 1:
            return content[: rng.integers(len(content))]
        case 2:
            return content + rng.bytes(rng.integers(1, 200))
        case 3:
            return bytearray(other)
        case 4 if rng.integers(4) == 0:
            return bytearray()
        case 5:
            start = rng.integers(len(content))
            content[start : start + 64] = bytes(len(content[start : start + 64]))
        case 6:
            start = rng.integers(len(content))
            content[start : start + 8] = b"\xff" * len(content[start : start + 8])
        case 7:
            start, length = rng.integers(len(content)), rng.integers(1, 256)
            del content[start : start + length]
        case _:
            for _ in range(rng.integers(1, 5)):
                content[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
    return content


def is_same(found, expected):
    return found.schema.equals(expected.schema, check_metadata=True) and (found.equals(expected) or repr(found.to_pylist()) == repr(expected.to_pylist()))


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_an_error_that_names_the_file_or_none(tmp_path, kind):
    rng = np.random.default_rng([SEED, *kind.encode()])
    options = {"enable_compression": True, **KINDS[kind]} if KINDS[kind] else {}
    with ArrowCache(spill_to_disk=False, partition_size_rows=3, **options) as cache:
        expected = {}
        for name, build in TYPES.items():
            column = build()
            table = pa.table({"x": column, "n": np.arange(len(column)), "s": [f"text {number} of some length" for number in range(len(column))]})
            try:
                cache.put(name, table)
                cache.persist(name, tmp_path, format="parquet" if kind == "parquet" else "arrow")
            except UnsupportedTypeError:
                continue
            expected[name] = cache.get(name)
        assert len(expected) > 50
        cache.clear()
        keys = {entry["path"]: entry["key"] for entry in cache.check(tmp_path)}
        assert set(keys.values()) == set(expected)
        paths = [path for path in sorted(tmp_path.rglob("*")) if path.is_file()]
        contents = {path: path.read_bytes() for path in paths}
        found_count = harmless = 0
        before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
        for number in range(ROUNDS // len(KINDS)):
            path = paths[rng.integers(len(paths))]
            others = [other for other in paths if other.suffix == path.suffix and (number % 2 or other.parent == path.parent)]
            content = damage(contents[path], contents[others[rng.integers(len(others))]], rng)
            # A mapped file is never written in place: those who read it would see that.
            path.unlink()
            path.write_bytes(content)
            key = keys[str(path.parent)]
            try:
                assert cache.load(key, tmp_path, verify=bool(number % 2)) is True
                assert is_same(cache.get(key), expected[key]), (number, str(path))
                harmless += 1
            except CacheError as error:
                assert isinstance(error, StorageError | UnsupportedTypeError), (number, repr(error))
                assert str(path) in str(error) or path.name == "manifest.json" and str(path.parent) in str(error), (number, str(path), str(error))
                found_count += 1
            cache.remove(key)
            path.unlink()
            path.write_bytes(contents[path])
        assert found_count > ROUNDS // len(KINDS) * 0.7, (found_count, harmless)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400 << 10, "kilobytes"
        assert time.monotonic() - started < 60 + ROUNDS * 0.1
        for key, table in expected.items():
            assert cache.load(key, tmp_path, verify=True)
            assert is_same(cache.get(key), table), key
    shutil.rmtree(tmp_path)
