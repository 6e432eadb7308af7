"""What the tests of Arrow files share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from ipc_tool import Tool, build_tool


@pytest.fixture(scope="session")
def tool_program() -> Path:
    """The program, built once."""
    return build_tool()


@pytest.fixture
def tool(tool_program: Path) -> Iterator[Tool]:
    """A running tool; a crash of it fails the test."""
    running = Tool(tool_program)
    yield running
    running.close()
