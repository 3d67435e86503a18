"""The books of tests/vectors/market.json on the contract, their ids renumbered in order.

The solver's allocation is accepted with the vector's prices, each bad one refused for its reason.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from capshare.abi import ContractError
from capshare.market import solver
from capshare.market.book import INFINITY, Book, Fill
from capshare.market.certificate import Certificate
from capshare.market.documents import book_from_json
from capshare.market.listing import group_key, kind_key
from capshare.market.submission import Submission, build
from capshare.orders import BATCH_ORDERS, Offer, Order, Request, order_id, place_of
from tests.evm.books import AHEAD, CAPACITY, Exchange, open_exchange, terms
from tests.evm.comparison import compare, require_same, twin
from tests.evm.perturbations import Case, with_rows
from tests.evm.random_books import Posted, case_of
from tests.evm.world import revm_world

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "market.json").read_text("utf-8"))
ALL_BITS = (1 << 64) - 1
CHUNK = 24  # books of one deployment

#: The contract's errors for each reason.
ERRORS = {
    "suboptimal": {"Suboptimal"},
    "overfill": {"Overfill"},
    "empty fill": {"EmptyFill"},
    "ineligible": {"Ineligible"},
    "missing order": {"Incomplete"},
    "unsorted": {"OrdersUnsorted"},
    "duplicate": {"OrdersUnsorted"},
    "unknown order": {"BatchNotStanding", "OrderNotStanding"},  # no batch, or of the other side
}


class NotExpressible(Exception):
    """Raised for what the wire form, by group, cannot say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renumbered:
    """A vector's book on the contract."""

    case: Case
    ids: Mapping[int, int]  # the vector's to the chain's
    shift: int  # of the slots


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, len(VECTORS), CHUNK))
def test_contract_accepts_the_optimum_and_refuses_each_bad_allocation(first, record_property):
    exchange = open_exchange(revm_world, traders=50, money=1 << 110)
    seen: Counter[str] = Counter()
    for number, vector in enumerate(VECTORS[first : first + CHUNK], 1):
        found = _renumber(exchange, number, vector)
        for bad in vector.get("bad", ()):
            try:
                submission = _bad(found, bad)
            except NotExpressible:
                seen[f"{bad['reason']}: not expressible"] += 1
                continue
            verdict = compare(exchange, found.case, submission)
            assert isinstance(verdict, ContractError), (vector["name"], bad)
            assert verdict.name in ERRORS[bad["reason"]], (vector["name"], bad)
            seen[bad["reason"]] += 1
        _accept(exchange, vector, found)
        seen["books accepted with the vector's prices"] += 1
    record_property("market vectors on the contract", dict(seen))
    assert seen["suboptimal"] > 0


def test_vectors_hold_every_reason():
    bad = [each for vector in VECTORS for each in vector.get("bad", ())]
    assert len(VECTORS) == 142
    assert len(bad) == 488
    assert {each["reason"] for each in bad} == ERRORS.keys()


def _renumber(exchange: Exchange, code: int, vector: Mapping[str, Any]) -> Renumbered:
    """Post a vector's orders in the order of their ids and go to the next round."""
    book = book_from_json(vector)
    exchange.list_class(terms(code, window=8))
    slots = [offer.slot for offer in book.offers] + [r.first_slot for r in book.requests]
    shift = exchange.round + AHEAD + 1 - min(slots, default=0)
    assets: dict[int, list[tuple[int, Counter[int]]]] = {}
    runs: list[tuple[int, list[int], list[Order]]] = []  # member, ids, orders
    ascending = sorted((*book.offers, *book.requests), key=lambda order: order.id)
    members = dict(zip(sorted({o.member for o in ascending}), exchange.traders, strict=False))
    for given in ascending:
        member = members[given.member]
        order: Order
        if hasattr(given, "slot"):
            asset = _asset_with_room(exchange, assets.setdefault(member, []), member, code, given)
            order = Offer(
                asset=asset,
                slot=given.slot + shift,
                quantity=given.quantity,
                price=given.price,
                attributes=given.attributes,
                credit=given.credit,
            )
        else:
            order = Request(
                first_slot=given.first_slot + shift,
                last_slot=given.last_slot + shift,
                quantity=given.quantity,
                price=given.price,
                needs=given.needs,
                min_credit=given.min_credit,
            )
        fits = (
            runs
            and runs[-1][0] == member
            and type(runs[-1][2][0]) is type(order)
            and len(runs[-1][1]) < BATCH_ORDERS
        )
        if not fits:
            runs.append((member, [], []))
        runs[-1][1].append(given.id)
        runs[-1][2].append(order)
    numbers, ids = [], {}
    for member, old, orders in runs:
        number, _ = exchange.post(member, code, orders)
        numbers.append(number)
        ids.update({each: order_id(number, index) for index, each in enumerate(old)})
    exchange.to_round(exchange.round + 1)
    case = case_of(exchange, Posted(code=code, numbers=numbers, strangers=()))
    return Renumbered(case=case, ids=ids, shift=shift)


