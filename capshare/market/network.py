"""The best flows by OR-tools' min-cost flow: exact, for books of any size.

Network: source → group (an arc an offer) → sets of groups → kind → sink (an arc a request). Two
things keep it small:

- Only the order of the perturbed prices matters (their optimal sets form a matroid), so prices of
  112 bits are replaced by their ranks.
- A kind is not joined to each group that it can use but to sets of them: a window is a few aligned
  blocks of 2^k slots, a block two halves, a slot's groups of some credit those of more credit and
  a few others. Kinds share the nodes of equal sets. Long ways cost time too, so this is done only
  where it saves most of the arcs.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from capshare.errors import CapshareError
from capshare.market.listing import Kind, Listing, members, profile_groups

FLOW_END: Final = 1 << 62  # what a node may carry in all: OR-tools computes with 64 bits

#: Sets must save this many arcs for each that they need (measured).
_SAVING: Final = 8

_SOURCE, _SINK, _FIRST = 0, 1, 2  # nodes; groups come from _FIRST on


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
    sets = _inner(listing)
    ask_ranks, bid_ranks, ranks = _ranks(listing)
    offers, requests = len(listing.offers), len(listing.requests)
    offered = [offer.quantity for offer in listing.offers]
    wanted = [request.quantity for request in listing.requests]
    total = min(sum(offered), sum(wanted))

    # A unit that is not traded goes straight from source to sink at the cost `ranks`, one that is
    # at its ask plus (ranks - bid): cheaper iff the bid exceeds the ask, and no cost is negative.
    group_nodes = [_FIRST + group for group in listing.group_of]
    kind_nodes = [sets.kind_nodes[kind] for kind in listing.kind_of]
    inner = len(sets.tails)
    flow = SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        np.array([_SOURCE] * offers + kind_nodes + sets.tails + [_SOURCE], dtype=np.int32),
        np.array(group_nodes + [_SINK] * requests + sets.heads + [_SINK], dtype=np.int32),
        np.array(offered + wanted + [total] * inner + [total], dtype=np.int64),
        np.array(
            ask_ranks + [ranks - rank for rank in bid_ranks] + [0] * inner + [ranks],
            dtype=np.int64,
        ),
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


def _inner(listing: Listing) -> "_Sets":
    """Return the network between groups and kinds: through sets, or plain where that is better."""
    through_sets = _Sets(listing)
    pairs = sum(groups.bit_count() for groups in listing.eligible)
    if pairs > _SAVING * len(through_sets.tails):
        return through_sets
    return _Sets(listing, plain=True)


class _Sets:
    """Arcs from groups through sets of groups to kinds. A node comes after the nodes below it."""

    def __init__(self, listing: Listing, *, plain: bool = False) -> None:
        self.listing = listing
        self.tails: list[int] = []
        self.heads: list[int] = []
        self.count = _FIRST + len(listing.groups)
        if plain:
            self.kind_nodes = [
                self._make(_FIRST + group for group in members(groups))
                for groups in listing.eligible
            ]
            return
        self.profiles = profile_groups(listing.groups, listing.kinds)
        self.slots: list[int] = []  # that have groups, ascending
        self.starts: list[int] = []  # first group of each, and the end
        for group, key in enumerate(listing.groups):
            if not self.slots or key.slot != self.slots[-1]:
                self.slots.append(key.slot)
                self.starts.append(group)
        self.starts.append(len(listing.groups))
        self.better = self._better()
        self.known: dict[tuple[int, ...], int] = {}  # nodes by what is below them
        self.blocks: dict[tuple[tuple[int, int], int, int], int] = {}
        self.kind_nodes = [self._kind(kind) for kind in listing.kinds]

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

    def _better(self) -> dict[tuple[int, int], tuple[int, int]]:
        """Map each profile to that of the same needs and the next higher least credit."""
        ladder = sorted(self.profiles)
        return {low: high for low, high in pairwise(ladder) if low[0] == high[0]}

    def _kind(self, kind: Kind) -> int:
        """Make the node of a kind, below it the aligned blocks that make up its window."""
        low = bisect_left(self.slots, kind.first_slot)
        high = bisect_right(self.slots, kind.first_slot + kind.span)
        profile, level = (kind.needs, kind.min_credit), 0
        below = []
        while low < high:
            if low & 1:
                below.append(self._block(profile, level, low))
                low += 1
            if high & 1:
                high -= 1
                below.append(self._block(profile, level, high))
            low, high, level = low >> 1, high >> 1, level + 1
        return self._make(node for node in below if node)

    def _block(self, profile: tuple[int, int], level: int, place: int) -> int:
        """Return the node of a profile's groups in 2^level slots from `place` << level; 0: none."""
        node = self.blocks.get((profile, level, place))
        if node is None:
            if level:
                halves = (
                    self._block(profile, level - 1, 2 * place),
                    self._block(profile, level - 1, 2 * place + 1),
                )
                node = self._share([half for half in halves if half])
            else:
                node = self._slot(profile, place)
            self.blocks[profile, level, place] = node
        return node

    def _slot(self, profile: tuple[int, int], place: int) -> int:
        """Return the node of a profile's groups in one slot; 0: none."""
        start, end = self.starts[place], self.starts[place + 1]
        inside = (1 << end) - 1
        own, below = (self.profiles[profile] & inside) >> start, []
        better = self.better.get(profile)
        if better is not None and own:
            node = self._block(better, 0, place)
            own &= ~(self.profiles[better] >> start)
            below = [node] if node else []
        return self._share(below + [_FIRST + start + group for group in members(own)])

    def _share(self, below: list[int]) -> int:
        """Return the node above the given ones, or the only one; 0 if there are none."""
        if len(below) < 2:
            return below[0] if below else 0
        key = tuple(below)
        if key not in self.known:
            self.known[key] = self._make(below)
        return self.known[key]

    def _make(self, below: Iterable[int]) -> int:
        node = self.count
        self.count += 1
        for tail in below:
            self.tails.append(tail)
            self.heads.append(node)
        return node
