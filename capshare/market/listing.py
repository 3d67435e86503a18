"""The one order in which a clearing lists a book: offers by group, requests by kind.

A request can use all offers of a group or none of them, so groups and kinds are all that
eligibility has to tell apart. Sets of groups (or kinds) are integers used as bitmaps: bit g is
group g. A set operation then costs a machine instruction per 64 members.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from capshare.market.book import Book, StandingOffer, StandingRequest


class Group(NamedTuple):
    """Key of a group of offers; the fields' order is the groups' order."""

    slot: int
    attributes: int
    credit: int


class Kind(NamedTuple):
    """Key of a kind of requests; the fields' order is the kinds' order."""

    first_slot: int
    needs: int
    min_credit: int
    span: int  # last slot minus first slot


_Key = TypeVar("_Key", Group, Kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A book in canonical order; positions below are places in these tuples."""

    offers: tuple[StandingOffer, ...]  # by group, ids ascending inside
    requests: tuple[StandingRequest, ...]  # by kind, ids ascending inside
    groups: tuple[Group, ...]  # ascending
    kinds: tuple[Kind, ...]  # ascending
    group_of: tuple[int, ...]  # by offer position
    kind_of: tuple[int, ...]  # by request position
    eligible: tuple[int, ...]  # by kind: set of groups


def group_key(offer: StandingOffer) -> Group:
    """Return the key of the group that an offer is in."""
    return Group(offer.slot, offer.attributes, offer.credit)


def kind_key(request: StandingRequest) -> Kind:
    """Return the key of the kind that a request is of."""
    return Kind(
        request.first_slot,
        request.needs,
        request.min_credit,
        request.last_slot - request.first_slot,
    )


def is_eligible(group: Group, kind: Kind) -> bool:
    """Tell whether requests of the kind can use offers of the group."""
    return (
        kind.first_slot <= group.slot <= kind.first_slot + kind.span
        and not kind.needs & ~group.attributes
        and group.credit >= kind.min_credit
    )


def list_book(book: Book) -> Listing:
    """Put a book in canonical order."""
    offers = sorted(book.offers, key=lambda o: (o.slot, o.attributes, o.credit, o.id))
    requests = sorted(
        book.requests,
        key=lambda r: (r.first_slot, r.needs, r.min_credit, r.last_slot - r.first_slot, r.id),
    )
    groups, group_of = _number(map(group_key, offers))
    kinds, kind_of = _number(map(kind_key, requests))
    return Listing(
        offers=tuple(offers),
        requests=tuple(requests),
        groups=groups,
        kinds=kinds,
        group_of=group_of,
        kind_of=kind_of,
        eligible=eligible_groups(groups, kinds),
    )


def eligible_groups(groups: Sequence[Group], kinds: Sequence[Kind]) -> tuple[int, ...]:
    """Return for each kind the set of groups that its requests can use.

    Groups ascend by slot, so a window is a range of them.
    """
    profiles = profile_groups(groups, kinds)
    slots = [group.slot for group in groups]
    sets = []
    for kind in kinds:
        low = bisect_left(slots, kind.first_slot)
        high = bisect_right(slots, kind.first_slot + kind.span)
        sets.append(profiles[kind.needs, kind.min_credit] >> low << low & (1 << high) - 1)
    return tuple(sets)


def profile_groups(groups: Sequence[Group], kinds: Iterable[Kind]) -> dict[tuple[int, int], int]:
    """Return for the kinds' (needs, least credit) the set of groups of any slot that satisfy them.

    As on chain: an intersection of "has attribute b" and "has credit c" sets.
    """
    wanted = {(kind.needs, kind.min_credit) for kind in kinds}
    having = {
        bit: bitmap((g for g, group in enumerate(groups) if group.attributes >> bit & 1), groups)
        for bit in members(_union(needs for needs, _ in wanted))
    }
    trusted = {
        credit: bitmap((g for g, group in enumerate(groups) if group.credit >= credit), groups)
        for credit in {credit for _, credit in wanted}
    }
    profiles = {}
    for needs, credit in wanted:
        profile = trusted[credit]
        for bit in members(needs):
            profile &= having[bit]
        profiles[needs, credit] = profile
    return profiles


def eligible_kinds(groups: Sequence[Group], kinds: Sequence[Kind]) -> tuple[int, ...]:
    """Return for each group the set of kinds whose requests can use it.

    The same relation as `eligible_groups`, seen from the other side.
    """
    firsts = [kind.first_slot for kind in kinds]  # ascending
    bits = list(members(_union(kind.needs for kind in kinds)))
    needing = {
        bit: bitmap((t for t, kind in enumerate(kinds) if kind.needs >> bit & 1), kinds)
        for bit in bits
    }
    content = {
        credit: bitmap((t for t, kind in enumerate(kinds) if kind.min_credit <= credit), kinds)
        for credit in {group.credit for group in groups}
    }
    by_last = sorted(range(len(kinds)), key=lambda t: kinds[t].first_slot + kinds[t].span)
    lasts = [kinds[t].first_slot + kinds[t].span for t in by_last]
    profiles: dict[tuple[int, int], int] = {}
    over, over_count = 0, 0  # kinds whose window ended before the slot at hand
    sets = []
    for group in groups:
        ended = bisect_left(lasts, group.slot)
        if ended > over_count:
            over |= bitmap(by_last[over_count:ended], kinds)
            over_count = ended
        profile = profiles.get((group.attributes, group.credit))
        if profile is None:
            profile = content[group.credit]
            for bit in bits:
                if not group.attributes >> bit & 1:
                    profile &= ~needing[bit]
            profiles[group.attributes, group.credit] = profile
        begun = (1 << bisect_right(firsts, group.slot)) - 1
        sets.append(profile & begun & ~over)
    return tuple(sets)


def bitmap(positions: Iterable[int], of: Collection[object]) -> int:
    """Return the set of the positions, which are places in `of`."""
    data = bytearray(len(of) // 8 + 1)
    for position in positions:
        data[position >> 3] |= 1 << (position & 7)
    return int.from_bytes(data, "little")


def members(bits: int) -> Iterator[int]:
    """List the members of a set, ascending."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _union(masks: Iterable[int]) -> int:
    union = 0
    for mask in masks:
        union |= mask
    return union


def _number(keys: Iterable[_Key]) -> tuple[tuple[_Key, ...], tuple[int, ...]]:
    """Return the distinct keys of an ascending list, and each entry's place among them."""
    distinct: dict[_Key, int] = {}
    places = tuple(distinct.setdefault(key, len(distinct)) for key in keys)
    return tuple(distinct), places
