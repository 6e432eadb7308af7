"""Checks what is promised about the wheel: its size, its one native file, that it needs no Swift, loads everywhere and imports quickly.

    .venv/bin/python scripts/check_wheel.py build/wheel/*.whl

Prints a line for each check; ends with status 1 when one fails.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

WHEEL_LIMIT_BYTES = 5_000_000
IMPORT_LIMIT_SECONDS = 0.150
PYTHONS = ("3.11", "3.12", "3.13")
NATIVE = "arrow_cache/_core.abi3.so"

# Nothing of the toolchain: neither on PATH nor in the loader's path.
BARE_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}

# Runs in each interpreter without any dependency of the package: loads the native file alone, names what it mapped.
LOAD = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("arrow_cache._core", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
assert isinstance(module.engine_version(), str)
print("%d.%d.%d" % sys.version_info[:3], module.engine_version())
for line in open("/proc/self/maps"):
    if "swift" in line.lower():
        print(line.split()[-1])
"""

IMPORT = """
import time
import duckdb, pandas, pyarrow
start = time.perf_counter()
import arrow_cache
print(time.perf_counter() - start)
"""


USE = """
import pandas
from arrow_cache import ArrowCache
with ArrowCache() as cache:
    cache.put("numbers", pandas.DataFrame({"a": [1, 2, 3]}))
    assert cache.query("SELECT sum(a) AS total FROM _cache_numbers")["total"].tolist() == [6]
    assert cache.get("numbers")["a"].tolist() == [1, 2, 3]
"""


def check_size(wheel: Path, native: Path) -> str:
    size = wheel.stat().st_size
    assert size < WHEEL_LIMIT_BYTES, f"the wheel has {size:,} bytes, the limit is {WHEEL_LIMIT_BYTES:,}"
    return f"{wheel.name}: {size / 1e6:.1f} MB (native part {native.stat().st_size / 1e6:.1f} MB unpacked)"


def check_native_files(files: list[str]) -> str:
    native = [name for name in files if ".so" in name or ".dylib" in name]
    assert native == [NATIVE], f"native files in the wheel: {native}"
    for name in ("arrow_cache/py.typed", "arrow_cache/_core.pyi"):
        assert name in files, f"{name} is missing from the wheel"
    return f"one native file, {NATIVE}, typed"


def check_exports(native: Path) -> str:
    tool = shutil.which("nm") or shutil.which("llvm-nm")
    assert tool, "nm is needed to list the exported symbols: install binutils"
    listing = subprocess.check_output([tool, "-D", "--defined-only", native], text=True)
    names = [line.split()[-1].split("@")[0] for line in listing.splitlines()]
    assert names == ["PyInit__core"], f"exported symbols: {names}"
    return "exports PyInit__core and nothing else"


def find_python(version: str) -> str | None:
    """An interpreter of this version that starts: on PATH, or among pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions")
    for candidate in (f"python{version}", *sorted(map(str, pyenv.glob(f"{version}.*/bin/python3")), reverse=True)):
        command = [candidate, "-c", "import sys; print(sys.executable)"]
        try:
            return subprocess.check_output(command, text=True, stderr=subprocess.DEVNULL).strip()
        except (OSError, subprocess.CalledProcessError):
            continue
    return None


def check_loading(native: Path) -> str:
    loaded, absent = [], []
    for version in PYTHONS:
        python = find_python(version)
        if python is None:
            absent.append(version)
            continue
        # -I -S: none of the interpreter's own packages or settings.
        result = subprocess.run(
            [python, "-I", "-S", "-c", LOAD, native], env=BARE_ENVIRONMENT, text=True, capture_output=True, check=False
        )
        assert result.returncode == 0, f"does not load on Python {version}:\n{result.stderr}"
        first, *mapped = result.stdout.splitlines()
        assert not mapped, f"on Python {version} it maps Swift's own libraries: {mapped}"
        loaded.append(first.split()[0])
    assert loaded, "no CPython to load it with"
    note = f" (not on this machine: {', '.join(absent)})" if absent else ""
    return f"loads without a Swift toolchain on CPython {', '.join(loaded)}{note}"


def check_use() -> str:
    result = subprocess.run([sys.executable, "-c", USE], env=BARE_ENVIRONMENT, text=True, capture_output=True, check=False)
    assert result.returncode == 0, f"put, query and get fail without the toolchain:\n{result.stderr}"
    return "put, query and get work with the toolchain off every path"


def check_import_time() -> str:
    seconds = []
    for _ in range(7):
        result = subprocess.run([sys.executable, "-c", IMPORT], env=BARE_ENVIRONMENT, text=True, capture_output=True, check=False)
        assert result.returncode == 0, f"arrow_cache does not import:\n{result.stderr}"
        seconds.append(float(result.stdout))
    median = statistics.median(seconds)
    assert median < IMPORT_LIMIT_SECONDS, f"import takes {median * 1e3:.0f} ms, the limit is {IMPORT_LIMIT_SECONDS * 1e3:.0f}"
    return f"imports in {median * 1e3:.0f} ms beyond pandas, pyarrow and duckdb (median of {len(seconds)})"


def main(wheel: Path) -> int:
    failures = 0
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        native = Path(archive.extract(NATIVE, folder))
        checks: list[Callable[[], str]] = [
            lambda: check_size(wheel, native),
            lambda: check_native_files(archive.namelist()),
            lambda: check_exports(native),
            lambda: check_loading(native),
            check_use,
            check_import_time,
        ]
        for check in checks:
            try:
                print(f"ok    {check()}", flush=True)
            except AssertionError as failure:
                failures += 1
                print(f"FAIL  {failure}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
