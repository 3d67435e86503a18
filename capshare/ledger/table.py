"""A mapping whose copy costs nothing: a layer of changes over the table it was copied from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Table(dict[K, V], Generic[K, V]):
    """Map every key to a value, `default` unless set, as contract storage does.

    Read with `table[key]` and write with `table[key] = value`; `drop` forgets a key. A `layer` sees
    its base until it writes; whoever owns the layer must leave the base alone meanwhile. Membership
    tests and `get` would see one layer only and are not used.
    """

    __slots__ = ("_base", "default")

    def __init__(self, default: V, base: Table[K, V] | None = None) -> None:
        super().__init__()
        self.default = default
        self._base = base

    def __missing__(self, key: K) -> V:
        return self.default if self._base is None else self._base[key]

    def layer(self) -> Table[K, V]:
        """Return a copy to be changed without changing this table."""
        return Table(self.default, self)

    def drop(self, key: K) -> None:
        """Set the key back to the default."""
        if self._base is None:
            self.pop(key, None)
        else:
            self[key] = self.default

    def entries(self) -> Iterator[tuple[K, V]]:
        """List keys and values that differ from the default, oldest first."""
        if self._base is None:
            for key, value in self.items():
                if value != self.default:
                    yield key, value
            return
        merged: dict[K, V] = dict(self._base.entries())
        merged.update(self)
        for key, value in merged.items():
            if value != self.default:
                yield key, value