def _asset_with_room(
    exchange: Exchange, known: list[tuple[int, Counter[int]]], member: int, code: int, offer: Any
) -> int:
    found = next((e for e in known if e[1][offer.slot] + offer.quantity <= CAPACITY), None)
    if found is None:
        found = (exchange.add_asset(member, code, ALL_BITS), Counter())
        known.append(found)
    found[1][offer.slot] += offer.quantity
    return found[0]


def _accept(exchange: Exchange, vector: Mapping[str, Any], found: Renumbered) -> None:
    """Clear the book; require the vector's totals and prices."""
    case, ids = found.case, found.ids
    best = solver.solve(case.standing.book)
    assert (best.surplus, best.volume) == (vector["surplus"], vector["volume"])
    for totals, expected in ((best.sold, vector["sold"]), (best.bought, vector["bought"])):
        assert dict(totals) == {ids[int(order)]: q for order, q in expected.items()}
    verdict = twin(case, case.submission)
    assert isinstance(verdict, Certificate)
    outcome = exchange.clear(case.market.class_code, case.submission)
    require_same(exchange, case, verdict, outcome)

    moved = _perturbed_prices(book_from_json(vector), case.standing.book, ids)
    assert [
        (row.slot, row.attributes, row.credit, row.low, row.high, row.price)
        for row in verdict.prices
    ] == [
        (
            row["slot"] + found.shift,
            row["attributes"],
            row["credit"],
            moved[int(row["low"])],
            moved[int(row["high"])],
            row["price"],
        )
        for row in sorted(
            vector["groups"], key=lambda row: (row["slot"], row["attributes"], row["credit"])
        )
    ]


def _perturbed_prices(old: Book, new: Book, ids: Mapping[int, int]) -> dict[int, int]:
    """Map the vector's perturbed prices, which hold ids, to the chain's."""
    moved = {0: 0, INFINITY: INFINITY}
    for before, after in ((old.offers, new.offers), (old.requests, new.requests)):
        by_id = {order.id: order for order in after}
        moved.update({order.perturbed: by_id[ids[order.id]].perturbed for order in before})
    return moved


def _bad(found: Renumbered, bad: Mapping[str, Any]) -> Submission:
    """Return a bad allocation in wire form."""
    fills = []
    for offer, request, quantity in bad["fills"]:
        if not {offer, request} <= found.ids.keys() or quantity >> 32:
            raise NotExpressible
        fills.append(Fill(offer=found.ids[offer], request=found.ids[request], quantity=quantity))
    if "offers" not in bad:
        return build(found.case.standing, fills)
    return _listing(found, bad["offers"], bad["requests"], fills)


def _listing(
    found: Renumbered, offers: Sequence[int], requests: Sequence[int], fills: Sequence[Fill]
) -> Submission:
    """List orders, by their groups and kinds, in the order in which a vector lists them."""
    book = found.case.standing.book
    keys = {order.id: group_key(order) for order in book.offers}
    kinds = {order.id: kind_key(order) for order in book.requests}
    sold = _by_part([found.ids.get(each, each) for each in offers], keys)
    bought = _by_part([found.ids.get(each, each) for each in requests], kinds)
    if sold == _by_part(sorted(keys), keys) and bought == _by_part(sorted(kinds), kinds):
        raise NotExpressible  # what is out of order is not so inside its group
    sellers = [order for part in sold for order in part]
    buyers = [order for part in bought for order in part]
    batches = sorted({place_of(order)[0] for order in (*sellers, *buyers)})
    if not {fill.offer for fill in fills} <= {*sellers}:
        raise NotExpressible
    if not {fill.request for fill in fills} <= {*buyers}:
        raise NotExpressible

    def places(orders: Sequence[int]) -> list[tuple[int, ...]]:
        cut = (place_of(order) for order in orders)
        return [(batches.index(batch), index) for batch, index in cut]

    return with_rows(
        replace(found.case.submission),
        batches=[(number,) for number in batches],
        offers=places(sellers),
        groups=[(len(part),) for part in sold],
        requests=places(buyers),
        kinds=[(len(part),) for part in bought],
        fills=sorted(
            (buyers.index(fill.request), sellers.index(fill.offer), fill.quantity) for fill in fills
        ),
    )


def _by_part(listed: Sequence[int], keys: Mapping[int, Any]) -> list[list[int]]:
    """Sort ids into groups or kinds, keeping their order inside; the unknown go to the last."""
    parts: dict[Any, list[int]] = {}
    last = max(keys.values(), default=None)
    for order in listed:
        parts.setdefault(keys.get(order, last), []).append(order)
    return [parts[key] for key in sorted(parts)]
