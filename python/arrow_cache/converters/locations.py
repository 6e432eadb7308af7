"""Where files are: a file system and paths in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs

from ..errors import InvalidArgument, MissingFileError, StorageError

__all__ = ["Location", "local", "remote"]


@dataclass(frozen=True, slots=True)
class Location:
    """Files and folders of one file system.

    Attributes
    ----------
    filesystem : pyarrow.fs.FileSystem
        Knows the paths.
    paths : list of str
        Files and folders, in order.
    is_local : bool
        Whether they can be mapped into memory and opened by DuckDB.
    shown : str
        What the user wrote, for messages.
    """

    filesystem: Any
    paths: list[str]
    is_local: bool
    shown: str

    def open(self, path: str) -> Any:
        """A file to read from any position."""
        return pa.memory_map(path) if self.is_local and os.path.getsize(path) else self.filesystem.open_input_file(path)

    def files(self) -> list[str]:
        """All files: those named, and those in folders, in order of their paths; hidden ones are left out."""
        found: list[str] = []
        for path in self.paths:
            info = self.filesystem.get_file_info(path)
            if info.type == pafs.FileType.NotFound:
                raise MissingFileError(f"{path!r} of {self.shown} is not there")
            found += [path] if info.type == pafs.FileType.File else self._inside(path)
        if not found:
            raise MissingFileError(f"{self.shown} has no files")
        return found

    def _inside(self, folder: str) -> list[str]:
        selector = pafs.FileSelector(folder, recursive=True)
        infos = [info for info in self.filesystem.get_file_info(selector) if info.type == pafs.FileType.File]
        within = len(folder.rstrip("/")) + 1
        return sorted(info.path for info in infos if not _is_hidden(info.path[within:]))


def _is_hidden(path: str) -> bool:
    return any(part.startswith((".", "_")) and "=" not in part for part in path.split("/"))


def local(paths: list[str], texts: list[str]) -> Location:
    """Paths on this machine."""
    return Location(pafs.LocalFileSystem(), [os.path.abspath(path) for path in paths], True, ", ".join(texts[:3]))


def remote(urls: list[str]) -> Location:
    """URLs of one file system, by Arrow's own client where it has one, else by fsspec; globs are expanded.

    Raises
    ------
    StorageError
        Neither knows the scheme.
    """
    try:
        opened = [pafs.FileSystem.from_uri(url) for url in urls]
        if isinstance(opened[0][0], pafs.LocalFileSystem):
            return local([path for _, path in opened], urls)
        return Location(opened[0][0], [path for _, path in opened], False, ", ".join(urls[:3]))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        if urls[0].startswith("file:"):
            raise InvalidArgument(f"{urls[0]!r} is no file URL: {error}") from error
    try:
        import fsspec
    except ImportError as error:
        raise StorageError(
            f"{urls[0]!r} needs fsspec to be opened: pip install fsspec, and the client it names"
        ) from error
    try:
        paths: list[str] = []
        for url in urls:
            filesystem, path = fsspec.core.url_to_fs(url)
            paths += sorted(filesystem.glob(path)) if any(sign in path for sign in "*?[") else [path]
    except (ImportError, OSError, ValueError) as error:
        raise StorageError(f"{urls[0]!r} cannot be opened: {error}") from error
    if not paths:
        raise MissingFileError(f"no file fits {urls[0]!r}")
    return Location(pafs.PyFileSystem(pafs.FSSpecHandler(filesystem)), paths, False, ", ".join(urls[:3]))
