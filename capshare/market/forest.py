"""Fewer fills: flows between groups and kinds without a cycle, and fills laid along them.

A cycle of flows between groups and kinds can be turned by any quantity without changing what any
order trades, until one flow is zero. Without cycles, E flows between V groups and kinds have
E < V; laid over the orders in a row that makes fewer fills than there are orders with one.
"""

from collections.abc import Iterator, Mapping, Sequence

from capshare.market.listing import Listing
from capshare.market.prices import PlacedFill

#: Quantity by (group, kind).
Flows = Mapping[tuple[int, int], int]


def acyclic(flows: Flows) -> dict[tuple[int, int], int]:
    """Return flows with the same total in each group and kind, and no cycle.

    Flows join a forest one by one; one that would close a cycle is turned away round it.
    """
    forest = _Forest()
    for (group, kind), quantity in sorted(flows.items()):
        forest.add(group, ~kind, quantity)  # ~kind: negative, so no kind is taken for a group
    return dict(sorted(forest.flows()))


def lay(
    listing: Listing, flows: Flows, sold: Sequence[int], bought: Sequence[int]
) -> list[PlacedFill]:
    """Lay flows over the orders that trade, earliest first; fills ascend by positions.

    `sold` and `bought` are quantities by position; they add up to the flows in each group and kind.
    """
    supply: list[list[list[int]]] = [[] for _ in listing.groups]
    for offer in reversed(range(len(sold))):
        if sold[offer]:
            supply[listing.group_of[offer]].append([offer, sold[offer]])
    demand: list[list[list[int]]] = [[] for _ in listing.kinds]
    for request in reversed(range(len(bought))):
        if bought[request]:
            demand[listing.kind_of[request]].append([request, bought[request]])
    fills: list[PlacedFill] = []
    for (group, kind), flow in sorted(flows.items()):
        rest = flow
        while rest:
            seller, buyer = supply[group][-1], demand[kind][-1]
            quantity = min(rest, seller[1], buyer[1])
            fills.append((buyer[0], seller[0], quantity))
            rest -= quantity
            seller[1] -= quantity
            buyer[1] -= quantity
            if not seller[1]:
                supply[group].pop()
            if not buyer[1]:
                demand[kind].pop()
    return sorted(fills)


class _Forest:
    """Trees of nodes (groups, complemented kinds) by parent; a flow is kept at the child."""

    def __init__(self) -> None:
        self.parent: dict[int, int] = {}
        self.quantity: dict[int, int] = {}

    def flows(self) -> Iterator[tuple[tuple[int, int], int]]:
        for child, parent in self.parent.items():
            group, kind = (child, ~parent) if child >= 0 else (parent, ~child)
            yield (group, kind), self.quantity[child]

    def add(self, group: int, kind: int, quantity: int) -> None:
        """Add a flow; if it closes a cycle, push it round the other way until one is zero."""
        cycle = self._path(group, kind)
        if cycle is None:
            self._link(group, kind, quantity)
            return
        # Neighbours in the cycle alternate. What sits beside the new flow grows as it shrinks.
        growing, shrinking = cycle[::2], cycle[1::2]
        pushed = min([quantity, *(self.quantity[child] for child in shrinking)])
        for child in growing:
            self.quantity[child] += pushed
        for child in shrinking:
            self.quantity[child] -= pushed
            if not self.quantity[child]:
                del self.parent[child], self.quantity[child]
        if quantity > pushed:
            self._link(group, kind, quantity - pushed)

    def _path(self, start: int, end: int) -> list[int] | None:
        """Return the edges from `start` to `end` in order, by their child; None: not connected."""
        up = [start]
        while up[-1] in self.parent:
            up.append(self.parent[up[-1]])
        place = {node: index for index, node in enumerate(up)}
        down = []
        node = end
        while node not in place:
            if node not in self.parent:
                return None
            down.append(node)
            node = self.parent[node]
        return up[: place[node]] + down[::-1]

    def _link(self, node: int, other: int, quantity: int) -> None:
        """Make `node` the root of its tree, then a child of `other`."""
        parent, carried = other, quantity
        while True:
            following = self.parent.get(node)
            before = self.quantity.get(node, 0)
            self.parent[node], self.quantity[node] = parent, carried
            if following is None:
                return
            node, parent, carried = following, node, before
