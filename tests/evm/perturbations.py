"""Submissions that are wrong in one way each, for a contract and its twin to refuse alike.

A perturbation takes a clearing that would be accepted and returns a wrong one, or None where the
book has nothing that could go wrong in this way.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from capshare.market import solver
from capshare.market.book import Fill, Market, Standing, standing
from capshare.market.submission import Submission, build, cut, pack
from capshare.orders import Batch, Side

WIDTHS: dict[str, tuple[int, ...]] = {
    "batches": (4,),
    "offers": (2, 1),
    "groups": (2,),
    "requests": (2, 1),
    "kinds": (2,),
    "dead": (2, 1),
    "fills": (2, 2, 4),
    "low_order": (2,),
    "group_order": (2,),
    "high_order": (2, 2),
}
LISTS = tuple(WIDTHS)
Row = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A market that can be cleared: its batches, what stands in them, and the best clearing."""

    market: Market
    batches: dict[int, Batch]
    standing: Standing
    fills: tuple[Fill, ...]
    submission: Submission
    strangers: tuple[int, ...]  # batches that do not stand here: of another class, or fresh


Perturbation = Callable[[random.Random, Case], Submission | None]


def rows(submission: Submission, name: str) -> list[Row]:
    """Cut a list of a submission into its entries."""
    return list(cut(getattr(submission, name), *WIDTHS[name]))


def with_rows(submission: Submission, **lists: Sequence[Row]) -> Submission:
    """Return the submission with other lists."""
    return replace(
        submission,
        **{
            name: b"".join(
                pack([value], width)
                for row in given
                for value, width in zip(row, WIDTHS[name], strict=True)
            )
            for name, given in lists.items()
        },
    )


# -- any list ------------------------------------------------------------------------------------


def cut_short(name: str, chance: random.Random, case: Case) -> Submission | None:
    """Take a byte off a list, or add one."""
    data: bytes = getattr(case.submission, name)
    longer = data + b"\1"
    return replace(
        case.submission, **{name: data[:-1] if data and chance.random() < 0.5 else longer}
    )


def other_byte(name: str, chance: random.Random, case: Case) -> Submission | None:
    """Change one byte of a list."""
    data = bytearray(getattr(case.submission, name))
    if not data:
        return None
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return replace(case.submission, **{name: bytes(data)})


def swapped(name: str, chance: random.Random, case: Case) -> Submission | None:
    """Exchange two entries of a list, mostly neighbours."""
    given = rows(case.submission, name)
    if len(given) < 2:
        return None
    x = chance.randrange(len(given) - 1)
    y = x + 1 if chance.random() < 0.7 else chance.randrange(len(given))
    given[x], given[y] = given[y], given[x]
    return with_rows(case.submission, **{name: given})


def repeated(name: str, chance: random.Random, case: Case) -> Submission | None:
    """Let an entry stand twice, in place of its neighbour or beside it."""
    given = rows(case.submission, name)
    if not given:
        return None
    x = chance.randrange(len(given))
    given[x + 1 : x + 1 + chance.randrange(2)] = [given[x]]
    return with_rows(case.submission, **{name: given})


def left_out(name: str, chance: random.Random, case: Case) -> Submission | None:
    """Leave an entry out of a list."""
    given = rows(case.submission, name)
    if not given:
        return None
    del given[chance.randrange(len(given))]
    return with_rows(case.submission, **{name: given})


def out_of_range(name: str, chance: random.Random, case: Case) -> Submission | None:
    """Let an entry point outside: just behind the end, or far away."""
    given = rows(case.submission, name)
    if not given:
        return None
    sizes = {
        "offers": case.submission.batches,
        "requests": case.submission.batches,
        "dead": case.submission.batches,
        "fills": case.submission.requests,
        "low_order": case.submission.kinds,
        "group_order": case.submission.groups,
        "high_order": case.submission.kinds,
    }
    x = len(given) - 1 if name == "fills" else chance.randrange(len(given))
    width = {"fills": 3, "offers": 4, "requests": 4, "dead": 4}.get(name, 2)
    end = len(sizes[name]) // width
    given[x] = (chance.choice((end, 65_535)), *given[x][1:])
    return with_rows(case.submission, **{name: given})


# -- batches and orders --------------------------------------------------------------------------


def strange_batch(chance: random.Random, case: Case) -> Submission | None:
    """List a batch that is unknown, of another class or fresh."""
    number = chance.choice((*case.strangers, 0, 2**32 - 1, max(case.batches) + 1_000_000))
    given = rows(case.submission, "batches")
    if chance.random() < 0.5:
        return with_rows(case.submission, batches=sorted({*given, (number,)}))
    given[chance.randrange(len(given))] = (number,)
    return with_rows(case.submission, batches=given)


def idle_batch(chance: random.Random, case: Case) -> Submission | None:
    """List a batch of the market of which no order is listed; harmless at the end."""
    given = rows(case.submission, "batches")
    idle = sorted(case.batches.keys() - {number for (number,) in given} - set(case.strangers))
    return with_rows(case.submission, batches=[*given, (chance.choice(idle),)]) if idle else None


