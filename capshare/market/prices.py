"""The proof that an allocation is optimal, and the prices that it implies.

Theorem (docs/protocol.md): an allocation is optimal iff `low <= cap` for every group. Every price
vector that supports it lies between `low` and `high`, the price is the middle.

`low` and `high` are fixpoints over the groups. They are reached in one pass if kinds and groups are
taken in the right order; that order is a hint, checked here as the contract checks it and never
believed. Prices are perturbed (book.PRICE_BASE) until the last step.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from capshare.errors import RuleRefused
from capshare.market.book import INFINITY, PRICE_BASE
from capshare.market.listing import Listing, members

#: A fill by positions in the listing: request, offer, quantity.
PlacedFill = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """In which order to settle `low` and `high`; see hints.find."""

    low_order: tuple[int, ...]  # every kind, by falling value
    group_order: tuple[int, ...]  # every group, by rising high
    high_order: tuple[tuple[int, int], ...]  # kind with fills, the group whose high is its value


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What the orders themselves say of the groups' prices, before it spreads."""

    lows: tuple[int, ...]  # by group: highest ask that sold (none: 0)
    caps: tuple[
        int, ...
    ]  # by group: lowest ask with a rest, lowest bid that bought (none: INFINITY)
    values: tuple[int, ...]  # by kind: highest bid not filled in full (none: 0)
    bought: tuple[int, ...]  # by kind: set of groups it bought from


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPrice:
    """The price of a group that traded, and between which values it is the middle."""

    slot: int
    attributes: int
    credit: int
    low: int  # perturbed
    high: int  # perturbed
    price: int  # [token base units per capacity unit]


def bounds(listing: Listing, fills: Sequence[PlacedFill]) -> Bounds:
    """Read the bounds off a feasible allocation."""
    asks = [offer.perturbed for offer in listing.offers]
    bids = [request.perturbed for request in listing.requests]
    offered = [offer.quantity for offer in listing.offers]
    wanted = [request.quantity for request in listing.requests]
    lows = [0] * len(listing.groups)
    caps = [INFINITY] * len(listing.groups)
    values = [0] * len(listing.kinds)
    bought = [0] * len(listing.kinds)
    for request, offer, quantity in fills:
        offered[offer] -= quantity
        wanted[request] -= quantity
        group = listing.group_of[offer]
        bought[listing.kind_of[request]] |= 1 << group
        lows[group] = max(lows[group], asks[offer])
        caps[group] = min(caps[group], bids[request])
    for offer, group in enumerate(listing.group_of):
        if offered[offer]:
            caps[group] = min(caps[group], asks[offer])
    for request, kind in enumerate(listing.kind_of):
        if wanted[request]:
            values[kind] = max(values[kind], bids[request])
    return Bounds(lows=tuple(lows), caps=tuple(caps), values=tuple(values), bought=tuple(bought))


def prove(listing: Listing, found: Bounds, hints: Hints) -> tuple[GroupPrice, ...]:
    """Return the prices of the groups that traded, ascending by group.

    Raise `RuleRefused` named LowOrderRefused, HighOrderRefused or Suboptimal.
    """
    lows = settle_low(listing, found, hints.low_order)
    highs = settle_high(listing, found, hints.group_order, hints.high_order)
    for group, key in enumerate(listing.groups):
        if lows[group] > found.caps[group]:
            raise RuleRefused(name="Suboptimal", values=(*key, lows[group], found.caps[group]))
    traded = 0
    for groups in found.bought:
        traded |= groups
    return tuple(
        GroupPrice(
            slot=listing.groups[group].slot,
            attributes=listing.groups[group].attributes,
            credit=listing.groups[group].credit,
            low=lows[group],
            high=highs[group],
            price=(lows[group] + highs[group]) // 2 // PRICE_BASE,
        )
        for group in members(traded)
    )


def settle_low(listing: Listing, found: Bounds, order: Sequence[int]) -> list[int]:
    """Spread lows: a kind's value, once it is final, is a lower bound of all it can use.

    Kinds come by falling value, so the first to touch a group gives it the largest. A group that a
    kind bought from cannot rise afterwards: the kind has touched all that it can use.
    """
    lows = list(found.lows)
    if len(order) != len(listing.kinds):
        raise RuleRefused(name="LowOrderRefused", values=(len(order),))
    seen, touched, previous = 0, 0, INFINITY
    for position, kind in enumerate(order):
        if kind >= len(listing.kinds) or seen >> kind & 1:
            raise RuleRefused(name="LowOrderRefused", values=(position,))
        seen |= 1 << kind
        value = max([found.values[kind], *(lows[group] for group in members(found.bought[kind]))])
        if value > previous:
            raise RuleRefused(name="LowOrderRefused", values=(position,))
        previous = value
        for group in members(listing.eligible[kind] & ~touched):
            lows[group] = max(lows[group], value)
        touched |= listing.eligible[kind]
    return lows


def settle_high(
    listing: Listing,
    found: Bounds,
    group_order: Sequence[int],
    high_order: Sequence[tuple[int, int]],
) -> list[int]:
    """Spread highs: a kind pays in no group more than the least high of all it can use.

    Groups are visited by rising high, so that least high is the first visited group's.
    """
    highs = list(found.caps)
    count = len(listing.groups)
    if len(group_order) != count:
        raise RuleRefused(name="HighOrderRefused", values=(len(group_order),))
    visited, current, previous, at = 0, -1, 0, 0
    handled = 0

    def visit() -> int:
        nonlocal visited, previous, at
        group = group_order[at]
        if group >= count or visited >> group & 1 or highs[group] < previous:
            raise RuleRefused(name="HighOrderRefused", values=(at,))
        visited |= 1 << group
        previous = highs[group]
        at += 1
        return group

    for entry, (kind, group) in enumerate(high_order):
        while current != group:
            if at == count:
                raise RuleRefused(name="HighOrderRefused", values=(count + entry,))
            current = visit()
        if (
            kind >= len(listing.kinds)
            or not found.bought[kind]
            or handled >> kind & 1
            or not listing.eligible[kind] >> group & 1
            or listing.eligible[kind] & visited & ~(1 << group)
        ):
            raise RuleRefused(name="HighOrderRefused", values=(count + entry,))
        handled |= 1 << kind
        for other in members(found.bought[kind]):
            highs[other] = min(highs[other], highs[group])
    while at < count:
        visit()
    if len(high_order) != sum(1 for groups in found.bought if groups):
        raise RuleRefused(name="HighOrderRefused", values=(count + len(high_order),))
    return highs
