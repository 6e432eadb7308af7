"""The command ``arrow-cache``."""

import argparse
import sys
from collections.abc import Sequence

from .errors import CacheError
from .persisting import check_storage, folder_path
from .sizes import format_bytes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; 0: all is well, 1: problems were found, 2: it could not be done."""
    parser = argparse.ArgumentParser(prog="arrow-cache", description="Looks after the files of arrow_cache.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    check = verbs.add_parser("check", help="compare all that has been persisted to a folder with its checksums")
    check.add_argument("dir", help="the folder: storage_path, or storage_dir of persist")
    check.add_argument("--repair", action="store_true", help="remove what nobody can read")
    given = parser.parse_args(arguments)
    try:
        return _check(given.dir, repair=given.repair)
    except CacheError as error:
        print(f"arrow-cache: {error}", file=sys.stderr)
        return 2


def _check(folder: str, *, repair: bool) -> int:
    found = check_storage(folder_path(folder), repair=repair)
    wrong = [entry for entry in found if entry["problems"]]
    for entry in found:
        name = repr(entry["key"]) if entry["key"] is not None else entry["path"]
        state = "ok" if not entry["problems"] else "repaired" if entry["repaired"] else "DAMAGED"
        print(f"{state:8}  {name}  {entry['num_rows']:,} rows, {format_bytes(entry['size_bytes'])}")
        for problem in entry["problems"]:
            print(f"          {problem}")
    print(f"{len(found)} {'entry' if len(found) == 1 else 'entries'}, {len(wrong)} with problems")
    return 1 if any(not entry["repaired"] for entry in wrong) else 0
