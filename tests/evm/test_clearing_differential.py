"""Clearing against its twin: the same books and submissions, the same verdict and the same figures.

`CAPSHARE_BOOKS=N` runs N random books instead of 1,000.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from capshare import artifacts
from capshare.abi import ContractError
from capshare.market.certificate import Certificate
from capshare.market.effects import Effects
from capshare.market.submission import Submission
from capshare.orders import Batch, Offer, bond_per_unit, place_of
from tests.evm.books import Exchange, open_exchange
from tests.evm.comparison import compare, require_refused, require_same, twin
from tests.evm.perturbations import BLIND, KNOWING, LISTS, Case
from tests.evm.random_books import case_of, post_book, recipe
from tests.evm.world import revm_world

CHUNK = 50  # books of one deployment
LARGE = 6  # of them with 200 orders or more
TRIES = 7  # perturbations drawn for a clearing, of either sort
ALWAYS = ("shredded", "fill_with_quantity", "fill_moved", "worse_fills", "fills_of_other_book")
CHUNKS = max(1, int(os.environ.get("CAPSHARE_BOOKS", "1000")) // CHUNK)

REFUSALS = frozenset(e["name"] for e in artifacts.load("Clearing").abi if e["type"] == "error")
TRAITS = ("ties", "trades at equal price", "partial fills", "dead orders", "netting")


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_contract_and_twin_agree_on_random_books_and_on_what_is_wrong(chunk, record_property):
    chance = random.Random(chunk)
    exchange = open_exchange(revm_world, traders=9)
    seen: Counter[str] = Counter()
    for number in range(CHUNK):
        is_large = number < LARGE
        posted = post_book(exchange, number + 1, recipe(chance, large=is_large), chance)
        seen["books"] += 1
        seen["books of 200 orders or more"] += is_large
        _refuse_at_the_door(exchange, number + 1, chance, seen)
        for turn in range(chance.choice((1, 1, 2))):
            if turn:
                exchange.to_round(exchange.round + 1)
            case = case_of(exchange, posted)
            if not case.standing.count:
                break
            for wrong in _perturbed(chance, case):
                verdict = compare(exchange, case, wrong)
                is_refused = isinstance(verdict, ContractError)
                seen[verdict.name if is_refused else "accepted otherwise"] += 1
            if not turn:
                seen.update(_traits(case))
            _clear(exchange, case, seen)
        for member in tuple(exchange.suspended):
            exchange.reinstate(member)
    record_property("clearing, twin against contract", dict(seen))
    missing = REFUSALS - seen.keys()
    assert not missing, (missing, seen)
    assert all(seen[trait] >= 0.3 * CHUNK for trait in TRAITS), seen


def _perturbed(chance: random.Random, case: Case) -> Iterator[Submission]:
    """Return wrong submissions; one in four is wrong in two ways: which is found first?"""
    blind, knowing = tuple(BLIND.values()), tuple(KNOWING.values())
    for perturb in (
        *(KNOWING[name] for name in ALWAYS),
        *chance.choices(knowing, k=TRIES),
        *chance.choices(blind, k=TRIES),
    ):
        wrong = perturb(chance, case)
        if wrong is not None and chance.random() < 0.25:
            wrong = chance.choice(blind)(chance, replace(case, submission=wrong))
        if wrong is not None:
            yield wrong


def _clear(exchange: Exchange, case: Case, seen: Counter[str]) -> None:
    """Clear the book, compare all that changed with the twin, and try once more."""
    verdict = twin(case, case.submission)
    assert isinstance(verdict, Certificate), verdict
    balances = _free(exchange)
    outcome = exchange.clear(case.market.class_code, case.submission)
    done = require_same(exchange, case, verdict, outcome)
    seen["clearings"] += 1
    seen["fills"] += len(verdict.fills)

    after = exchange.batches(case.batches)
    assert after == _changed(case.batches, done)
    for member, amount in (*done.freed, *_refunds(case, done)):
        balances[member] += amount
    assert _free(exchange) == balances

    again = exchange.clear(case.market.class_code, case.submission)
    require_refused(again, "AlreadyCleared", case.market.class_code, case.market.round)
    seen["AlreadyCleared"] += 1


def _changed(batches: Mapping[int, Batch], done: Effects) -> dict[int, Batch]:
    """Return the batches as the clearing has to leave them."""
    changed = dict(batches)
    for order in (*done.filled, *done.dead):
        number, index = place_of(order)
        batch = changed[number]
        left = {i: rest for i, rest in batch.left.items() if i != index}
        changed[number] = replace(batch, gone=batch.gone | 1 << index, left=left)
    for order, rest in done.partly:
        number, index = place_of(order)
        batch = changed[number]
        changed[number] = replace(
            batch, partly=batch.partly | 1 << index, left={**batch.left, index: rest}
        )
    return changed


def _refunds(case: Case, done: Effects) -> Iterator[tuple[int, int]]:
    """List what the dead orders had locked, with their members."""
    for order in done.dead:
        number, index = place_of(order)
        batch = case.batches[number]
        terms = batch.orders[index]
        unit = terms.price
        if isinstance(terms, Offer):
            market = case.market
            unit = bond_per_unit(terms.price, terms.credit, market.reference, market.bond_rates)
        yield batch.member, batch.remaining(index) * unit


def _free(exchange: Exchange) -> dict[int, int]:
    return {
        member: exchange.world.view("Vault", "balanceOf", (member,))[0]
        for member in exchange.traders
    }


def _refuse_at_the_door(
    exchange: Exchange, code: int, chance: random.Random, seen: Counter[str]
) -> None:
    """Send a clearing that the market's state forbids, whatever the submission says."""
    empty = Submission(**dict.fromkeys(LISTS, b""))
    number = exchange.round
    match code % 4:
        case 0:
            name, unknown = "UnknownClass", 10_000 + code
            outcome = exchange.clear(unknown, empty, chance.choice((0, number, number + 1)))
            require_refused(outcome, name, unknown)
        case 1:
            name, other = "WrongRound", number + chance.choice((-1, 1, 1_000))
            require_refused(exchange.clear(code, empty, other), name, other, number)
        case 2:
            name = "ClearingPaused"
            exchange.council(("CapacityBook", "setPaused", (True,)))
            require_refused(exchange.clear(code, empty), name)
            exchange.council(("CapacityBook", "setPaused", (False,)))
        case _:
            name, idle = "NothingStanding", 20_000 + code
            exchange.list_class(replace(exchange.classes[code][1], code=idle))
            require_refused(exchange.clear(idle, empty), name, idle)
    seen[name] += 1


def _traits(case: Case) -> Iterator[str]:
    """Name what is special about a book and its clearing."""
    offers = {offer.id: offer for offer in case.standing.book.offers}
    requests = {request.id: request for request in case.standing.book.requests}
    if any(len({o.price for o in side.values()}) < len(side) for side in (offers, requests)):
        yield "ties"
    pairs = [(offers[fill.offer], requests[fill.request]) for fill in case.fills]
    if any(offer.price == request.price for offer, request in pairs):
        yield "trades at equal price"
    if any(offer.member == request.member for offer, request in pairs):
        yield "netting"
    taken: Counter[int] = Counter()
    for fill in case.fills:
        taken.update({fill.offer: fill.quantity, fill.request: fill.quantity})
    if any(order.quantity > taken[i] > 0 for i, order in (*offers.items(), *requests.items())):
        yield "partial fills"
    if case.standing.dead:
        yield "dead orders"
    if any(batch.left for batch in case.batches.values()):
        yield "orders reduced before"
