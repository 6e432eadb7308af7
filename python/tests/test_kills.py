"""SIGKILL at random moments of a running load: what another cache finds then. ``ARROW_CACHE_KILLS`` and ``ARROW_CACHE_RELAXED_KILLS`` say how often."""

import os
import random
import shutil

import pytest
from kill_loads import Killer, change

from arrow_cache import ArrowCache

FULL = int(os.environ.get("ARROW_CACHE_KILLS", "40"))
RELAXED = int(os.environ.get("ARROW_CACHE_RELAXED_KILLS", "25"))
FIRST = int(os.environ.get("ARROW_CACHE_SEED", "0"))


@pytest.fixture(scope="module")
def killer():
    with Killer() as killer:
        yield killer


def reopened(folder):
    """What a cache that opens the folder has: of each key the one value of its rows."""
    with ArrowCache(spill_to_disk=False, persistent_storage=True, storage_path=folder, delete_files_on_close=False) as cache:
        found = {}
        for key in cache.get_keys():
            values = set(cache.get(key)["n"])
            assert len(values) == 1, (key, values)
            found[key] = int(values.pop())
        assert not any(entry["problems"] for entry in cache.check())
    for path in folder.iterdir():
        if path.is_dir():
            assert {name.split("-")[0] for name in os.listdir(path)} <= {"part", "manifest.json"}, "no orphans"
            assert not [name for name in os.listdir(path) if "new" in name or ".tmp." in name]
    return found


@pytest.mark.parametrize("seed", range(FIRST, FIRST + FULL))
def test_what_was_acknowledged_is_there(tmp_path, killer, seed):
    """What was under way is there or not, whole, and nothing else is in the folder. Twice: the second process begins with what the first has left."""
    before = {}
    for number in (seed, seed + 1_000_000):
        known, begun = dict(before), {}
        for word, key, value in killer.kill("full", tmp_path / "s", number):
            (begun if word == "begin" else known)[key] = value
            if word == "done":
                begun.pop(key, None)
        found = reopened(tmp_path / "s")
        for key in known.keys() | begun.keys() | found.keys():
            allowed = {known.get(key, 0), begun.get(key, known.get(key, 0))}
            assert found.get(key, 0) in allowed, (key, found, allowed)
        before = found
        os.remove(tmp_path / "s.said")
    shutil.rmtree(tmp_path / "s")


@pytest.mark.parametrize("seed", range(FIRST, FIRST + RELAXED))
def test_relaxed_leaves_a_prefix(tmp_path, killer, seed):
    """The keys and rows are those after some change: not before the last flush, and of no change that came after one that is missing."""
    said = killer.kill("relaxed", tmp_path / "s", seed)
    begun = max((number for word, _, number in said if word == "begin"), default=0)
    flushed = max((number for word, _, number in said if word == "flushed"), default=0)
    choose, state, states, clearing = random.Random(seed), {}, [{}], []
    for number in range(1, begun + 1):
        word, _, _, after = change(state, choose, number)
        if word == "clear" and number > flushed:
            clearing.append(state)  # one key after the other
        state = after
        states.append(state)
    found = reopened(tmp_path / "s")
    inside = any(found.items() <= before.items() for before in clearing)
    assert found in states[flushed:] or inside, (found, flushed, begun, states[flushed:])
    shutil.rmtree(tmp_path / "s")
