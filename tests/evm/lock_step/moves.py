"""What people do when they keep to the rules: each move returns a command likely to be accepted.

A move returns None where there is nothing to do in its way.
"""

from collections.abc import Callable
from typing import Any

from capshare.ledger import batches, clearing, credit
from capshare.ledger.commands import (
    Accept,
    Admit,
    Attest,
    CancelDeal,
    Clear,
    Command,
    CompleteMove,
    Deliver,
    Deposit,
    Dispute,
    Execute,
    Expire,
    ListClass,
    Post,
    Propose,
    RaiseCapacity,
    Reduce,
    RegisterAsset,
    Reinstate,
    ReleaseDeals,
    RetireClass,
    Rule,
    SetEncryptionKey,
    SetGroup,
    SetPaused,
    SetRoles,
    SetSigner,
    Settle,
    SetValidators,
    StartMove,
    Suspend,
    VetoMove,
    Vote,
    Withdraw,
)
from capshare.market import solver, submission
from capshare.market.book import Market, Standing, standing
from capshare.orders import Batch, Offer, Request, bond_per_unit
from tests.evm.lock_step.play import (
    CLASS,
    NEWCOMERS,
    PARAMETERS,
    SIGNERS,
    Play,
    R,
)
from tests.evm.world import (
    ACCOUNTS,
    ARBITER,
    ATTESTOR,
    AUDITOR,
    COUNCIL,
    OPERATE,
    TRADE,
    TRADER,
    TREASURY,
    VALIDATOR,
)

Move = Callable[[Play], Command | None]
HASH = bytes(range(32, 64))


# -- money ---------------------------------------------------------------------------------------


def deposit(play: Play) -> Command:
    member = play.random.choice(play.members(TRADER, active=False))
    amount = play.random.randint(1, 20_000)
    return play.command(Deposit, play.account(member), member=member, amount=amount)


