"""The best flows by successive paths: no dependency, numbers of any size, for small books.

Requests enter by falling bid, each along the residual path to the cheapest offer that still has
something. Quadratic; solver.network is the way for large books.
"""

from capshare.market.book import INFINITY
from capshare.market.listing import Listing, members


def best_flows(listing: Listing) -> tuple[list[int], list[int], dict[tuple[int, int], int]]:
    """Return what each offer sells and each request buys, by position, and the flows between.

    Flows are quantities by (group, kind), without zeros.
    """
    offered = [offer.quantity for offer in listing.offers]
    bought = [0] * len(listing.requests)
    asks: list[list[tuple[int, int]]] = [[] for _ in listing.groups]  # dearest first
    for position, offer in enumerate(listing.offers):
        asks[listing.group_of[position]].append((offer.perturbed, position))
    for ladder in asks:
        ladder.sort(reverse=True)
    flows: list[dict[int, int]] = [{} for _ in listing.groups]  # by group: kind to quantity
    bids = [(request.perturbed, position) for position, request in enumerate(listing.requests)]
    for bid, position in sorted(bids, reverse=True):
        kind = listing.kind_of[position]
        wanted = listing.requests[position].quantity
        while wanted:
            path = _cheapest(listing, asks, flows, kind, bid)
            if not path:
                break
            ladder = asks[path[0]]
            seller = ladder[-1][1]
            # A hop frees its group for the kind before it and moves the hop's kind one group up.
            hops = list(zip(path[1::2], path[2::2], path[::2], strict=False))
            quantity = min(
                [wanted, offered[seller], *(flows[source][mover] for mover, source, _ in hops)]
            )
            for mover, source, target in hops:
                flows[source][mover] -= quantity
                if not flows[source][mover]:
                    del flows[source][mover]
                flows[target][mover] = flows[target].get(mover, 0) + quantity
            flows[path[-1]][kind] = flows[path[-1]].get(kind, 0) + quantity
            offered[seller] -= quantity
            if not offered[seller]:
                ladder.pop()
            bought[position] += quantity
            wanted -= quantity
    sold = [offer.quantity - rest for offer, rest in zip(listing.offers, offered, strict=True)]
    return (
        sold,
        bought,
        {
            (group, kind): quantity
            for group, by_kind in enumerate(flows)
            for kind, quantity in by_kind.items()
        },
    )


def _cheapest(
    listing: Listing,
    asks: list[list[tuple[int, int]]],
    flows: list[dict[int, int]],
    kind: int,
    bid: int,
) -> list[int]:
    """Return groups and the kinds that move between them, from the cheapest ask back to `kind`.

    A kind that bought from a group can move to any other that it can use. Empty if no ask is below
    `bid`.
    """
    reached = listing.eligible[kind]
    todo = list(members(reached))
    came: dict[int, tuple[int, int]] = {}  # group: the kind that moves there, and its group now
    asked = {kind}
    best, lowest = -1, min(bid, INFINITY)
    while todo:
        group = todo.pop()
        if asks[group] and asks[group][-1][0] < lowest:
            best, lowest = group, asks[group][-1][0]
        for mover in flows[group]:
            if mover in asked:
                continue
            asked.add(mover)
            for target in members(listing.eligible[mover] & ~reached):
                came[target] = (mover, group)
                todo.append(target)
            reached |= listing.eligible[mover]
    if best < 0:
        return []
    path = [best]
    while path[-1] in came:
        path += came[path[-1]]
    return path