def other_order(name: str, chance: random.Random, case: Case) -> Submission | None:
    """List an order that does not exist, is gone, is of the other side or of another group."""
    given = rows(case.submission, name)
    if not given:
        return None
    listed = [number for (number,) in rows(case.submission, "batches")]
    gone = [
        (place, index)
        for place, number in enumerate(listed)
        for index in range(len(case.batches[number].orders))
        if case.batches[number].gone >> index & 1
    ]
    others = [
        row
        for other in ("offers", "requests", "dead")
        if other != name
        for row in rows(case.submission, other)
    ]
    missing = [(chance.randrange(len(listed)), chance.choice((64, 65, 127, 255)))]
    place = chance.randrange(len(listed))
    missing.append((place, len(case.batches[listed[place]].orders)))
    pool = chance.choice([each for each in (gone, others, missing, given) if each])
    given[chance.randrange(len(given))] = chance.choice(pool)
    return with_rows(case.submission, **{name: given})


def _parts(submission: Submission, side: Side) -> list[list[Row]]:
    orders, counts = ("offers", "groups") if side == Side.OFFER else ("requests", "kinds")
    rest = iter(rows(submission, orders))
    return [[next(rest) for _ in range(count)] for (count,) in rows(submission, counts)]


def _with_parts(submission: Submission, side: Side, parts: Sequence[Sequence[Row]]) -> Submission:
    orders, counts = ("offers", "groups") if side == Side.OFFER else ("requests", "kinds")
    return with_rows(
        submission,
        **{orders: [row for part in parts for row in part], counts: [(len(p),) for p in parts]},
    )


def parts_swapped(side: Side, chance: random.Random, case: Case) -> Submission | None:
    """Exchange two groups or kinds with all their orders."""
    parts = _parts(case.submission, side)
    if len(parts) < 2:
        return None
    x = chance.randrange(len(parts) - 1)
    parts[x], parts[x + 1] = parts[x + 1], parts[x]
    return _with_parts(case.submission, side, parts)


def part_split(side: Side, chance: random.Random, case: Case) -> Submission | None:
    """Make two groups or kinds of one."""
    parts = _parts(case.submission, side)
    found = [x for x, part in enumerate(parts) if len(part) > 1]
    if not found:
        return None
    x = chance.choice(found)
    at = chance.randrange(1, len(parts[x]))
    parts[x : x + 1] = [parts[x][:at], parts[x][at:]]
    return _with_parts(case.submission, side, parts)


def parts_joined(side: Side, chance: random.Random, case: Case) -> Submission | None:
    """Make one group or kind of two."""
    parts = _parts(case.submission, side)
    if len(parts) < 2:
        return None
    x = chance.randrange(len(parts) - 1)
    parts[x : x + 2] = [sorted(parts[x] + parts[x + 1])]
    return _with_parts(case.submission, side, parts)


def part_reversed(side: Side, chance: random.Random, case: Case) -> Submission | None:
    """List the orders of a group or kind last to first."""
    parts = _parts(case.submission, side)
    found = [x for x, part in enumerate(parts) if len(part) > 1]
    if not found:
        return None
    x = chance.choice(found)
    parts[x] = parts[x][::-1]
    return _with_parts(case.submission, side, parts)


def empty_part(side: Side, chance: random.Random, case: Case) -> Submission | None:
    """List a group or kind without orders."""
    parts = _parts(case.submission, side)
    parts.insert(chance.randrange(len(parts) + 1), [])
    return _with_parts(case.submission, side, parts)


# -- living and dead -----------------------------------------------------------------------------


def order_left_out(chance: random.Random, case: Case) -> Submission | None:
    """Clear the rest of the book as if an order did not stand."""
    book, dead = case.standing.book, case.standing.dead
    order = chance.choice([*(o.id for o in (*book.offers, *book.requests)), *dead])
    return _best(_without(case.standing, order))


def buried_alive(chance: random.Random, case: Case) -> Submission | None:
    """List a living order as dead."""
    book = case.standing.book
    orders = [*(o.id for o in (*book.offers, *book.requests))]
    if not orders:
        return None
    order = chance.choice(orders)
    rest = _without(case.standing, order)
    return _best(replace(rest, dead=tuple(sorted((*rest.dead, order)))))


def all_alive(chance: random.Random, case: Case) -> Submission | None:
    """List the dead orders among the living; in some cases with fills."""
    if not case.standing.dead:
        return None
    ageless = replace(case.market, slot_length=1 << 60, suspended=frozenset())
    alive = standing(ageless, case.batches.values())
    return _best(alive) if chance.random() < 0.5 else build(alive, case.fills)


def _without(given: Standing, order: int) -> Standing:
    return Standing(
        book=replace(
            given.book,
            offers=tuple(o for o in given.book.offers if o.id != order),
            requests=tuple(r for r in given.book.requests if r.id != order),
        ),
        dead=tuple(each for each in given.dead if each != order),
    )