def withdraw(play: Play) -> Command | None:
    member = play.random.choice(play.members(TRADER, active=False))
    free = play.state.free[member]
    if free < 2:
        return None
    amount = play.random.randint(1, max(1, free // 10))
    return play.command(Withdraw, play.actor(member, TREASURY), member=member, amount=amount)


# -- assets --------------------------------------------------------------------------------------


def register_asset(play: Play) -> Command | None:
    traders, classes = play.members(TRADER), play.classes()
    if not classes or play.state.asset_count > 40:
        return None
    member = play.random.choice(traders)
    return play.command(
        RegisterAsset,
        play.actor(member, OPERATE),
        member=member,
        code=play.random.choice(classes)[1].code,
        capacity=play.random.randint(20, 200),
        identity=play.random.randbytes(32),
    )


def raise_capacity(play: Play) -> Command | None:
    if not play.state.asset_count:
        return None
    number = play.random.randint(1, play.state.asset_count)
    asset = play.state.assets[number]
    return play.command(
        RaiseCapacity,
        play.actor(asset.member, OPERATE),
        asset=number,
        capacity=asset.capacity + play.random.randint(1, 50),
    )


def attest(play: Play) -> Command | None:
    attestors = play.members(ATTESTOR)
    if not attestors or not play.state.asset_count:
        return None
    return play.command(
        Attest,
        play.account(play.random.choice(attestors)),
        asset=play.random.randint(1, play.state.asset_count),
        attributes=play.random.choice([0b111, 0b111, 0b111, 0b011, 0b001, 0]),
        valid_until=play.now + play.random.choice([500, 5_000, 10**9]),
        document=HASH,
    )


# -- orders --------------------------------------------------------------------------------------


def first_open_slot(play: Play, length: int, lead: int) -> int:
    """Return the first slot that may be posted now: open in the next round."""
    return -(-((play.round + 2) * R + lead) // length)


def post_offers(play: Play) -> Command | None:
    assets = [
        (number, asset)
        for number, asset in play.state.assets.entries()
        if asset.member not in play.state.suspended
        and play.state.members[asset.member].roles & TRADER
        and not play.state.classes[asset.class_index].retired
    ]
    if play.state.paused or not assets:
        return None
    number, asset = play.random.choice(assets)
    terms = play.state.classes[asset.class_index]
    band = credit.band_of(play.state, asset.member, play.now)
    slot = first_open_slot(play, terms.slot_length, terms.gate_lead)
    orders, bond, value = [], 0, 0
    for _ in range(play.random.choice([1, 1, 2, 3, 4])):
        this = slot + play.random.randint(0, 3)
        free = asset.capacity - play.state.reserved[number << 24 | this]
        free -= sum(o.quantity for o in orders if o.slot == this)
        if free < terms.lot:
            continue
        covers = asset.valid_until >= terms.slot_end(this)
        orders.append(
            Offer(
                asset=number,
                slot=this,
                quantity=play.random.randint(terms.lot, min(free, 30)),
                price=play.random.choice([15, 18, 20, 20, 22, 25]),
                attributes=asset.attributes & terms.mask & play.random.getrandbits(3) * covers,
                credit=play.random.randint(0, band),
            )
        )
        last = orders[-1]
        rate = bond_per_unit(last.price, last.credit, terms.reference, PARAMETERS.bond_rates)
        bond += last.quantity * rate
        value += last.quantity * terms.reference
    fits = band or play.state.open_value[asset.member] + value <= PARAMETERS.newcomer_cap
    if not orders or bond > play.state.free[asset.member] or not fits:
        return None
    return _post(play, asset.member, terms.code, orders)


def post_requests(play: Play) -> Command | None:
    classes = play.classes()
    if play.state.paused or not classes:
        return None
    _, terms = play.random.choice(classes)
    member = play.random.choice(play.members(TRADER))
    slot = first_open_slot(play, terms.slot_length, terms.gate_lead)
    orders, money = [], 0
    for _ in range(play.random.choice([1, 1, 2, 3, 4])):
        first = slot + play.random.randint(-2, 2)
        last = max(slot, first + play.random.randint(0, terms.window - 1))
        orders.append(
            Request(
                first_slot=max(first, last - terms.window + 1),
                last_slot=last,
                quantity=play.random.randint(terms.lot, 30),
                price=play.random.choice([16, 20, 20, 22, 25, 30]),
                needs=play.random.choice([0, 0, 0, 1, 3]) & terms.mask,
                min_credit=play.random.choice([0, 0, 0, 1, 2]),
            )
        )
        money += orders[-1].quantity * orders[-1].price
    if money > play.state.free[member]:
        return None
    return _post(play, member, terms.code, orders)


def _post(play: Play, member: int, code: int, orders: list[Any]) -> Command:
    """Post orders in one or two batches, sent by a trade key or signed by it and carried."""
    key = play.actor(member, TRADE)
    parts = [orders] if len(orders) < 2 or play.random.random() < 0.7 else [orders[:1], orders[1:]]
    made = [play.batch(member, code, part) for part in parts]
    if play.random.random() < 0.4:
        return play.command(
            Post, play.outsider(), batches=tuple(play.signed(batch, key) for batch in made)
        )
    return play.command(Post, key, batches=tuple(made))


def reduce(play: Play) -> Command | None:
    orders = [o for o in play.live_orders() if not play.is_locked(o)]
    if not orders:
        return None
    member = play.owner(play.random.choice(orders))
    own = [o for o in orders if play.owner(o) == member]
    chosen = play.random.sample(own, min(len(own), play.random.randint(1, 3)))
    wanted = {
        order: play.random.choice([0, play.random.randrange(batches.left_of(play.state, order))])
        for order in chosen
    }
    made = play.reduction(member, wanted)
    key = play.actor(member, TRADE)
    if play.random.random() < 0.4:
        return play.command(Reduce, play.outsider(), reductions=(play.signed(made, key),))
    return play.command(Reduce, key, reductions=(made,))


def expire(play: Play) -> Command | None:
    orders = list(play.live_orders())
    if not orders:
        return None
    chosen = play.random.sample(orders, min(len(orders), 12))
    return play.command(Expire, play.outsider(), ids=(*chosen, play.random.getrandbits(20)))


def market_case(play: Play, index: int) -> tuple[Market, dict[int, Batch], Standing]:
    """Return a market now, its batches that have live orders, and what stands."""
    market = clearing.market_at(play.state, index, play.round)
    live = {n: batches.batch_at(play.state, n) for n, _ in play.state.live_batches.entries()}
    return market, live, standing(market, live.values())


def clear(play: Play) -> Command | None:
    if play.state.paused:
        return None
    for index, terms in play.state.classes.entries():
        market = play.state.markets[index]
        if market.cleared_round != play.round and play.standing_count(index):
            _, _, stands = market_case(play, index)
            found = solver.solve(stands.book)
            made = submission.build(stands, found.fills, found.hints)
            return play.command(
                Clear, play.outsider(), class_=terms.code, round=play.round, submission=made
            )
    return None


# -- deals ---------------------------------------------------------------------------------------


def deliver(play: Play) -> Command | None:
    due = [d for d in play.going(0) if play.slot_end(d) <= play.now <= play.deadline(d)]
    if not due:
        return None
    provider = play.random.choice(due).provider
    chosen = [d for d in due if d.provider == provider][:4]
    quantities = tuple(
        d.quantity if play.random.random() < 0.5 else play.random.randint(1, d.quantity)
        for d in chosen
    )
    return play.command(
        Deliver,
        play.actor(provider, OPERATE),
        deals=tuple(map(play.reference, chosen)),
        quantities=quantities,
        evidence=(HASH,) * len(chosen),
    )


def accept(play: Play) -> Command | None:
    due = [d for d in play.going(1) if play.now <= play.deadline(d)]
    if not due:
        return None
    consumer = play.random.choice(due).consumer
    chosen = [d for d in due if d.consumer == consumer][:4]
    quantities, bond = [], 0
    for deal in chosen:
        reported = play.state.progress[deal.id].reported
        quantities.append(
            reported if play.random.random() < 0.4 else play.random.randrange(reported)
        )
        bond += (reported - quantities[-1]) * deal.price // 10 + 1
    if bond > play.state.free[consumer]:
        return None
    return play.command(
        Accept,
        play.actor(consumer, OPERATE),
        deals=tuple(map(play.reference, chosen)),
        quantities=tuple(quantities),
        evidence=(HASH,) * len(chosen),
    )


def dispute(play: Play) -> Command | None:
    due = [d for d in play.going(2) if play.now <= play.deadline(d)]
    if not due:
        return None
    deal = play.random.choice(due)
    if play.state.free[deal.provider] < deal.quantity * deal.price:
        return None
    key = play.actor(deal.provider, OPERATE)
    return play.command(Dispute, key, deals=(play.reference(deal),), evidence=(HASH,))


def rule(play: Play) -> Command | None:
    due = [
        d
        for d in play.going(3)
        if play.now <= play.deadline(d)
        and play.state.progress[d.id].arbiter in play.members(ARBITER)
    ]
    if not due:
        return None
    deal = play.random.choice(due)
    progress = play.state.progress[deal.id]
    quantity = play.random.randint(progress.accepted, progress.reported)
    sender = play.account(progress.arbiter)
    return play.command(Rule, sender, deal=play.reference(deal), quantity=quantity, reason=HASH)


def release(play: Play) -> Command | None:
    due = [d for d in play.going(0) if play.now < play.gate(d)]
    if not due or play.random.random() < 0.5:
        return None
    deal = play.random.choice(due)
    key = play.actor(deal.provider, OPERATE)
    return play.command(ReleaseDeals, key, deals=(play.reference(deal),))


def cancel(play: Play) -> Command | None:
    due = [d for d in play.going() if play.now <= play.deadline(d)]
    if not due or play.random.random() < 0.7:
        return None
    deal = play.random.choice(due)
    until = play.now + 10
    signatures = [
        play.consent(deal, until, member, play.actor(member, OPERATE))
        for member in (deal.provider, deal.consumer)
    ]
    return play.command(
        CancelDeal,
        play.outsider(),
        deal=play.reference(deal),
        deadline=until,
        provider_signature=signatures[0],
        consumer_signature=signatures[1],
    )


def settle(play: Play) -> Command | None:
    if not play.references:
        return None
    known = list(play.references)
    due = [d.id for d in play.going() if play.now > play.deadline(d)]
    chosen = play.random.sample(due, min(len(due), 4)) + play.random.sample(known, 1)
    return play.command(Settle, play.outsider(), deals=tuple(play.references[d] for d in chosen))


# -- members and council -------------------------------------------------------------------------


def set_signer(play: Play) -> Command | None:
    member = play.random.choice(play.members(TRADER, active=False))
    signer = ACCOUNTS[play.random.choice(SIGNERS)].raw
    holder = play.state.signers[signer].member
    if holder not in (0, member) or play.state.member_of[signer]:
        return None
    return play.command(
        SetSigner,
        play.account(member),
        signer=signer,
        scopes=play.random.choice([7, 7, 3, 5, TRADE, OPERATE, TREASURY, 0]),
        limit=play.random.choice([10**9, 10**9, 500]),
    )


def set_encryption_key(play: Play) -> Command:
    member = play.random.choice([m for m, _ in play.state.members.entries()])
    return play.command(
        SetEncryptionKey,
        play.account(member),
        key=play.random.randbytes(32),
        valid_until=play.now + 1_000,
    )


def veto_move(play: Play) -> Command | None:
    moving = [m for m, _ in play.state.moves.entries()]
    if not moving or play.random.random() < 0.9:
        return None
    member = play.random.choice(moving)
    return play.command(VetoMove, play.account(member), member=member)


def complete_move(play: Play) -> Command | None:
    due = [m for m, move in play.state.moves.entries() if move.effective_at <= play.now]
    free = [m for m in due if _is_free(play, play.state.moves[m].account)]
    if not free:
        return None
    return play.command(CompleteMove, play.outsider(), member=play.random.choice(free))


def _is_free(play: Play, account: bytes) -> bool:
    return not play.state.member_of[account] and not play.state.signers[account].member


def _newcomer(play: Play) -> int | None:
    free = [
        n
        for n in NEWCOMERS
        if _is_free(play, ACCOUNTS[n].raw)
        and not play.state.member_by_identity[n.to_bytes(32, "big")]
    ]
    return play.random.choice(free) if free else None


def _decree(play: Play) -> Any:
    """Return a call that the council could agree on now, or None."""
    kind = play.random.randrange(11)
    members = [m for m, _ in play.state.members.entries()]
    if play.state.paused and play.random.random() < 0.7:
        return play.call(SetPaused, paused=False)
    if play.state.suspended and play.random.random() < 0.3:
        return play.call(Reinstate, member=play.random.choice(sorted(play.state.suspended)))
    if kind == 0 and (newcomer := _newcomer(play)):
        roles = play.random.choice([TRADER, TRADER | ARBITER, ARBITER, ATTESTOR])
        return play.call(Admit, admission=play.admission(newcomer, roles))
    if kind == 1:
        member = play.random.choice([m for m in members if m > 3])
        roles = play.state.members[member].roles ^ play.random.choice([VALIDATOR, AUDITOR, ARBITER])
        return play.call(SetRoles, member=member, roles=roles)
    if kind == 2:
        idle = [m for m in members if not play.state.live[m]]
        group = play.random.choice(members)
        return idle and play.call(SetGroup, member=play.random.choice(idle), group=group)
    if kind in (3, 4) and len(play.state.suspended) < 2:
        active = [m for m in members if m > 3 and m not in play.state.suspended]
        return play.call(Suspend, member=play.random.choice(active))
    if kind == 5:
        chosen = play.random.sample(range(150, 170), play.random.randint(1, 4))
        return play.call(SetValidators, validators=tuple(ACCOUNTS[n].raw for n in chosen))
    if kind == 6 and (newcomer := _newcomer(play)):
        member = play.random.choice([m for m in members if m > 3])
        return play.call(StartMove, member=member, account=ACCOUNTS[newcomer].raw)
    if kind == 7 and play.state.class_count < 4:
        from dataclasses import replace

        code = CLASS.code + play.state.class_count
        terms = replace(CLASS, code=code, mask=0b11, window=3, book_size=60, lot=1)
        return play.call(ListClass, class_=terms, name=f"class {code}", unit="HUR")
    if kind == 8 and play.state.class_count >= 3:
        code = play.state.classes[play.state.class_count].code
        if not play.state.classes[play.state.class_count].retired:
            return play.call(RetireClass, code=code)
    if kind == 9 and not play.state.paused and play.random.random() < 0.4:
        return play.call(SetPaused, paused=True)
    return None


def propose(play: Play) -> Command | None:
    calls = [call for call in (_decree(play) for _ in range(play.random.choice([1, 1, 2]))) if call]
    if not calls:
        return None
    seat = play.random.choice(play.members(COUNCIL))
    return play.command(Propose, play.account(seat), calls=tuple(calls), reason="daily work")


def _pending(play: Play) -> list[int]:
    return [
        number
        for number, proposal in play.state.proposals.entries()
        if not proposal.executed and play.now <= proposal.deadline and number in play.proposals
    ]


def vote(play: Play) -> Command | None:
    pending = _pending(play)
    if not pending:
        return None
    seat = play.random.choice(play.members(COUNCIL))
    return play.command(
        Vote,
        play.account(seat),
        proposal=play.random.choice(pending[-3:]),
        support=play.random.random() < 0.9,
    )


def execute(play: Play) -> Command | None:
    seats = play.members(COUNCIL)
    passed = [
        number
        for number in _pending(play)
        if sum(play.state.support[number << 24 | seat] for seat in seats) * 2 > len(seats)
    ]
    if not passed:
        return None
    number = play.random.choice(passed)
    return play.command(Execute, play.outsider(), proposal=number, calls=play.proposals[number])


MOVES: dict[Move, int] = {
    deposit: 3,
    withdraw: 3,
    register_asset: 4,
    raise_capacity: 1,
    attest: 4,
    post_offers: 12,
    post_requests: 12,
    reduce: 4,
    expire: 3,
    clear: 10,
    deliver: 25,
    accept: 25,
    dispute: 20,
    rule: 12,
    release: 1,
    cancel: 2,
    settle: 4,
    set_signer: 3,
    set_encryption_key: 1,
    veto_move: 1,
    complete_move: 2,
    propose: 4,
    vote: 5,
    execute: 12,
}
"""How often each move is tried."""
