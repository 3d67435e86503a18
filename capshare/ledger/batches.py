"""Batches of orders: what is left of them, and how it falls. What the book's events do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from capshare.events import (
    MarketCleared,
    OffersPosted,
    OrdersMatched,
    OrdersReduced,
    OrdersRemoved,
    PauseSet,
    PricesSet,
    RequestsPosted,
    RulesSet,
)
from capshare.ledger import members
from capshare.ledger.core import applies
from capshare.ledger.state import State
from capshare.market.commitment import DealTerms
from capshare.orders import BATCH_ORDERS, ORDER_BYTES, Batch, Side, unpack_batch
from capshare.parameters import RATE_BASE, ClassTerms

_64 = (1 << 64) - 1
_72 = (1 << 72) - 1
_40 = (1 << 40) - 1
_32 = (1 << 32) - 1
_24 = (1 << 24) - 1
_16 = (1 << 16) - 1

# -- reading: a batch's state word and an order's word are laid out as capshare.orders draws them --


def word_of(state: State, order: int) -> int:
    """Return an order's packed terms; the order must exist."""
    at = (order & 63) * ORDER_BYTES
    return int.from_bytes(state.orders[order >> 6][at : at + ORDER_BYTES], "big")


def words(data: bytes) -> list[int]:
    """Cut a batch's packed orders into their words."""
    return [
        int.from_bytes(data[at : at + ORDER_BYTES], "big")
        for at in range(0, len(data), ORDER_BYTES)
    ]


def is_live(batch: int, index: int) -> bool:
    """Tell by a batch's state word whether order `index` exists and is still in the book."""
    return index < batch >> 221 & 0x7F and not batch >> index & 1


def left_of(state: State, order: int) -> int:
    """Return what remains of a live order [capacity units]."""
    batch = state.batches[order >> 6]
    if batch >> BATCH_ORDERS + (order & 63) & 1:
        return state.left[order]
    return word_of(state, order) >> 168 & _32


def class_of(state: State, batch: int) -> ClassTerms:
    """Return the class of a batch with that state word."""
    return state.classes[batch >> 176 & 0xFFF]


def bond_per_unit(state: State, reference: int, word: int) -> int:
    """Return what an offer, as its packed word, locks a unit [token base units]."""
    price, rate = word >> 96 & _72, state.parameters.bond_rates[word >> 4 & 0xF]
    return (max(price, reference) * rate + RATE_BASE - 1) // RATE_BASE


def locked_per_unit(state: State, batch: int, word: int) -> int:
    """Return what an order of a batch with that state word locks a unit [token base units]."""
    if batch >> 188 & 1:
        return word >> 96 & _72
    return bond_per_unit(state, class_of(state, batch).reference, word)


def batch_at(state: State, number: int) -> Batch:
    """Return a batch with its orders unpacked; the batch must exist."""
    word = state.batches[number]
    partly = word >> 64 & _64
    left = {i: state.left[number << 6 | i] for i in range(BATCH_ORDERS) if partly >> i & 1}
    return unpack_batch(number, word, state.orders[number], left)


def live_orders_of(state: State, number: int) -> list[int]:
    """Return the ids of a batch's live orders."""
    word = state.batches[number]
    return [number << 6 | i for i in range(word >> 221 & 0x7F) if not word >> i & 1]


# -- events: posting -----------------------------------------------------------------------------


@applies(RulesSet)
def _rules_set(state: State, event: RulesSet, now: int) -> None:
    state.rules_version = event.rules_version
    state.parameters = event.parameters


@applies(PauseSet)
def _pause_set(state: State, event: PauseSet, now: int) -> None:
    state.paused = event.paused


@applies(OffersPosted)
def _offers_posted(state: State, event: OffersPosted, now: int) -> None:
    index, posted = _enter(state, event, Side.OFFER)
    reference = state.classes[index].reference
    reserved, total, amount = state.reserved, 0, 0
    limited = event.signer != state.members[event.member].account
    for word in posted:
        quantity = word >> 168 & _32
        reserved[word >> 200 << 24 | word >> 72 & _24] += quantity
        total += quantity
        if limited:
            amount += quantity * bond_per_unit(state, reference, word)
    state.open_value[event.member] += total * reference
    members.spend(state, event.member, event.signer, amount, now)


@applies(RequestsPosted)
def _requests_posted(state: State, event: RequestsPosted, now: int) -> None:
    _, posted = _enter(state, event, Side.REQUEST)
    if event.signer != state.members[event.member].account:
        amount = sum([(word >> 168 & _32) * (word >> 96 & _72) for word in posted])
        members.spend(state, event.member, event.signer, amount, now)


