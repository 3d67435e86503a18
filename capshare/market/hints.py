"""The orders of settling that let `low` and `high` be checked in one pass.

Both are the order in which Dijkstra's algorithm makes values final. Any feasible allocation has
them, optimal or not, so a wrong allocation is refused for what is wrong with it.
"""

from heapq import heapify, heappop, heappush

from capshare.market.listing import Listing, eligible_kinds, members
from capshare.market.prices import Bounds, Hints


def find(listing: Listing, found: Bounds) -> Hints:
    """Find the orders of settling; equal values come by position, so they are unique."""
    group_order, high_order = _high_orders(listing, found)
    return Hints(
        low_order=_low_order(listing, found), group_order=group_order, high_order=high_order
    )


def _low_order(listing: Listing, found: Bounds) -> tuple[int, ...]:
    lows = list(found.lows)
    buyers: list[list[int]] = [[] for _ in listing.groups]
    values = list(found.values)
    for kind, groups in enumerate(found.bought):
        for group in members(groups):
            buyers[group].append(kind)
            values[kind] = max(values[kind], lows[group])
    heap = [(-value, kind) for kind, value in enumerate(values)]
    heapify(heap)
    order: list[int] = []
    done = [False] * len(listing.kinds)
    untouched = (1 << len(listing.groups)) - 1
    while heap:
        negated, kind = heappop(heap)
        if done[kind]:
            continue  # it was pushed again with a higher value
        done[kind] = True
        order.append(kind)
        value = -negated
        for group in members(listing.eligible[kind] & untouched):
            untouched ^= 1 << group
            if lows[group] < value:
                lows[group] = value
                for buyer in buyers[group]:
                    if values[buyer] < value:
                        values[buyer] = value
                        heappush(heap, (-value, buyer))
    return tuple(order)


def _high_orders(
    listing: Listing, found: Bounds
) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    highs = list(found.caps)
    waiting = 0  # kinds with fills whose value is not final
    for kind, groups in enumerate(found.bought):
        if groups:
            waiting |= 1 << kind
    kinds_of = eligible_kinds(listing.groups, listing.kinds)
    heap = [(high, group) for group, high in enumerate(highs)]
    heapify(heap)
    done = [False] * len(highs)
    group_order: list[int] = []
    high_order: list[tuple[int, int]] = []
    while heap:
        high, group = heappop(heap)
        if done[group]:
            continue  # it was pushed again with a lower value
        done[group] = True
        group_order.append(group)
        for kind in members(kinds_of[group] & waiting):
            waiting ^= 1 << kind
            high_order.append((kind, group))
            for other in members(found.bought[kind]):
                if highs[other] > high:
                    highs[other] = high
                    heappush(heap, (high, other))
    return tuple(group_order), tuple(high_order)
