"""Builds the Swift engine and puts it into the package as ``arrow_cache/_core.abi3.so``.

The version is the engine's own, read from its source. Everything else about the package stands in pyproject.toml.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "scripts"))

from swift_toolchain import find_swift  # noqa: E402

PRODUCT = "_core"
VERSION_FILE = ROOT / "Sources" / "ArrowCache" / "ArrowCache.swift"


def engine_version() -> str:
    found = re.search(r'static let version = "([^"]+)"', VERSION_FILE.read_text(encoding="utf-8"))
    if found is None:
        sys.exit(f"{VERSION_FILE} has no `static let version = \"…\"`, which is the version of the package.")
    return found[1]


def replace_file(source: Path, target: Path) -> None:
    """Copy ``source`` beside ``target`` and move it there: a process that has the old file mapped keeps it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=target.name, suffix=".tmp", dir=target.parent)
    os.close(descriptor)
    try:
        shutil.copyfile(source, temporary)
        os.chmod(temporary, 0o755)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def run_showing_output(command: list[str]) -> None:
    """Run the compiler; where it fails, end with one sentence after its own words."""
    missing = set()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            missing.update(re.findall(r"-l:lib(lz4|zstd)\.a", line) if "unable to find library" in line else ())
    if missing:
        packages = " ".join(f"lib{name}-dev" for name in sorted(missing))
        sys.exit(f"The Swift engine needs {packages} to build: install with `sudo apt-get install {packages}` (or what this system calls them).")
    if process.returncode:
        sys.exit(f"The Swift engine did not build: `{' '.join(command)}` ended with {process.returncode}.")


class BuildPackage(build_py):
    """Starts from an empty folder: modules of an earlier build that are gone now must not get into the wheel."""

    def run(self) -> None:
        if not self.editable_mode:
            shutil.rmtree(Path(self.build_lib) / "arrow_cache", ignore_errors=True)
        super().run()


class BuildEngine(build_ext):
    """Asks Swift for the shared library; no C compiler takes part."""

    def build_extension(self, ext: Extension) -> None:
        command = [find_swift(), "build", "-c", "release", "--package-path", str(ROOT), "--product", PRODUCT]
        run_showing_output(command)
        folder = subprocess.check_output([*command, "--show-bin-path"], text=True).strip()
        replace_file(Path(folder) / f"lib{PRODUCT}.so", Path(self.get_ext_fullpath(ext.name)))

    def copy_extensions_to_source(self) -> None:
        for extension in self.extensions:
            built = Path(self.build_lib, self.get_ext_filename(extension.name))
            replace_file(built, ROOT / "python" / self.get_ext_filename(extension.name))


setup(
    version=engine_version(),
    ext_modules=[Extension("arrow_cache._core", sources=[], py_limited_api=True)],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
    cmdclass={"build_py": BuildPackage, "build_ext": BuildEngine},
)
