"""Runs a command with ARROW_CACHE_LIBPYTHON and ARROW_CACHE_LIBDUCKDB set to this interpreter's own libraries.

The DuckDB wheel's shared object carries DuckDB's C API; a program without Python in it, such as `swift test`, loads the Python library
first and then that object.

    .venv/bin/python scripts/with_duckdb.py swift test
"""

import importlib.util
import os
import subprocess
import sys
import sysconfig
from pathlib import Path


def python_library() -> str | None:
    """Path of this Python's shared library, None where there is none (a statically linked interpreter)."""
    names = {sysconfig.get_config_var("INSTSONAME"), sysconfig.get_config_var("LDLIBRARY")}
    short = f"libpython{sysconfig.get_python_version()}.so"
    names |= {f"{short}.1.0", short}
    for folder in (sysconfig.get_config_var("LIBDIR"), f"{sys.base_prefix}/lib", "/usr/lib64", "/usr/local/lib"):
        for name in names:
            if folder and name and ".so" in name and (path := Path(folder, name)).exists():
                return str(path)
    return None


def main() -> None:
    spec = importlib.util.find_spec("_duckdb")
    if spec is None or spec.origin is None:
        sys.exit(f"DuckDB is not installed for {sys.executable}: pip install duckdb")
    library = python_library()
    if library is None:
        subprocess.run(["scripts/debian_packages", f"libpython{sysconfig.get_python_version()}"])
        library = python_library()
    if library is None:
        sys.exit(f"{sys.executable} has no shared library (libpython) beside it, which the Swift tests need: choose another with PYTHON=...")
    os.environ.update(ARROW_CACHE_LIBPYTHON=library, ARROW_CACHE_LIBDUCKDB=spec.origin)
    os.execvp(sys.argv[1], sys.argv[1:])


main()