def _best(given: Standing) -> Submission:
    best = solver.solve(given.book)
    return build(given, best.fills, best.hints)


# -- fills ---------------------------------------------------------------------------------------


def fill_with_quantity(chance: random.Random, case: Case) -> Submission | None:
    """Give a fill no quantity, a little more, or as much as fits."""
    given = rows(case.submission, "fills")
    if not given:
        return None
    x = chance.randrange(len(given))
    request, offer, quantity = given[x]
    more = chance.choice((0, 0, quantity + 1, quantity * 2, 2**32 - 1))
    given[x] = (request, offer, min(more, 2**32 - 1))
    return with_rows(case.submission, fills=given)


def fill_moved(chance: random.Random, case: Case) -> Submission | None:
    """Take a fill from another offer, or give it to another request."""
    given = rows(case.submission, "fills")
    if not given:
        return None
    request, offer, quantity = given.pop(chance.randrange(len(given)))
    if chance.random() < 0.5:
        offer = chance.randrange(len(case.submission.offers) // 3)
    else:
        request = chance.randrange(len(case.submission.requests) // 3)
    return with_rows(case.submission, fills=sorted({*given, (request, offer, quantity)}))


def worse_fills(chance: random.Random, case: Case) -> Submission | None:
    """Trade less, with honest hints."""
    fills = list(case.fills)
    if not fills:
        return None
    x = chance.randrange(len(fills))
    if chance.random() < 0.5 and fills[x].quantity > 1:
        fills[x] = replace(fills[x], quantity=chance.randrange(1, fills[x].quantity))
    else:
        del fills[x]
    return build(case.standing, fills)


def fills_of_other_book(chance: random.Random, case: Case) -> Submission | None:
    """Clear the book as if an order's price were another, with honest hints."""
    book = case.standing.book
    side = chance.choice(("offers", "requests"))
    orders = list(getattr(book, side))
    if not orders:
        return None
    x = chance.randrange(len(orders))
    factor = chance.choice((0, 1, 3))
    orders[x] = replace(orders[x], price=(orders[x].price * factor + chance.randrange(9)) // 2)
    fills = solver.solve(replace(book, **{side: tuple(orders)})).fills
    return build(case.standing, fills)


def shredded(chance: random.Random, case: Case) -> Submission | None:
    """Pair the same quantities otherwise, in more fills; honest hints."""
    groups = {o.id: (o.slot, o.attributes, o.credit) for o in case.standing.book.offers}
    kinds = {
        r.id: (r.first_slot, r.last_slot, r.needs, r.min_credit)
        for r in case.standing.book.requests
    }
    left = {(f.offer, f.request): f.quantity for f in case.fills}
    wide = [pair for pair in left if left[pair] > 1]
    chance.shuffle(wide)
    for x, (offer, request) in enumerate(wide):
        for other_offer, other_request in wide[x + 1 : x + 40]:
            crossed = ((offer, other_request), (other_offer, request))
            if (
                (groups[offer] == groups[other_offer] or kinds[request] == kinds[other_request])
                and not any(pair in left for pair in crossed)
                and min(left[offer, request], left[other_offer, other_request]) > 1
            ):
                for pair, moved in (
                    (crossed[0], 1),
                    (crossed[1], 1),
                    ((offer, request), -1),
                    ((other_offer, other_request), -1),
                ):
                    left[pair] = left.get(pair, 0) + moved
    fills = [Fill(offer=o, request=r, quantity=q) for (o, r), q in left.items()]
    return build(case.standing, fills)


def hints_of_other_fills(chance: random.Random, case: Case) -> Submission | None:
    """Keep the fills, give the hints of worse ones."""
    other = worse_fills(chance, case)
    if other is None:
        return None
    names = ("low_order", "group_order", "high_order")
    return replace(case.submission, **{name: getattr(other, name) for name in names})


_SIDES = {Side.OFFER: "groups", Side.REQUEST: "kinds"}

#: They look at lists only, so that they can follow another.
BLIND: dict[str, Perturbation] = {
    **{
        f"{f.__name__} {name}": partial(f, name)
        for f in (cut_short, other_byte, swapped, repeated, left_out)
        for name in LISTS
    },
    **{
        f"out_of_range {name}": partial(out_of_range, name)
        for name in LISTS
        if name not in ("batches", "groups", "kinds")
    },
}
#: They look at the book too.
KNOWING: dict[str, Perturbation] = {
    **{f"other_order {n}": partial(other_order, n) for n in ("offers", "requests", "dead")},
    **{
        f"{f.__name__} {name}": partial(f, side)
        for f in (parts_swapped, part_split, parts_joined, part_reversed, empty_part)
        for side, name in _SIDES.items()
    },
    **{
        f.__name__: f
        for f in (
            strange_batch,
            idle_batch,
            order_left_out,
            buried_alive,
            all_alive,
            fill_with_quantity,
            fill_moved,
            worse_fills,
            fills_of_other_book,
            shredded,
            hints_of_other_fills,
        )
    },
}
