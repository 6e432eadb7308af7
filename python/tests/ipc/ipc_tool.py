"""Talks to ``ipc-tool``, the program of the Swift package that reads and writes Arrow files for tests."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]


class ToolError(Exception):
    """What the tool could not do, in its words."""


def build_tool() -> Path:
    """The tool that ``ARROW_CACHE_IPC_TOOL`` names, else one that is built now, in the folder that Swift builds in."""
    named = os.environ.get("ARROW_CACHE_IPC_TOOL")
    if named:
        return Path(named)
    sys.path.insert(0, str(ROOT / "scripts"))
    from swift_toolchain import find_swift

    command = [find_swift(), "build", "--package-path", str(ROOT), "--product", "ipc-tool"]
    built = subprocess.run(command, capture_output=True, text=True)
    if built.returncode:
        raise RuntimeError(f"`{' '.join(command)}` ended with {built.returncode}:\n{built.stdout}{built.stderr}")
    folder = subprocess.check_output([*command, "--show-bin-path"], text=True).strip()
    return Path(folder) / "ipc-tool"


class Tool:
    """A running ``ipc-tool``."""

    def __init__(self, program: Path) -> None:
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait() == 0

    def run(self, *words: str | Path, **options: Any) -> dict[str, str]:
        """Gives a command; returns the facts in the answer.

        Raises
        ------
        ToolError
            With the engine's message.
        """
        assert self.process.stdin is not None and self.process.stdout is not None
        parts = [str(word) for word in words] + [f"{name}={value}" for name, value in options.items()]
        self.process.stdin.write("\t".join(parts) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().rstrip("\n")
        if not answer.startswith("ok"):
            raise ToolError(answer.removeprefix("error ") or f"the tool ended with {self.process.wait()}")
        return dict(fact.split("=", 1) for fact in answer.split(" ")[1:] if fact)
