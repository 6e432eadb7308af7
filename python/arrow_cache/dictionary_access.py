"""A cache used as a dictionary: ``cache[key]``, ``key in cache``, ``len(cache)``, ``for key in cache``."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, Final

from .errors import KeyNotFound

#: What `get` gives back where nothing else could be meant.
MISSING: Final = object()


class DictionaryAccess:
    """The operators of a dictionary, in terms of the methods that a cache has anyway."""

    __slots__ = ()

    @abstractmethod
    def put(self, key: str, data: object) -> str: ...

    @abstractmethod
    def get(self, key: str, target_type: str | None = None, default: Any = None) -> Any: ...

    @abstractmethod
    def remove(self, key: str) -> bool: ...

    @abstractmethod
    def contains(self, key: str) -> bool: ...

    @abstractmethod
    def get_keys(self) -> list[str]: ...

    def keys(self) -> list[str]:
        """The keys, in the order in which they were put; the same as `get_keys`."""
        return self.get_keys()

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key != "" and self.contains(key)

    def __getitem__(self, key: str) -> Any:
        found = self.get(key, default=MISSING)
        if found is MISSING:
            raise KeyNotFound(f"no entry {key!r}: never put, removed, evicted or expired")
        return found

    def __setitem__(self, key: str, data: object) -> None:
        self.put(key, data)

    def __delitem__(self, key: str) -> None:
        if not self.remove(key):
            raise KeyNotFound(f"no entry {key!r} to delete: never put, removed, evicted or expired")

    def __len__(self) -> int:
        return len(self.get_keys())

    def __bool__(self) -> bool:
        return True  # a cache without entries is still a cache

    def __iter__(self) -> Iterator[str]:
        return iter(self.get_keys())
