"""Processes that change a storage until they are killed. Run as a program it imports everything once and forks a process for each line of
its input, ``LOAD FOLDER SEED DELAY``: kills it after so many seconds of work, and answers when it is gone. What it said is in ``FOLDER.said``."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd

from arrow_cache import ArrowCache


def change(state, choose, number):
    """The next change of a sequence: what, of which key, of how many rows, and the value of each key after it."""
    key = f"k{choose.randrange(6)}"
    word = choose.choices(["put", "remove", "clear", "ttl"], [80, 14, 1, 5])[0]
    rows = choose.randrange(1, 3000)
    if word == "put":
        state = {**state, key: number}
    elif word == "remove":
        state = {name: value for name, value in state.items() if name != key}
    elif word == "clear":
        state = {}
    return word, key, rows, state


def full(folder, seed, say):
    """Three threads with keys of their own; each change is said before it begins and when it is acknowledged."""
    cache = ArrowCache(
        spill_to_disk=False, persistent_storage=True, storage_path=folder, partition_size_rows=1000,
        enable_compression=seed % 3 == 2, compression_type="lz4",
    )

    def work(name, seed):
        choose = random.Random(seed)
        value = seed * 1_000_000
        while True:
            key = f"{name}{choose.randrange(3)}"
            word = choose.choices(["put", "remove", "ttl"], [75, 18, 7])[0]
            if word == "put":
                value += 1
                say(f"begin {key} {value}")
                cache.put(key, pd.DataFrame({"n": np.full(choose.randrange(1, 4000), value)}))
                say(f"done {key} {value}")
            elif word == "remove":
                say(f"begin {key} 0")
                cache.remove(key)
                say(f"done {key} 0")
            else:
                cache.update_ttl(key, 1e6)

    say("ready 0 0")
    for index in range(3):
        threading.Thread(target=work, args=("abc"[index], seed * 10 + index)).start()


def relaxed(folder, seed, say):
    """One thread with the changes of the seed; says when each begins and which are known to be on the disk."""
    cache = ArrowCache(
        spill_to_disk=False, persistent_storage=True, storage_path=folder, partition_size_rows=1000, durability="relaxed",
        memory_limit="64MiB", enable_compression=seed % 3 == 2,
    )
    choose, state, number = random.Random(seed), {}, 0
    say("ready 0 0")
    while True:
        number += 1
        word, key, rows, state = change(state, choose, number)
        say(f"begin {key} {number}")
        if word == "put":
            cache.put(key, pd.DataFrame({"n": np.full(rows, number)}))
        elif word == "remove":
            cache.remove(key)
        elif word == "clear":
            cache.clear()
        else:
            cache.update_ttl(key, 1e6)
        if number % 40 == 0:
            cache.flush()
            say(f"flushed {key} {number}")


class Killer:
    """The program, as a context."""

    def __enter__(self):
        self._process = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *error):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def kill(self, load, folder, seed):
        """Lets `load` work on a folder for a moment that follows from the seed; returns what it said, as words and numbers."""
        delay = random.Random(seed).uniform(0.0, 0.4)
        print(load, folder, seed, delay, sep="\t", file=self._process.stdin, flush=True)
        assert self._process.stdout.readline() == "killed\n"
        lines = Path(f"{folder}.said").read_text().splitlines()
        assert lines[0] == "ready 0 0"
        return [(word, key, int(number)) for word, key, number in (line.split() for line in lines[1:])]


def _serve():
    for line in sys.stdin:
        load, folder, seed, delay = line.rstrip("\n").split("\t")
        said = f"{folder}.said"
        file = os.open(said, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        child = os.fork()
        if child == 0:
            try:
                {"full": full, "relaxed": relaxed}[load](folder, int(seed), lambda text: os.write(file, f"{text}\n".encode()))
                time.sleep(60)
            finally:
                os._exit(1)  # never back in the loop
        while os.path.getsize(said) == 0:
            time.sleep(0.001)
        time.sleep(float(delay))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        os.close(file)
        print("killed" if os.WIFSIGNALED(status) else f"ended with {status}", flush=True)


if __name__ == "__main__":
    _serve()
