"""The folder of spilled rows: what is in it, when it goes, and what killed processes leave."""

import os
import shutil
import signal
import subprocess
import sys
import weakref

import numpy as np
import pyarrow as pa
import pytest
from spilling import LIMIT, MB, bytes_in, files_in, numbers, same, tiers, until

from arrow_cache import ArrowCache


# --- time to live -------------------------------------------------------------------------------------------------------------


class Array(np.ndarray):  # type: ignore[type-arg]
    """One that can be watched."""


def test_memory_of_what_expired_is_freed_without_a_call(spill):
    values = np.zeros(100_000).view(Array)
    watched = weakref.ref(values)
    with ArrowCache(memory_limit=LIMIT, spill_directory=spill) as cache:
        cache.put("t", pa.table({"x": pa.Array.from_buffers(pa.float64(), 100_000, [None, pa.py_buffer(values)])}), ttl=0.2)
        del values
        assert watched() is not None
        until(lambda: watched() is None)
        assert "t" not in cache


def test_files_of_what_expired_are_removed_without_a_call(small, spill):
    for number in range(6):
        small.put(f"t{number}", numbers(number), ttl=1.0)
    small.put("stays", numbers(9))
    assert len(files_in(spill)) > 1
    until(lambda: bytes_in(spill) < 4 * MB)
    until(lambda: small.get_keys() == ["stays"])
    assert small.status()["expired_count"] == 6


# --- the folder ---------------------------------------------------------------------------------------------------------------


def test_opening_a_cache_and_putting_what_fits_touch_no_disk(spill):
    with ArrowCache(memory_limit=LIMIT, spill_directory=spill) as cache:
        cache.put("t", numbers(0))
        cache.get("t", offset=5, limit=5)
        assert not spill.exists()


def test_closing_leaves_nothing_of_ours_and_all_that_is_foreign(spill):
    spill.mkdir()
    (spill / "notes.txt").write_text("mine")
    (spill / "1.arrow").write_text("mine too")
    (spill / "arrow-cache-old").mkdir()
    (spill / "arrow-cache-old" / "data").write_text("and this")
    with ArrowCache(memory_limit=LIMIT, spill_directory=spill) as cache:
        for number in range(6):
            cache.put(f"t{number}", numbers(number))
        assert len(files_in(spill)) > 3
    assert [str(file.relative_to(spill)) for file in files_in(spill)] == ["1.arrow", "arrow-cache-old/data", "notes.txt"]
    assert (spill / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("made", [True, False])
def test_where_no_file_can_be_written_entries_are_evicted(tmp_path, made):
    (tmp_path / "file").write_text("no folder")
    folder = tmp_path / "file" if made else tmp_path / "file" / "spill"
    with ArrowCache(memory_limit=LIMIT, spill_directory=folder) as cache:
        for number in range(6):
            cache.put(f"t{number}", numbers(number))
        status = cache.status()
        assert "t5" in cache and status["evicted_count"] >= 3 and tiers(cache)[0] <= LIMIT
        assert status["spill_failures"] > 0 and "file" in status["last_spill_failure"]
        same(cache.get("t5"), numbers(5))
        assert "spill" in cache._repr_html_()
    assert (tmp_path / "file").read_text() == "no folder"


def test_a_folder_that_is_removed_loses_no_more_than_its_rows(small, spill):
    for number in range(6):
        small.put(f"t{number}", numbers(number))
    for folder in spill.iterdir():  # not all at once: a thread of ours may write another file meanwhile
        shutil.rmtree(folder, ignore_errors=True)
    right = 0
    for number in range(6):
        try:
            found = small.get(f"t{number}")
        except OSError:
            continue
        same(found, numbers(number))
        right += 1
    assert right >= 1
    for number in range(10, 16):  # and it goes on
        small.put(f"t{number}", numbers(number))
    same(small.get("t15"), numbers(15))
    same(small.get("t14", "arrow"), numbers(14))
    assert tiers(small)[0] <= LIMIT


PROGRAM = """
import sys, time, os
import numpy as np, pyarrow as pa
from arrow_cache import ArrowCache
cache = ArrowCache(memory_limit=2_000_000, spill_directory=sys.argv[1])
for number in range(5):
    cache.put(f"t{number}", pa.table({"x": np.random.default_rng(number).random(200_000)}))
print(cache.status()["tiers"]["disk"]["bytes"], flush=True)
time.sleep(60)
"""


def test_what_a_killed_process_left_is_swept(spill):
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(spill)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert int(process.stdout.readline()) > 0
    process.send_signal(signal.SIGSTOP)  # it may still be writing in the background
    os.waitpid(process.pid, os.WUNTRACED)
    left = files_in(spill)
    assert left
    with ArrowCache(memory_limit=LIMIT, spill_directory=spill) as cache:  # the other one still lives
        for number in range(6):
            cache.put(f"t{number}", numbers(number))
        assert set(left) <= set(files_in(spill))
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert files_in(spill) == left
    with ArrowCache(memory_limit=LIMIT, spill_directory=spill) as cache:
        for number in range(6):
            cache.put(f"t{number}", numbers(number))
        assert not set(left) & set(files_in(spill))
    assert not files_in(spill)


def test_the_default_folder_is_in_the_working_directory_of_the_time_of_opening(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    with ArrowCache(memory_limit=LIMIT) as cache:
        monkeypatch.chdir(tmp_path / "b")
        for number in range(6):
            cache.put(f"t{number}", numbers(number))
        assert files_in(tmp_path / "a" / ".arrow_cache_spill") and not list((tmp_path / "b").iterdir())
