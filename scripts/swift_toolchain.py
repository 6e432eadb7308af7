"""Finds the Swift toolchain. Run as a program it prints the path of ``swift``, or one sentence about what to do."""

import os
import shutil
import sys
from pathlib import Path

USUAL_PLACES = ("/opt/swift/usr/bin/swift", "/usr/local/swift/usr/bin/swift", "~/.local/share/swiftly/bin/swift")


def find_swift() -> str:
    """Path of ``swift``: what ``SWIFT`` names, else the one on ``PATH``, else one in the usual places."""
    named = os.environ.get("SWIFT")
    if named:
        found = shutil.which(named)
        if found is None:
            sys.exit(f"SWIFT is set to {named!r}, which is not a program: set it to the path of `swift`, or unset it.")
        return found
    found = shutil.which("swift")
    if found:
        return found
    for place in USUAL_PLACES:
        path = Path(place).expanduser()
        if os.access(path, os.X_OK):
            return str(path)
    sys.exit(
        "ArrowCache needs the Swift toolchain (6.2 or later) to build: install it (https://www.swift.org/install/linux) "
        "and put `swift` on PATH, or set SWIFT to its path."
    )


if __name__ == "__main__":
    print(find_swift())
