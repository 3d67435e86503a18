"""Clearing: a market's standing orders cleared by an allocation that proves itself."""

from __future__ import annotations

from capshare.errors import RuleRefused
from capshare.events import DealsCommitted, MarketCleared, OrdersMatched, PricesSet
from capshare.ledger import batches, vault
from capshare.ledger.book import Freed, free_order
from capshare.ledger.commands import Clear
from capshare.ledger.core import Refused, Transaction, decides, require
from capshare.ledger.state import State
from capshare.market import certificate
from capshare.market.book import Market, Standing, standing
from capshare.market.certificate import Certificate
from capshare.market.effects import effects
from capshare.market.submission import cut


def standing_count(state: State, class_index: int, round_: int) -> int:
    """Count the orders that stand in a market in a round: posted in an earlier one, not gone."""
    market = state.markets[class_index]
    fresh = market.fresh_offers + market.fresh_requests
    is_this_round = market.fresh_round == round_
    return market.offers + market.requests - (fresh if is_this_round else 0)


def market_at(state: State, class_index: int, round_: int) -> Market:
    """Return what a clearing of the market in the round needs to know beside its batches."""
    terms, parameters = state.classes[class_index], state.parameters
    return Market(
        class_code=terms.code,
        class_index=class_index,
        round=round_,
        round_length=parameters.round,
        slot_length=terms.slot_length,
        gate_lead=terms.gate_lead,
        reference=terms.reference,
        bond_rates=parameters.bond_rates,
        suspended=state.suspended,
    )


def standing_at(state: State, class_index: int, round_: int) -> Standing:
    """Return the orders that stand in a market in a round: what a clearing of it has to list."""
    listed = (
        batches.batch_at(state, number)
        for number, _ in state.live_batches.entries()
        if state.batches[number] >> 176 & 0xFFF == class_index
    )
    return standing(market_at(state, class_index, round_), listed)


@decides(Clear)
def _clear(tx: Transaction, command: Clear) -> None:
    state, code, round_ = tx.state, command.class_, command.round
    class_index = state.class_index[code]
    is_cleared = class_index != 0 and state.markets[class_index].cleared_round == round_
    require(not is_cleared, "AlreadyCleared", code, round_)
    require(class_index != 0, "UnknownClass", code)
    current = tx.now // state.parameters.round
    require(round_ == current, "WrongRound", round_, current)
    require(not state.paused, "ClearingPaused")
    count = standing_count(state, class_index, round_)
    require(count != 0, "NothingStanding", code)

    numbers = {number for (number,) in cut(command.submission.batches, 4)}
    listed = {n: batches.batch_at(state, n) for n in numbers if state.batches[n]}
    market = market_at(state, class_index, round_)
    try:
        proven = certificate.verify(market, listed, command.submission, standing=count)
    except RuleRefused as error:
        raise Refused(error.name, *error.values) from None
    _carry_out(tx, command, market, proven)


def _carry_out(tx: Transaction, command: Clear, market: Market, proven: Certificate) -> None:
    """Emit what a proven allocation does, in the order of the contracts' calls."""
    state, code, round_ = tx.state, command.class_, command.round
    done = effects(market, proven)
    refunds = Freed()
    for order in done.dead:
        free_order(state, refunds, order, batches.left_of(state, order))

    refunds.release(tx)
    vault.release(tx, [vault.movement(member, member, amount) for member, amount in done.freed])
    if done.deals:
        tx.emit(DealsCommitted(class_index=market.class_index, round=round_, root=done.root))
    tx.emit(
        MarketCleared(
            class_=code,
            round=round_,
            sender=command.sender,
            root=done.root,
            deals=len(done.deals),
            dead=done.dead,
        )
    )
    if proven.placed:
        fills = tuple(
            fill.offer << 144 | fill.request << 104 | fill.quantity << 72 | price
            for fill, price in zip(proven.fills, done.fill_prices, strict=True)
        )
        tx.emit(PricesSet(class_=code, round=round_, prices=_price_words(proven)))
        tx.emit(OrdersMatched(class_=code, round=round_, fills=fills))


def _price_words(proven: Certificate) -> tuple[int, ...]:
    words = []
    for row in proven.prices:
        words.append(row.slot << 144 | row.attributes << 80 | row.credit << 72 | row.price)
        words.append(row.low << 128 | row.high)
    return tuple(words)
