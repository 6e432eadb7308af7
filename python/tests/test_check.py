"""`check` and the command line."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from arrow_cache import ArrowCache
from arrow_cache.command_line import main
from arrow_cache.errors import InvalidArgumentType, StorageError


@pytest.fixture
def folder(tmp_path):
    with ArrowCache(spill_to_disk=False, partition_size_rows=100) as cache:
        for key in ("good", "bad"):
            cache.put(key, pd.DataFrame({"n": np.arange(250)}))
            cache.persist(key, tmp_path)
    part = sorted(tmp_path.glob("bad-*/part-000001-*"))[0]
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
    return tmp_path


def test_check_names_and_repairs(folder, cache):
    found = {entry["key"]: entry for entry in cache.check(folder)}
    assert found["good"]["problems"] == [] and found["good"]["num_rows"] == 250 and found["good"]["size_bytes"] > 2000
    assert "part-000001" in found["bad"]["problems"][0] and not found["bad"]["repaired"]
    assert [entry["repaired"] for entry in cache.check(folder, repair=True) if entry["key"] == "bad"] == [True]
    assert [entry["key"] for entry in cache.check(folder)] == ["good"]
    assert cache.load("good", folder, verify=True) and not cache.load("bad", folder)


def test_what_is_not_ours_is_not_repaired(folder, cache):
    part = sorted(folder.glob("bad-*/part-000001-*"))[0]
    part.unlink()
    part.mkdir()
    assert [entry["repaired"] for entry in cache.check(folder, repair=True) if entry["key"] == "bad"] == [False]
    assert part.is_dir()
    assert main(["check", str(folder), "--repair"]) != 0


def test_check_says_what_it_cannot_do(tmp_path, cache):
    with pytest.raises(StorageError, match="no such folder"):
        cache.check(tmp_path / "nowhere")
    with pytest.raises(InvalidArgumentType, match="repair"):
        cache.check(tmp_path, repair="yes")
    with ArrowCache(spill_to_disk=False, persistent_storage=True, storage_path=tmp_path) as other:
        assert other.check() == []
        with pytest.raises(StorageError, match="in use"):
            cache.check(tmp_path, repair=True)


def test_the_command_line(folder, capsys):
    assert main(["check", str(folder)]) == 1
    said = capsys.readouterr().out
    assert "ok        'good'" in said and "DAMAGED   'bad'" in said and "2 entries, 1 with problems" in said
    done = subprocess.run([sys.executable, "-m", "arrow_cache", "check", "--repair", str(folder)], capture_output=True, text=True)
    assert done.returncode == 0 and "repaired" in done.stdout
    assert main(["check", str(folder)]) == 0
    assert main(["check", str(folder / "nowhere")]) == 2
    assert "nowhere" in capsys.readouterr().err
