"""One way, at least, to be refused with each error; a fault returns None where it cannot be made.

Errors of functions that only the council may call come inside its `CallFailed`; `council_faults`
holds those.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from capshare.codec import ZERO_ADDRESS
from capshare.events import Call
from capshare.ledger import batches, credit
from capshare.ledger.calldata import RESTRICTED
from capshare.ledger.commands import (
    Accept,
    Attest,
    CancelDeal,
    Clear,
    Command,
    CompleteMove,
    Deliver,
    Deposit,
    Dispute,
    Execute,
    Intrude,
    Post,
    Propose,
    RaiseCapacity,
    Reduce,
    RegisterAsset,
    ReleaseDeals,
    Rule,
    SetPaused,
    SetSigner,
    Settle,
    Suspend,
    Vote,
    Withdraw,
)
from capshare.market import solver, submission
from capshare.orders import ORDER_BYTES, Offer, Request
from tests.evm.lock_step.moves import HASH, _pending, first_open_slot, market_case
from tests.evm.lock_step.play import CODE, COUNCILLORS, PARAMETERS, TRADERS, Play
from tests.evm.perturbations import BLIND, KNOWING, Case
from tests.evm.world import ACCOUNTS, COUNCIL, TRADER

Fault = Callable[[Play], Command | None]
FAULTS: dict[str, list[Fault]] = {}
WRONGS = [*BLIND.values(), *KNOWING.values(), *KNOWING.values()]


def fault(*errors: str) -> Callable[[Fault], Fault]:
    """Register a way to be refused with these errors."""

    def register(function: Fault) -> Fault:
        for error in errors:
            FAULTS.setdefault(error, []).append(function)
        return function

    return register


# -- council -------------------------------------------------------------------------------------


@fault("NotCouncil")
def proposal_of_an_outsider(play: Play) -> Command:
    return play.command(Propose, play.outsider(), calls=(), reason="")


@fault("EmptyProposal")
def proposal_without_calls(play: Play) -> Command:
    return play.command(Propose, play.account(1), calls=(), reason="")


@fault("UnknownProposal")
def vote_on_an_unknown_proposal(play: Play) -> Command:
    number = play.state.proposal_count + 1
    return play.command(Vote, play.account(1), proposal=number, support=True)


@fault("AlreadyExecuted")
def second_execution(play: Play) -> Command:
    executed = [n for n, p in play.state.proposals.entries() if p.executed]
    number = play.random.choice(executed)
    return play.command(Execute, play.outsider(), proposal=number, calls=play.proposals[number])


@fault("ProposalLapsed")
def vote_too_late(play: Play) -> Command | None:
    lapsed = [
        n for n, p in play.state.proposals.entries() if not p.executed and p.deadline < play.now
    ]
    if not lapsed:
        return None
    return play.command(Vote, play.account(2), proposal=play.random.choice(lapsed), support=True)


@fault("CallsDiffer")
def execution_of_other_calls(play: Play) -> Command | None:
    pending = _pending(play)
    if not pending:
        return None
    return play.command(Execute, play.outsider(), proposal=pending[-1], calls=())


@fault("NotPassed")
def execution_without_votes(play: Play) -> Command | None:
    seats = play.members(COUNCIL)
    for number in _pending(play):
        yes = sum(play.state.support[number << 24 | seat] for seat in seats)
        if yes * 2 <= len(seats):
            calls = play.proposals[number]
            return play.command(Execute, play.outsider(), proposal=number, calls=calls)
    return None


# -- members and assets --------------------------------------------------------------------------


@fault("NotCouncilCall")
def suspension_by_an_outsider(play: Play) -> Command:
    return play.command(Suspend, play.account(1), member=4)


@fault("NotAccount")
def signer_of_an_outsider(play: Play) -> Command:
    return play.command(SetSigner, play.outsider(), signer=play.outsider(), scopes=1, limit=1)


@fault("UnknownScopes")
def signer_with_unknown_scopes(play: Play) -> Command:
    signer = ACCOUNTS[130].raw
    return play.command(SetSigner, play.account(4), signer=signer, scopes=8, limit=1)


@fault("AddressTaken")
def signer_that_is_an_account(play: Play) -> Command:
    signer = play.account(5)
    return play.command(SetSigner, play.account(4), signer=signer, scopes=1, limit=1)


@fault("ZeroAccount")
def signer_zero(play: Play) -> Command:
    return play.command(SetSigner, play.account(4), signer=ZERO_ADDRESS, scopes=1, limit=1)


@fault("NoMovePending")
def completion_of_no_move(play: Play) -> Command | None:
    still = [m for m in TRADERS if play.state.moves[m].account == ZERO_ADDRESS]
    return play.command(CompleteMove, play.outsider(), member=still[0]) if still else None


@fault("MoveNotDue")
def completion_before_its_time(play: Play) -> Command | None:
    early = [m for m, move in play.state.moves.entries() if move.effective_at > play.now]
    return play.command(CompleteMove, play.outsider(), member=early[0]) if early else None


@fault("UnknownMember")
def move_of_nobody(play: Play) -> Command:
    return play.command(CompleteMove, play.outsider(), member=9_999)


@fault("MemberNotActive")
def asset_of_no_trader(play: Play) -> Command:
    return _registration(play, member=1, sender=play.account(1))


@fault("NotSigner")
def asset_registered_by_an_outsider(play: Play) -> Command:
    return _registration(play, sender=play.outsider())


@fault("UnknownClass")
def asset_of_an_unknown_class(play: Play) -> Command:
    return _registration(play, code=1)


@fault("ZeroCapacity")
def asset_without_capacity(play: Play) -> Command:
    return _registration(play, capacity=0)


@fault("ZeroIdentity")
def asset_without_identity(play: Play) -> Command:
    return _registration(play, identity=bytes(32))


@fault("AssetIdentityTaken")
def asset_registered_twice(play: Play) -> Command | None:
    taken = [identity for identity, _ in play.state.asset_by_identity.entries()]
    return _registration(play, identity=play.random.choice(taken)) if taken else None


def _registration(play: Play, **changes: Any) -> Command:
    member = changes.get("member", play.random.choice(play.members(TRADER)))
    given = {
        "member": member,
        "code": CODE,
        "capacity": 10,
        "identity": play.random.randbytes(32),
        "sender": play.account(member),
        **changes,
    }
    return play.command(RegisterAsset, given.pop("sender"), **given)


@fault("UnknownAsset")
def attestation_of_no_asset(play: Play) -> Command | None:
    return play.command(
        Attest,
        play.account(14),
        asset=play.state.asset_count + 1,
        attributes=1,
        valid_until=play.now,
        document=HASH,
    )


@fault("CapacityNotRaised")
def capacity_lowered(play: Play) -> Command | None:
    if not play.state.asset_count:
        return None
    asset = play.state.assets[1]
    key = play.account(asset.member)
    return play.command(RaiseCapacity, key, asset=1, capacity=asset.capacity)


@fault("NotBook", "NotAllowed", "NotClearing")
def intrusion(play: Play) -> Command:
    contract, function = play.random.choice(list(RESTRICTED))
    return play.command(Intrude, play.account(1), contract=contract, function=function)


# -- posting -------------------------------------------------------------------------------------


def _request(play: Play, **changes: Any) -> Request:
    slot = first_open_slot(play, 200, 20)
    given = Request(first_slot=slot, last_slot=slot, quantity=2, price=20)
    return replace(given, **changes)


def _poster(play: Play) -> int | None:
    """Return an active trader with money, while the book is not paused."""
    able = [m for m in play.members(TRADER) if play.state.free[m] > 5_000]
    return play.random.choice(able) if able and not play.state.paused else None


def _request_post(play: Play, *orders: Request, **changes: Any) -> Command | None:
    member = _poster(play)
    if member is None:
        return None
    made = play.batch(member, CODE, list(orders or (_request(play),)), **changes)
    return play.command(Post, play.account(member), batches=(made,))


@fault("BookPaused")
def post_into_a_paused_book(play: Play) -> Command | None:
    if not play.state.paused:
        return None
    made = play.batch(4, CODE, [_request(play)])
    return play.command(Post, play.account(4), batches=(made,))


@fault("DeadlinePassed")
def post_carried_too_late(play: Play) -> Command | None:
    return _request_post(play, deadline=play.now - 1)


@fault("MalformedBatch")
def post_of_half_an_order(play: Play) -> Command | None:
    odd = play.random.choice([b"", b"\0" * 27, b"\0" * ORDER_BYTES * 65, b"\xff" * ORDER_BYTES])
    return _request_post(play, orders=odd, commitments=(HASH,) * (len(odd) // ORDER_BYTES))


@fault("CommitmentCount")
def post_without_commitments(play: Play) -> Command | None:
    return _request_post(play, commitments=())


@fault("SaltUsed")
def post_repeated(play: Play) -> Command | None:
    member = _poster(play)
    if member is None:
        return None
    made = play.batch(member, CODE, [_request(play)])
    return play.command(Post, play.account(member), batches=(made, made))


@fault("UnknownClass")
def post_in_an_unknown_class(play: Play) -> Command | None:
    return _request_post(play, class_=1)


@fault("ClassIsRetired")
def post_in_a_retired_class(play: Play) -> Command | None:
    retired = [c.code for _, c in play.state.classes.entries() if c.retired]
    return _request_post(play, class_=retired[0]) if retired else None


@fault("BelowLot")
def post_below_the_lot(play: Play) -> Command | None:
    return _request_post(play, _request(play, quantity=1))


@fault("OutsideMask")
def post_outside_the_mask(play: Play) -> Command | None:
    return _request_post(play, _request(play, needs=8))


@fault("UnknownBand")
def post_of_band_eight(play: Play) -> Command | None:
    member = _poster(play)
    if member is None:
        return None
    slot = first_open_slot(play, 200, 20)
    made = play.batch(member, CODE, [Offer(asset=1, slot=slot, quantity=2, price=1)])
    word = int.from_bytes(made.orders, "big") | 8 << 4
    made = replace(made, orders=word.to_bytes(ORDER_BYTES, "big"))
    return play.command(Post, play.account(member), batches=(made,))


@fault("WindowTooWide")
def post_of_a_wide_window(play: Play) -> Command | None:
    slot = first_open_slot(play, 200, 20)
    return _request_post(play, _request(play, last_slot=slot + 4))


@fault("SlotNotOpen")
def post_of_a_closed_slot(play: Play) -> Command | None:
    slot = first_open_slot(play, 200, 20) - 1
    return _request_post(play, _request(play, first_slot=slot, last_slot=slot))


@fault("BeyondHorizon")
def post_beyond_the_horizon(play: Play) -> Command | None:
    slot = (play.now + PARAMETERS.horizon) // 200 + 1
    return _request_post(play, _request(play, first_slot=slot, last_slot=slot))


@fault("NotSigner")
def post_with_a_foreign_signature(play: Play) -> Command | None:
    member = _poster(play)
    if member is None:
        return None
    made = play.signed(play.batch(member, CODE, [_request(play)]), play.outsider())
    wrong = play.random.choice([made, replace(made, salt=made.salt + 1), _other_chain(play, made)])
    return play.command(Post, play.account(member), batches=(wrong,))


def _other_chain(play: Play, made: Any) -> Any:
    from capshare.ledger import book

    elsewhere = replace(book.domain(play.state), chain_id=1)
    return play.signed(made, play.account(made.member), domain=elsewhere)


@fault("MemberNotActive")
def post_of_a_suspended_member(play: Play) -> Command | None:
    suspended = [m for m in play.state.suspended if play.state.members[m].roles & TRADER]
    if not suspended or play.state.paused:
        return None
    made = play.batch(suspended[0], CODE, [_request(play)])
    return play.command(Post, play.account(suspended[0]), batches=(made,))


@fault("LimitExceeded")
def post_above_the_limit(play: Play) -> Command | None:
    small = [
        (key, s)
        for key, s in play.state.signers.entries()
        if s.scopes & 1 and s.limit < 10**6 and s.member in play.members(TRADER)
    ]
    if not small or play.state.paused:
        return None
    key, signer = play.random.choice(small)
    made = play.batch(signer.member, CODE, [_request(play, quantity=400)])
    return play.command(Post, key, batches=(made,))


@fault("SideFull", "ShareExceeded")
def post_of_a_crowd(play: Play) -> Command | None:
    return _request_post(play, *[_request(play)] * play.random.choice([21, 40, 61, 64]))


@fault("InsufficientFree")
def post_without_money(play: Play) -> Command | None:
    return _request_post(play, _request(play, quantity=2**32 - 1, price=2**40))


def _offer_post(play: Play, owned: bool = True, **changes: Any) -> Command | None:
    """Post an offer of an asset of class CODE, by its owner or by another member."""
    if play.state.paused:
        return None
    assets = [
        (n, a)
        for n, a in play.state.assets.entries()
        if a.class_index == 1 and a.member in play.members(TRADER)
    ]
    if not assets:
        return None
    number, asset = play.random.choice(assets)
    poster = asset.member
    if not owned:
        poster = next(m for m in play.members(TRADER) if m != asset.member)
    given = Offer(asset=number, slot=first_open_slot(play, 200, 20), quantity=2, price=1)
    made = play.batch(poster, CODE, [replace(given, **changes)])
    return play.command(Post, play.account(poster), batches=(made,))


@fault("UnknownAsset")
def offer_of_no_asset(play: Play) -> Command | None:
    return _offer_post(play, asset=play.state.asset_count + 1)


@fault("AssetNotOwned")
def offer_of_another_members_asset(play: Play) -> Command | None:
    return _offer_post(play, owned=False)


@fault("AssetOfOtherClass")
def offer_in_another_class(play: Play) -> Command | None:
    other = [n for n, a in play.state.assets.entries() if a.class_index != 1]
    for number in other:
        member = play.state.assets[number].member
        if member in play.members(TRADER) and not play.state.paused:
            slot = first_open_slot(play, 200, 20)
            offer = Offer(asset=number, slot=slot, quantity=2, price=1)
            made = play.batch(member, CODE, [offer])
            return play.command(Post, play.account(member), batches=(made,))
    return None


@fault("NotAttested")
def offer_of_what_is_not_attested(play: Play) -> Command | None:
    for number, asset in play.state.assets.entries():
        if asset.class_index == 1 and asset.attributes & 0b111 != 0b111:
            return _offer_post(play, asset=number, attributes=0b111)
    return None


@fault("CapacityExceeded")
def offer_of_more_than_there_is(play: Play) -> Command | None:
    return _offer_post(play, quantity=500)


@fault("CreditAboveBand")
def offer_with_borrowed_credit(play: Play) -> Command | None:
    return _offer_post(play, credit=7)


@fault("NewcomerCapExceeded")
def offer_above_the_newcomers_cap(play: Play) -> Command | None:
    """Offer all that an asset has in a slot, several times over, from band 0."""
    if play.state.paused:
        return None
    for number, asset in play.state.assets.entries():
        band = credit.band_of(play.state, asset.member, play.now)
        slot = first_open_slot(play, 200, 20)
        slots = [
            s
            for s in range(slot, slot + 8)
            if play.state.reserved[number << 24 | s] + 60 <= asset.capacity
        ]
        if asset.class_index == 1 and not band and asset.member in play.members(TRADER):
            orders = [Offer(asset=number, slot=s, quantity=60, price=1) for s in slots]
            if len(orders) * 60 * 20 > PARAMETERS.newcomer_cap:
                made = play.batch(asset.member, CODE, orders)
                return play.command(Post, play.account(asset.member), batches=(made,))
    return None


# -- reducing ------------------------------------------------------------------------------------


def _own_order(play: Play, *, locked: bool) -> int | None:
    orders = [o for o in play.live_orders() if play.is_locked(o) == locked]
    return play.random.choice(orders) if orders else None


def _reduce(play: Play, member: int, **changes: Any) -> Command:
    made = replace(play.reduction(member, {64: 0}), **changes)
    return play.command(Reduce, play.account(member), reductions=(made,))


@fault("DeadlinePassed")
def reduction_carried_too_late(play: Play) -> Command:
    return _reduce(play, 4, deadline=play.now - 1)


@fault("ListLengths")
def reduction_of_odd_lists(play: Play) -> Command:
    return _reduce(play, 4, quantities=play.random.choice([(), (0, 0)]))


@fault("ListLengths")
def reduction_of_nothing(play: Play) -> Command:
    return _reduce(play, 4, ids=(), quantities=())


@fault("SaltUsed")
def reduction_repeated(play: Play) -> Command | None:
    used = [k for k, bits in play.state.salts.entries() if bits]
    if not used:
        return None
    key = play.random.choice(used)
    bits = play.state.salts[key]
    salt = (key & (1 << 248) - 1) << 8 | (bits & -bits).bit_length() - 1
    return _reduce(play, key >> 248, salt=salt)


@fault("OrderNotLive")
def reduction_of_no_order(play: Play) -> Command:
    return _reduce(play, 4, ids=(play.state.batch_count + 1 << 6,))


@fault("OrderNotOwned")
def reduction_of_anothers_order(play: Play) -> Command | None:
    order = _own_order(play, locked=False)
    if order is None:
        return None
    other = next(m for m in TRADERS if m != play.owner(order))
    return _reduce(play, other, ids=(order,))


@fault("MarketLocked")
def reduction_while_locked(play: Play) -> Command | None:
    order = _own_order(play, locked=True)
    return _reduce(play, play.owner(order), ids=(order,)) if order is not None else None


@fault("NotReduced")
def reduction_upwards(play: Play) -> Command | None:
    order = _own_order(play, locked=False)
    if order is None:
        return None
    left = batches.left_of(play.state, order)
    return _reduce(play, play.owner(order), ids=(order,), quantities=(left,))


# -- clearing ------------------------------------------------------------------------------------


@fault("AlreadyCleared")
def second_clearing(play: Play) -> Command | None:
    cleared = [
        c.code
        for i, c in play.state.classes.entries()
        if play.state.markets[i].cleared_round == play.round
    ]
    return _clearing(play, class_=cleared[0]) if cleared else None


@fault("UnknownClass")
def clearing_of_an_unknown_class(play: Play) -> Command:
    return _clearing(play, class_=1)


@fault("WrongRound")
def clearing_of_the_next_round(play: Play) -> Command:
    return _clearing(play, round=play.round + 1)


@fault("ClearingPaused", "NothingStanding")
def clearing_of_nothing(play: Play) -> Command | None:
    for index, terms in play.state.classes.entries():
        idle = play.state.paused or not play.standing_count(index)
        if idle and play.state.markets[index].cleared_round != play.round:
            return _clearing(play, class_=terms.code)
    return None


def _clearing(play: Play, **changes: Any) -> Command:
    empty = submission.Submission(**dict.fromkeys(submission.Submission.__slots__, b""))
    given = {"class_": CODE, "round": play.round, "submission": empty, **changes}
    return play.command(Clear, play.outsider(), **given)


def perturbed_clearing(play: Play) -> Command | None:
    if play.state.paused:
        return None
    for index, terms in play.state.classes.entries():
        market = play.state.markets[index]
        if market.cleared_round == play.round or play.standing_count(index) < 4:
            continue
        now, live, stands = market_case(play, index)
        found = solver.solve(stands.book)
        case = Case(
            market=now,
            batches=live,
            standing=stands,
            fills=tuple(found.fills),
            submission=submission.build(stands, found.fills, found.hints),
            strangers=tuple(
                n for n, b in live.items() if b.class_index != index or b.round >= play.round
            ),
        )
        wrong = play.random.choice(WRONGS)(play.random, case)
        if wrong is not None:
            return _clearing(play, class_=terms.code, submission=wrong)
    return None


# -- deals ---------------------------------------------------------------------------------------


def _some_deal(play: Play, *states: int) -> Any:
    going = play.going(*states)
    return play.random.choice(going) if going else None


@fault("EmptyList")
def no_deals(play: Play) -> Command:
    return play.command(Settle, play.outsider(), deals=())


@fault("ListLengths")
def deals_without_figures(play: Play) -> Command | None:
    deal = _some_deal(play)
    if deal is None:
        return None
    verb = play.random.choice([Deliver, Accept])
    return play.command(
        verb, play.outsider(), deals=(play.reference(deal),), quantities=(), evidence=()
    )


@fault("NotProven")
def deal_with_other_terms(play: Play) -> Command | None:
    deal = _some_deal(play)
    if deal is None:
        return None
    reference = play.reference(deal)
    terms = replace(reference.terms, word1=reference.terms.word1 + (1 << 112))
    return play.command(Settle, play.outsider(), deals=(replace(reference, terms=terms),))


def _deliver(play: Play, deal: Any, quantity: int, sender: bytes) -> Command:
    return play.command(
        Deliver,
        sender,
        deals=(play.reference(deal),),
        quantities=(quantity,),
        evidence=(HASH,),
    )


@fault("BeforeSlotEnd")
def delivery_before_the_slots_end(play: Play) -> Command | None:
    early = [d for d in play.going(0) if play.now < play.slot_end(d)]
    return _deliver(play, early[0], 1, play.account(early[0].provider)) if early else None


@fault("DealDeadlinePassed")
def delivery_too_late(play: Play) -> Command | None:
    late = [d for d in play.going(0) if play.now > play.deadline(d)]
    return _deliver(play, late[0], 1, play.account(late[0].provider)) if late else None


@fault("BadReport")
def delivery_of_too_much(play: Play) -> Command | None:
    due = [d for d in play.going(0) if play.slot_end(d) <= play.now <= play.deadline(d)]
    if not due:
        return None
    quantity = play.random.choice([0, due[0].quantity + 1])
    return _deliver(play, due[0], quantity, play.account(due[0].provider))


@fault("NotSigner")
def delivery_by_an_outsider(play: Play) -> Command | None:
    due = [d for d in play.going(0) if play.slot_end(d) <= play.now <= play.deadline(d)]
    return _deliver(play, due[0], 1, play.outsider()) if due else None


@fault("WrongState")
def delivery_of_a_final_deal(play: Play) -> Command | None:
    final = play.final()
    if not final:
        return None
    reference = play.references[play.random.choice(final)]
    return play.command(ReleaseDeals, play.outsider(), deals=(reference,))


@fault("AcceptedAboveReported")
def acceptance_of_more(play: Play) -> Command | None:
    due = [d for d in play.going(1) if play.now <= play.deadline(d)]
    if not due:
        return None
    deal = due[0]
    return play.command(
        Accept,
        play.account(deal.consumer),
        deals=(play.reference(deal),),
        quantities=(play.state.progress[deal.id].reported + 1,),
        evidence=(HASH,),
    )


@fault("DealDeadlinePassed")
def dispute_too_late(play: Play) -> Command | None:
    late = [d for d in play.going(2) if play.now > play.deadline(d)]
    if not late:
        return None
    sender = play.account(late[0].provider)
    return play.command(Dispute, sender, deals=(play.reference(late[0]),), evidence=(HASH,))


@fault("GatePassed")
def release_after_the_gate(play: Play) -> Command | None:
    late = [d for d in play.going(0) if play.now >= play.gate(d)]
    if not late:
        return None
    sender = play.account(late[0].provider)
    return play.command(ReleaseDeals, sender, deals=(play.reference(late[0]),))


@fault("RulingOutside", "NotArbiter")
def ruling_outside(play: Play) -> Command | None:
    due = [d for d in play.going(3) if play.now <= play.deadline(d)]
    if not due:
        return None
    progress = play.state.progress[due[0].id]
    arbiter = play.random.choice([progress.arbiter, progress.arbiter, 1])
    return play.command(
        Rule,
        play.account(arbiter) if arbiter else play.outsider(),
        deal=play.reference(due[0]),
        quantity=progress.reported + 1,
        reason=HASH,
    )


@fault("BadConsent", "ConsentExpired")
def cancel_without_consent(play: Play) -> Command | None:
    due = [d for d in play.going() if play.now <= play.deadline(d)]
    if not due:
        return None
    deal = play.random.choice(due)
    until = play.now + play.random.choice([-1, 10])
    signature = play.consent(deal, until, deal.provider, play.account(deal.provider))
    return play.command(
        CancelDeal,
        play.outsider(),
        deal=play.reference(deal),
        deadline=until,
        provider_signature=signature,
        consumer_signature=play.random.choice([signature, b"", signature[:64]]),
    )


# -- money ---------------------------------------------------------------------------------------


@fault("ZeroAmount")
def deposit_of_nothing(play: Play) -> Command:
    return play.command(Deposit, play.account(4), member=4, amount=0)


@fault("NotSigner")
def deposit_by_an_outsider(play: Play) -> Command:
    return play.command(Deposit, play.outsider(), member=4, amount=1)


@fault("BalanceTooLarge")
def deposit_of_more_than_fits(play: Play) -> Command:
    return play.command(Deposit, play.account(4), member=4, amount=1 << 128)


@fault("InsufficientFree")
def withdrawal_of_too_much(play: Play) -> Command:
    amount = play.state.free[4] + 1
    return play.command(Withdraw, play.account(4), member=4, amount=amount)


# -- inside the council's calls ------------------------------------------------------------------


def council_faults(play: Play) -> Iterator[tuple[str, list[Call]]]:
    """List proposals whose calls fail, with the error that they fail with."""
    from capshare.ledger import commands as verbs
    from tests.evm.lock_step.play import CLASS

    call, new = play.call, play.admission
    yield "AddressTaken", [call(verbs.Admit, admission=new(160, 1, account=play.account(4)))]
    yield "ZeroAccount", [call(verbs.Admit, admission=new(160, 1, account=ZERO_ADDRESS))]
    yield "ZeroIdentity", [call(verbs.Admit, admission=new(160, 1, identity=bytes(32)))]
    yield (
        "IdentityTaken",
        [call(verbs.Admit, admission=new(160, 1, identity=play.state.members[4].identity))],
    )
    yield "UnknownGroup", [call(verbs.Admit, admission=new(160, 1, group=9_999))]
    yield "UnknownRoles", [call(verbs.SetRoles, member=4, roles=64)]
    yield "UnknownMember", [call(verbs.Suspend, member=9_999)]
    yield "NotSuspended", [call(verbs.Reinstate, member=1)]
    yield "AlreadySuspended", [call(verbs.Suspend, member=3), call(verbs.Suspend, member=3)]
    yield (
        "LastCouncilMember",
        [
            call(verbs.SetRoles, member=member, roles=0)
            for member in play.members(COUNCIL, active=False)
        ],
    )
    yield "EmptyValidators", [call(verbs.SetValidators, validators=())]
    yield "ZeroValidator", [call(verbs.SetValidators, validators=(ZERO_ADDRESS,))]
    yield (
        "DuplicateValidator",
        [call(verbs.SetValidators, validators=(play.account(1), play.account(1)))],
    )
    owners = [play.owner(order) for order in play.live_orders()]
    if owners:
        yield "HasLiveOrders", [call(verbs.SetGroup, member=owners[0], group=1)]
    yield "ClassTaken", [call(verbs.ListClass, class_=CLASS, name="again", unit="MIN")]
    yield "UnknownClass", [call(verbs.RetireClass, code=1)]
    odd = replace(CLASS, code=99)
    for field, value in (
        ("slot_length", 119),
        ("reference", 0),
        ("lot", 0),
        ("window", 0),
        ("book_size", 3),
        ("book_size", 2_002),
        ("retired", True),
    ):
        wrong = replace(odd, **{field: value})
        yield "BadClass", [call(verbs.ListClass, class_=wrong, name="", unit="")]
    large = replace(odd, book_size=2_000, window=255)
    yield "BookTooLarge", [call(verbs.ListClass, class_=large, name="", unit="")]
    retire = call(verbs.RetireClass, code=99)
    listed = call(verbs.ListClass, class_=odd, name="", unit="")
    yield "ClassRetiredAlready", [listed, retire, retire]
    yield "PauseUnchanged", [call(SetPaused, paused=play.state.paused)]
    yield "NoMovePending", [call(verbs.VetoMove, member=4)]


def crowds(play: Play) -> Iterator[tuple[str, list[Call]]]:
    """List proposals that fail for their numbers alone; each is long."""
    from capshare.ledger.commands import Admit, ListClass
    from tests.evm.lock_step.play import CLASS

    def many(role: int) -> list[Call]:
        return [
            play.call(
                Admit,
                admission=play.admission(
                    0,
                    role,
                    account=(1 << 100 | n).to_bytes(20, "big"),
                    identity=bytes([7]) * 31 + bytes([n]),
                ),
            )
            for n in range(1, 70)
        ]

    yield "TooManyArbiters", many(8)
    yield "TooManyCouncilMembers", many(COUNCIL)
    yield (
        "TooManyClasses",
        [
            play.call(ListClass, class_=replace(CLASS, code=n), name="", unit="")
            for n in range(1, 4_097)
        ],
    )


#: Errors that no command can bring about here, and where each is provoked or why it cannot be.
ELSEWHERE = {
    "BadParameter": "only a constructor raises it: tests/evm/test_deploy_refusals.py",
    "CodeNotWritten": "64 orders are far below the limit of a contract's code",
    "InsufficientLocked": "a broken invariant: tests/contract/test_vault.py calls as the book",
    "InvalidShortString": "OpenZeppelin's; the domain's name is short",
    "ReentrancyGuardReentrantCall": "a hostile token: tests/contract/test_vault.py",
    "SafeERC20FailedOperation": "a hostile token: tests/contract/test_vault.py",
    "StringTooLong": "OpenZeppelin's; the domain's name is short",
    "TokenShrunk": "a hostile token: tests/contract/test_vault.py",
    "UnexpectedTransfer": "a hostile token: tests/contract/test_vault.py",
}
assert COUNCILLORS == (1, 2, 3)
