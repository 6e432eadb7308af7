"""The file itself: which Pythons load it, what it exports and what it needs."""

import ast
import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import arrow_cache
from arrow_cache import _core

FILE = Path(str(_core.__file__))

LOAD = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("_core", sys.argv[1])
core = importlib.util.module_from_spec(spec)
spec.loader.exec_module(core)
try:
    core.open_cache({"memory_limit": "much"}, "nowhere")
except TypeError as error:
    print(core.engine_version(), error)
"""


def interpreters() -> list[str]:
    """The Pythons from 3.11 on that stand beside the one that runs the tests, and those on the path."""
    beside = Path(sys.base_prefix).parent.glob("3.*/bin/python3")
    on_path = [shutil.which(f"python3.{minor}") for minor in range(11, 20)]
    found = {}
    for python in [sys.executable, *map(str, beside), *filter(None, on_path)]:
        run = subprocess.run([python, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True)
        version = tuple(map(int, run.stdout.split())) if run.returncode == 0 else (0, 0)
        if version >= (3, 11):
            found.setdefault(version, python)
    return list(found.values())


def symbols(*options: str) -> set[str]:
    nm = shutil.which("nm")
    if nm is None:
        pytest.skip("nm (binutils) is not installed")
    listing = subprocess.run([nm, "-D", *options, str(FILE)], capture_output=True, text=True, check=True).stdout
    return {line.split()[-1].partition("@")[0] for line in listing.splitlines()}


@pytest.mark.parametrize("python", interpreters())
def test_loads_without_any_package(python: str) -> None:
    run = subprocess.run([python, "-I", "-c", LOAD, str(FILE)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == f'{_core.engine_version()} options["memory_limit"] must be an int, not str'


def test_exports_its_init_function_alone() -> None:
    assert symbols("--defined-only") == {"PyInit__core"}


def test_needs_nothing_of_python_beyond_the_stable_abi() -> None:
    listed = pytest.importorskip("test.test_stable_abi_ctypes", reason="this Python comes without its own tests")
    # Documented as stable, but missing from the list, which has its name in builds that trace references.
    stable = set(re.findall(r"_?Py\w+", inspect.getsource(listed))) | {"PyModule_Create2"}
    needed = {name for name in symbols("--undefined-only") if re.match(r"_?Py", name)}
    assert "PyCapsule_New" in needed
    assert needed <= stable


def test_needs_no_library_beyond_the_system() -> None:
    readelf = shutil.which("readelf")
    if readelf is None:
        pytest.skip("readelf (binutils) is not installed")
    listing = subprocess.run([readelf, "-d", str(FILE)], capture_output=True, text=True, check=True).stdout
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", listing))
    assert needed <= {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libstdc++.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1", "libdl.so.2", "libpthread.so.0"}


def test_functions_are_those_of_the_type_stub() -> None:
    stub = ast.parse((Path(arrow_cache.__file__).parent / "_core.pyi").read_text())
    declared = {node.name: [argument.arg for argument in node.args.posonlyargs] for node in stub.body if isinstance(node, ast.FunctionDef)}
    present = {name: list(inspect.signature(value).parameters) for name, value in vars(_core).items() if inspect.isbuiltin(value)}
    assert present == declared
