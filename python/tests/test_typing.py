import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")
PACKAGE = Path(__file__).parents[1] / "arrow_cache"
ROOT = PACKAGE.parents[1]
#: Without the stubs of pandas everything of pandas counts as Any.
WITHOUT_STUBS = [] if importlib.util.find_spec("pandas-stubs") else ["--disable-error-code", "import-untyped"]


def check(*arguments):
    """Run mypy with the project's configuration; its output, empty where there is nothing to say."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file", str(ROOT / "pyproject.toml"), *WITHOUT_STUBS, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "MYPYPATH": str(PACKAGE.parent)},
    )
    return done.stdout + done.stderr


def test_the_package_is_typed_throughout():
    assert check(str(PACKAGE)) == ""


def test_type_checkers_know_the_configuration_keys(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "from arrow_cache import ArrowCache, ArrowCacheConfig\n"
        "import pandas as pd\n"
        "cache = ArrowCache(memory_limit='1GB', thread_count=2)\n"
        "limit: int = cache.config.thread_count\n"
        "ArrowCacheConfig(memory_limt=1)\n"
        "ArrowCache(thread_count='two')\n"
        "@cache.memoize(ttl=5)\n"
        "def frame(count: int) -> pd.DataFrame: return pd.DataFrame({'a': range(count)})\n"
        "size: int = len(frame(3))\n"
        "frame('three')\n"
        "key: str = frame.cache_key(3)\n"
    )
    lines = [line.split("program.py:")[1] for line in check(str(program)).splitlines() if ": error:" in line]
    assert [line.split(":")[0] for line in lines] == ["5", "6", "10"], lines
