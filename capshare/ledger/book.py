"""CapacityBook: posting, reducing and expiring orders."""

from __future__ import annotations

from dataclasses import dataclass, field

from capshare import eip712
from capshare.eip712 import Domain, OrderBatch, Reduction
from capshare.events import OffersPosted, OrdersReduced, OrdersRemoved, PauseSet, RequestsPosted
from capshare.ledger import assets, batches, credit, members, vault
from capshare.ledger.commands import Expire, Post, Reduce, SetPaused
from capshare.ledger.core import NO_REASON, Transaction, decides, require
from capshare.ledger.state import State
from capshare.orders import BATCH_ORDERS, ORDER_BYTES, Side
from capshare.parameters import BANDS, ClassTerms

SHARE_FLOOR = 20  # orders a side that an owner group may hold however full the side is


def domain(state: State) -> Domain:
    """Return where signatures over batches and reductions hold."""
    return Domain(chain_id=state.deployment.chain_id, contract=state.deployment.book)


def is_salt_used(state: State, member: int, salt: int) -> bool:
    """Tell whether a member's salt was used by a batch or a reduction."""
    return state.salts[member << 248 | salt >> 8] >> (salt & 0xFF) & 1 == 1


def locked_until(state: State, batch: int, now: int) -> int:
    """Return when orders of a batch with that state word can be changed again; 0: now."""
    parameters = state.parameters
    round_ = now // parameters.round
    until = round_ * parameters.round + parameters.lock
    is_fresh = batch >> 189 & 0xFFFFFFFF == round_
    cleared = state.markets[batch >> 176 & 0xFFF].cleared_round
    return 0 if is_fresh or now >= until or cleared == round_ else until


def is_dead(state: State, order: int, now: int) -> bool:
    """Tell whether no slot of an order is open in this round, or its member is suspended."""
    batch = state.batches[order >> 6]
    if batch >> 152 & 0xFFFFFF in state.suspended:
        return True
    round_ = now // state.parameters.round
    terms = batches.class_of(state, batch)
    return not terms.is_open(_last_slot(state, order), round_, state.parameters)


def is_removable(state: State, order: int, now: int) -> bool:
    """Tell whether an order is dead, or an offer whose attestation no longer covers it."""
    if is_dead(state, order, now):
        return True
    batch, word = state.batches[order >> 6], batches.word_of(state, order)
    if batch >> 188 & 1:
        return False
    end = batches.class_of(state, batch).slot_end(word >> 72 & 0xFFFFFF)
    return not assets.covers(state, word >> 200, word >> 8 & (1 << 64) - 1, end)


def _last_slot(state: State, order: int) -> int:
    word = batches.word_of(state, order)
    span = word >> 200 if state.batches[order >> 6] >> 188 & 1 else 0
    return (word >> 72 & 0xFFFFFF) + span


# -- posting -------------------------------------------------------------------------------------


@decides(Post)
def _post(tx: Transaction, command: Post) -> None:
    require(not tx.state.paused, "BookPaused")
    for batch in command.batches:
        _post_batch(tx, batch, command.sender)


def _post_batch(tx: Transaction, batch: OrderBatch, sender: bytes) -> None:
    state, member = tx.state, batch.member
    require(tx.now <= batch.deadline, "DeadlinePassed", batch.deadline)
    size = len(batch.orders)
    count = size // ORDER_BYTES
    is_whole = size % ORDER_BYTES == 0 and 0 < count <= BATCH_ORDERS
    require(is_whole, "MalformedBatch", size)
    require(batch.side in list(Side), NO_REASON)
    side = Side(batch.side)
    expected = count if side == Side.REQUEST else 0
    given = len(batch.commitments)
    require(given == expected, "CommitmentCount", given, expected)
    require(not is_salt_used(state, member, batch.salt), "SaltUsed", member, batch.salt)
    index = state.class_index[batch.class_]
    require(index != 0, "UnknownClass", batch.class_)
    terms = state.classes[index]
    require(not terms.retired, "ClassIsRetired", batch.class_)
    words = tuple(batches.words(batch.orders))
    for position, word in enumerate(words):
        _check_order(tx, terms, side, position, word, size)
    quantities = [word >> 168 & 0xFFFFFFFF for word in words]
    if side == Side.REQUEST:
        prices = [word >> 96 & (1 << 72) - 1 for word in words]
    else:
        prices = [batches.bond_per_unit(state, terms.reference, word) for word in words]
    amount = sum(q * p for q, p in zip(quantities, prices, strict=True))
    signer = sender
    if batch.signature:
        signer = eip712.recover(eip712.digest(batch, domain(state)), batch.signature)
    members.check_spending(state, member, signer, amount, tx.now)
    _check_room(state, index, batch, side, count)
    number, round_ = state.batch_count + 1, tx.now // state.parameters.round
    if side == Side.OFFER:
        assets.check_reservations(state, member, index, terms.slot_length, words)
        declared = max(word >> 4 & 0xF for word in words)
        credit.check_open(state, member, declared, sum(quantities) * terms.reference, tx.now)
        tx.emit(
            OffersPosted(
                batch=number,
                member=member,
                class_=batch.class_,
                round=round_,
                salt=batch.salt,
                signer=signer,
                orders=batch.orders,
            )
        )
    else:
        tx.emit(
            RequestsPosted(
                batch=number,
                member=member,
                class_=batch.class_,
                round=round_,
                salt=batch.salt,
                signer=signer,
                orders=batch.orders,
                commitments=batch.commitments,
            )
        )
    if amount:
        vault.lock(tx, member, amount)


