"""The best flows by OR-tools' min-cost flow: exact, for books of any size.

Network: source → group (an arc an offer) → sets of groups → kind → sink (an arc a request). Two
things keep it small:

- Only the order of the perturbed prices matters (their optimal sets form a matroid), so prices of
  112 bits are replaced by their ranks.
- A kind is not joined to each group that it can use: a window is two overlapping blocks of 2^k
  slots, a block is two halves, and blocks with the same groups are one node for all kinds.
"""

from bisect import bisect_right
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from capshare.errors import CapshareError
from capshare.market.listing import Listing, members

if TYPE_CHECKING:
    import numpy as np

FLOW_END: Final = 1 << 62  # what a node may carry in all: OR-tools computes with 64 bits

_SOURCE, _SINK, _FIRST = 0, 1, 2  # nodes; groups come from _FIRST on
_DIRECT: Final = 4  # sets of so few groups are not worth a node


class MissingSolver(CapshareError):
    """Report that OR-tools is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "OR-tools, which solves large books, is not installed",
            next_step="Run: pip install 'capshare[solver]'",
        )


def is_installed() -> bool:
    """Tell whether OR-tools can be imported."""
    try:
        import ortools.graph.python.min_cost_flow  # noqa: F401
    except ImportError:
        return False
    return True


def best_flows(listing: Listing) -> tuple[list[int], list[int], dict[tuple[int, int], int]]:
    """Return what each offer sells and each request buys, by position, and the flows between.

    Flows are quantities by (group, kind), without zeros. Raise `MissingSolver` without OR-tools.
    Assumes that the quantities of a side add up to less than FLOW_END.
    """
    try:
        import numpy as np
        from ortools.graph.python.min_cost_flow import SimpleMinCostFlow
    except ImportError as error:
        raise MissingSolver from error
    sets = _Sets(listing)
    ask_ranks, bid_ranks, ranks = _ranks(listing)
    offers, requests = len(listing.offers), len(listing.requests)
    offered = [offer.quantity for offer in listing.offers]
    wanted = [request.quantity for request in listing.requests]
    total = min(sum(offered), sum(wanted))

    def column(parts: Iterable[Iterable[int]], kind: "type[np.signedinteger]") -> "np.ndarray":
        return np.concatenate([np.fromiter(part, dtype=kind) for part in parts])

    # A unit that is not traded goes straight from source to sink at the cost `ranks`, one that is
    # at its ask plus (ranks - bid): cheaper iff the bid exceeds the ask, and no cost is negative.
    group_nodes = [_FIRST + group for group in listing.group_of]
    kind_nodes = [sets.kind_nodes[kind] for kind in listing.kind_of]
    inner = len(sets.tails)
    flow = SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        column(([_SOURCE] * offers, kind_nodes, sets.tails, [_SOURCE]), np.int32),
        column((group_nodes, [_SINK] * requests, sets.heads, [_SINK]), np.int32),
        column((offered, wanted, [total] * inner, [total]), np.int64),
        column((ask_ranks, [ranks - rank for rank in bid_ranks], [0] * inner, [ranks]), np.int64),
    )
    flow.set_node_supply(_SOURCE, total)
    flow.set_node_supply(_SINK, -total)
    status = flow.solve()
    if status != flow.OPTIMAL:
        raise CapshareError(
            f"OR-tools did not solve the book: {status.name}",
            next_step="Report it with the book.",
        )
    quantities = flow.flows(arcs).tolist()
    return (
        quantities[:offers],
        quantities[offers : offers + requests],
        sets.split(quantities[:offers], quantities[offers + requests : -1]),
    )


def _ranks(listing: Listing) -> tuple[list[int], list[int], int]:
    """Replace perturbed asks and bids by their places among all of them, from 0."""
    prices = [offer.perturbed for offer in listing.offers]
    prices += [request.perturbed for request in listing.requests]
    ranks = [0] * len(prices)
    for rank, position in enumerate(sorted(range(len(prices)), key=prices.__getitem__)):
        ranks[position] = rank
    return ranks[: len(listing.offers)], ranks[len(listing.offers) :], len(prices)


class _Sets:
    """Arcs from groups through sets of groups to kinds. A node comes after the nodes below it."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.tails: list[int] = []
        self.heads: list[int] = []
        self.nodes = {1 << group: _FIRST + group for group in range(len(listing.groups))}
        self.count = _FIRST + len(listing.groups)
        self.starts: list[int] = []  # first group of each slot that has one, and the end
        for group, key in enumerate(listing.groups):
            if not group or key.slot != listing.groups[group - 1].slot:
                self.starts.append(group)
        self.starts.append(len(listing.groups))
        self.kind_nodes = [self._kind(groups) for groups in listing.eligible]

    def split(self, sold: list[int], carried: list[int]) -> dict[tuple[int, int], int]:
        """Follow the flows of the inner arcs from the groups to the kinds."""
        holds: dict[int, list[list[int]]] = {}  # node: [group, quantity] that came in
        for position, quantity in enumerate(sold):
            if quantity:
                group = self.listing.group_of[position]
                held = holds.setdefault(_FIRST + group, [[group, 0]])
                held[0][1] += quantity
        order = sorted(
            (tail, head, quantity)
            for tail, head, quantity in zip(self.tails, self.heads, carried, strict=True)
            if quantity
        )
        for tail, head, quantity in order:
            held, there = holds[tail], holds.setdefault(head, [])
            rest = quantity
            while rest:
                last = held[-1]
                part = min(rest, last[1])
                there.append([last[0], part])
                rest -= part
                last[1] -= part
                if not last[1]:
                    held.pop()
        flows: dict[tuple[int, int], int] = {}
        for kind, node in enumerate(self.kind_nodes):
            for group, quantity in holds.get(node, ()):
                flows[group, kind] = flows.get((group, kind), 0) + quantity
        return flows

    def _kind(self, groups: int) -> int:
        """Make a node for a kind that can use `groups`."""
        return self._node(self._sources(groups))

    def _sources(self, groups: int) -> list[int]:
        """Return the nodes whose groups are together `groups`, made as needed."""
        if not groups:
            return []
        first = bisect_right(self.starts, (groups & -groups).bit_length() - 1) - 1
        last = bisect_right(self.starts, groups.bit_length() - 1) - 1
        if first == last or groups.bit_count() <= _DIRECT:
            return [_FIRST + group for group in members(groups)]
        length = 1 << (last - first).bit_length() - 1  # 2^k < slots <= 2^(k+1)
        return [
            self._set(groups & (1 << self.starts[first + length]) - 1),
            self._set(groups >> self.starts[last + 1 - length] << self.starts[last + 1 - length]),
        ]

    def _set(self, groups: int) -> int:
        """Return the node of a set of groups."""
        if groups not in self.nodes:
            self.nodes[groups] = self._node(self._sources(groups))
        return self.nodes[groups]

    def _node(self, sources: list[int]) -> int:
        self.count += 1
        self.tails += sources
        self.heads += [self.count - 1] * len(sources)
        return self.count - 1