def _enter(state: State, event: OffersPosted | RequestsPosted, side: Side) -> tuple[int, list[int]]:
    """Enter a batch in the book; return its class's index and its orders' words."""
    number, member, round_ = event.batch, event.member, event.round
    posted = words(event.orders)
    count = len(posted)
    index = state.class_index[event.class_]
    group = state.members[member].group
    state.batch_count = number
    state.batches[number] = (
        group << 228 | count << 221 | round_ << 189 | side << 188 | index << 176 | member << 152
    )
    state.orders[number] = event.orders
    state.live_batches[number] = True
    state.salts[member << 248 | event.salt >> 8] |= 1 << (event.salt & 0xFF)
    state.held_orders[index << 24 | group] += count << 16 * side
    state.live[member] += count
    market = state.markets[index]
    is_same = market.fresh_round == round_
    fresh_offers = market.fresh_offers if is_same else 0
    fresh_requests = market.fresh_requests if is_same else 0
    offers, requests = (0, count) if side else (count, 0)
    state.markets[index] = replace(
        market,
        offers=market.offers + offers,
        requests=market.requests + requests,
        fresh_offers=fresh_offers + offers,
        fresh_requests=fresh_requests + requests,
        fresh_round=round_,
    )
    return index, posted


# -- events: orders that shrink and go -----------------------------------------------------------


@applies(OrdersReduced)
def _orders_reduced(state: State, event: OrdersReduced, now: int) -> None:
    state.salts[event.member << 248 | event.salt >> 8] |= 1 << (event.salt & 0xFF)
    for order, quantity in zip(event.ids, event.quantities, strict=True):
        _lower(state, order, quantity, now)


@applies(OrdersRemoved)
def _orders_removed(state: State, event: OrdersRemoved, now: int) -> None:
    _remove(state, event.ids, now)


@applies(MarketCleared)
def _market_cleared(state: State, event: MarketCleared, now: int) -> None:
    index = state.class_index[event.class_]
    state.markets[index] = replace(state.markets[index], cleared_round=event.round)
    _remove(state, event.dead, now)


def _remove(state: State, ids: Iterable[int], now: int) -> None:
    for order in ids:
        _lower(state, order, 0, now)


def _lower(state: State, order: int, quantity: int, now: int) -> None:
    """Lower what remains of an order, giving capacity and open value back; 0 removes it."""
    batch = state.batches[order >> 6]
    if not batch >> 188 & 1:
        word = word_of(state, order)
        freed = left_of(state, order) - quantity
        state.reserved[word >> 200 << 24 | word >> 72 & _24] -= freed
        member = batch >> 152 & _24
        state.open_value[member] -= freed * class_of(state, batch).reference
    _keep(state, order, quantity, now)


def _keep(state: State, order: int, quantity: int, now: int) -> None:
    """Write what remains of an order; with nothing left it is gone and counted out."""
    number, index = order >> 6, order & 63
    batch = state.batches[number]
    if quantity:
        state.batches[number] = batch | 1 << BATCH_ORDERS + index
        state.left[order] = quantity
        return
    batch |= 1 << index
    state.batches[number] = batch
    if (batch & _64).bit_count() == batch >> 221 & 0x7F:
        state.live_batches.drop(number)
    is_request, market_index = batch >> 188 & 1, batch >> 176 & 0xFFF
    state.held_orders[market_index << 24 | batch >> 228] -= 1 << 16 * is_request
    state.live[batch >> 152 & _24] -= 1
    market = state.markets[market_index]
    # A round's fresh counts are forgotten when it ends.
    fresh = int(batch >> 189 & _32 == now // state.parameters.round)
    if is_request:
        state.markets[market_index] = replace(
            market, requests=market.requests - 1, fresh_requests=market.fresh_requests - fresh
        )
    else:
        state.markets[market_index] = replace(
            market, offers=market.offers - 1, fresh_offers=market.fresh_offers - fresh
        )


# -- events: a clearing's fills ------------------------------------------------------------------


@applies(PricesSet)
def _prices_set(state: State, event: PricesSet, now: int) -> None:
    """Change nothing: every fill carries its price."""


@applies(OrdersMatched)
def _orders_matched(state: State, event: OrdersMatched, now: int) -> None:
    class_index = state.class_index[event.class_]
    reference = state.classes[class_index].reference
    filled: dict[int, int] = {}
    deals = 0
    for fill in event.fills:
        offer, request = fill >> 144 & _40, fill >> 104 & _40
        quantity, price = fill >> 72 & _32, fill & _72
        for order in (offer, request):
            filled[order] = filled.get(order, 0) + quantity
        word = word_of(state, offer)
        asset, slot = word >> 200, word >> 72 & _24
        state.used[asset << 24 | slot] += quantity
        provider = state.batches[offer >> 6] >> 152 & _24
        consumer = state.batches[request >> 6] >> 152 & _24
        if provider == consumer:
            state.open_value[provider] -= quantity * reference
            continue
        deal = DealTerms(
            class_index=class_index,
            round=event.round,
            index=deals,
            provider=provider,
            consumer=consumer,
            asset=asset,
            slot=slot,
            quantity=quantity,
            price=price,
            bond_per_unit=bond_per_unit(state, reference, word),
            offer_id=offer,
            request_id=request,
        )
        state.deals[deal.id] = deal
        deals += 1
    for order, quantity in filled.items():
        _keep(state, order, left_of(state, order) - quantity, now)