def _check_order(
    tx: Transaction, terms: ClassTerms, side: Side, position: int, word: int, size: int
) -> None:
    require(word & 0xF == 0, "MalformedBatch", size)
    quantity, mask = word >> 168 & 0xFFFFFFFF, word >> 8 & (1 << 64) - 1
    require(quantity >= terms.lot, "BelowLot", position, quantity, terms.lot)
    require(mask & ~terms.mask == 0, "OutsideMask", position, mask, terms.mask)
    band, last = word >> 4 & 0xF, word >> 72 & 0xFFFFFF
    require(band < BANDS, "UnknownBand", position, band)
    if side == Side.REQUEST:
        span = word >> 200
        require(span < terms.window, "WindowTooWide", position, span + 1, terms.window)
        last += span
    parameters = tx.state.parameters
    next_round = tx.now // parameters.round + 1
    require(terms.is_open(last, next_round, parameters), "SlotNotOpen", position, last)
    is_near = terms.slot_start(last) <= tx.now + parameters.horizon
    require(is_near, "BeyondHorizon", position, last)


def _check_room(state: State, index: int, batch: OrderBatch, side: Side, count: int) -> None:
    """Refuse what the side has no room for, or the owner group's share does not allow."""
    market = state.markets[index]
    held = market.requests if side == Side.REQUEST else market.offers
    most = state.classes[index].book_size // 2
    require(held + count <= most, "SideFull", batch.class_, int(side), held, count, most)
    group = state.members[batch.member].group
    share = (state.held_orders[index << 24 | group] >> 16 * side & 0xFFFF) + count
    free = most - held - count
    is_fair = share <= SHARE_FLOOR or share <= free
    require(is_fair, "ShareExceeded", batch.class_, int(side), group, share, free)


# -- reducing and expiring -----------------------------------------------------------------------


@dataclass(slots=True)
class Freed:
    """Locked money that removed orders give back: one sum a run of orders of one member."""

    runs: list[tuple[int, int]] = field(default_factory=list)  # member, amount

    def add(self, member: int, amount: int) -> None:
        """Add what an order gives back."""
        if self.runs and self.runs[-1][0] == member:
            self.runs[-1] = (member, self.runs[-1][1] + amount)
        else:
            self.runs.append((member, amount))

    def release(self, tx: Transaction) -> None:
        """Free the money; runs without any are left out."""
        vault.release(tx, [vault.movement(m, m, amount) for m, amount in self.runs if amount])


def free_order(state: State, freed: Freed, order: int, quantity: int) -> None:
    """Collect what so many units of an order have locked."""
    batch = state.batches[order >> 6]
    rate = batches.locked_per_unit(state, batch, batches.word_of(state, order))
    freed.add(batch >> 152 & 0xFFFFFF, quantity * rate)


@decides(Reduce)
def _reduce(tx: Transaction, command: Reduce) -> None:
    for reduction in command.reductions:
        _reduce_orders(tx, reduction, command.sender)


def _reduce_orders(tx: Transaction, reduction: Reduction, sender: bytes) -> None:
    state, member = tx.state, reduction.member
    require(tx.now <= reduction.deadline, "DeadlinePassed", reduction.deadline)
    count, given = len(reduction.ids), len(reduction.quantities)
    require(count == given and 0 < count <= BATCH_ORDERS, "ListLengths", count, given)
    require(not is_salt_used(state, member, reduction.salt), "SaltUsed", member, reduction.salt)
    signer = sender
    if reduction.signature:
        signer = eip712.recover(eip712.digest(reduction, domain(state)), reduction.signature)
    members.require_scope(state, member, signer, members.TRADE)
    freed = Freed()
    lowered: dict[int, int] = {}  # by this list's earlier items
    for order, wanted in zip(reduction.ids, reduction.quantities, strict=True):
        batch = state.batches[order >> 6]
        is_live = batches.is_live(batch, order & 63) and lowered.get(order) != 0
        require(is_live, "OrderNotLive", order)
        require(batch >> 152 & 0xFFFFFF == member, "OrderNotOwned", order, member)
        until = locked_until(state, batch, tx.now)
        require(until == 0, "MarketLocked", batches.class_of(state, batch).code, until)
        left = lowered.get(order) or batches.left_of(state, order)
        require(wanted < left, "NotReduced", order, left, wanted)
        free_order(state, freed, order, left - wanted)
        lowered[order] = wanted
    tx.emit(
        OrdersReduced(
            member=member,
            salt=reduction.salt,
            signer=signer,
            ids=reduction.ids,
            quantities=reduction.quantities,
        )
    )
    freed.release(tx)


@decides(Expire)
def _expire(tx: Transaction, command: Expire) -> None:
    state, freed = tx.state, Freed()
    removed: dict[int, None] = {}
    for order in command.ids:
        batch = state.batches[order >> 6]
        if (
            order in removed
            or not batches.is_live(batch, order & 63)
            or locked_until(state, batch, tx.now)
            or not is_removable(state, order, tx.now)
        ):
            continue
        free_order(state, freed, order, batches.left_of(state, order))
        removed[order] = None
    if removed:
        tx.emit(OrdersRemoved(ids=tuple(removed)))
        freed.release(tx)


@decides(SetPaused)
def _set_paused(tx: Transaction, command: SetPaused) -> None:
    members.require_council(command, tx.state)
    require(command.paused != tx.state.paused, "PauseUnchanged", command.paused)
    tx.emit(PauseSet(paused=command.paused))
