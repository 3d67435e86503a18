"""People of a small consortium and what each could do next."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from capshare import eip712
from capshare.eip712 import Consent, OrderBatch, Reduction
from capshare.events import Admission, Call
from capshare.keys import LocalSigner
from capshare.ledger import Refusal, batches, book, calldata, clearing, deals
from capshare.ledger.commands import (
    Clear,
    Command,
    Deposit,
    Execute,
    ListClass,
    Propose,
    Reference,
    Vote,
)
from capshare.ledger.proofs import words_of
from capshare.market import commitment
from capshare.market.commitment import DealTerms
from capshare.orders import Order, Side, pack_orders
from capshare.parameters import ClassTerms, Parameters
from tests.evm.lock_step.pair import Pair, mint_for_all
from tests.evm.world import (
    ACCOUNTS,
    ARBITER,
    ATTESTOR,
    AUDITOR,
    COUNCIL,
    START,
    TRADER,
    founder,
    pyevm_world,
    revm_world,
)

R, W, S, L = 100, 30, 200, 20
CODE = 0x05323000
MONEY = 10**12
SIGNERS = range(100, 130)  # accounts that become signers
NEWCOMERS = range(60, 95)  # accounts that are admitted on the way
OUTSIDER = 150

PARAMETERS = Parameters(
    round=R,
    lock=W,
    horizon=2_000,
    move_delay=300,
    proposal_life=1_000,
    deliver_within=150,
    accept_within=120,
    answer_within=110,
    rule_within=200,
    good_half_life=20_000,
    bad_half_life=40_000,
    dispute_rate=1_000,
    bond_rates=(3000, 2500, 2000, 1500, 1200, 1000, 800, 500),
    ratios=(0, 2, 4, 8, 12, 20, 30, 50),
    thresholds=(0, 300, 1_000, 3_000, 10_000, 30_000, 80_000, 200_000),
    counterparty_cap=5_000,
    newcomer_cap=6_000,
)
CLASS = ClassTerms(
    code=CODE,
    slot_length=S,
    gate_lead=L,
    reference=20,
    lot=2,
    window=4,
    book_size=120,
    retired=False,
    mask=0b111,
    terms=bytes(range(32)),
)

COUNCILLORS = (1, 2, 3)
TRADERS = range(4, 12)
ROLES = {
    **dict.fromkeys(COUNCILLORS, COUNCIL),
    **dict.fromkeys(TRADERS, TRADER),
    12: ARBITER,
    13: ARBITER | TRADER,
    14: ATTESTOR,
    15: AUDITOR,
}
GROUPS = {5: 4, 13: 12}  # member 5 belongs to 4's owner group


class Play:
    """A pair, the time, and what must be remembered to act: proofs, proposals, keys."""

    def __init__(self, seed: int, *, exact: bool = False) -> None:
        self.random = random.Random(seed)
        self.exact = exact  # py-evm: each transaction has a block, and so a second, of its own
        founders = [founder(n, roles, group=GROUPS.get(n, 0)) for n, roles in ROLES.items()]
        world = (pyevm_world if exact else revm_world)(PARAMETERS, founders)
        people = [ACCOUNTS[n].address for n in (*ROLES, *SIGNERS, *NEWCOMERS)]
        mint_for_all(world, people, MONEY)
        self.pair = Pair(world)
        self.keys = {account.raw: LocalSigner(account.key) for account in ACCOUNTS}
        self.references: dict[int, Reference] = {}
        self.proposals: dict[int, tuple[Call, ...]] = {}
        self.salts = 0
        self.warp(START + 10 * R)  # py-evm's clock has moved a second a transaction
        self.council(ListClass, class_=CLASS, name="milling", unit="MIN")
        for member in TRADERS:
            self.do(Deposit, self.account(member), member=member, amount=50_000)

    # -- time and commands -----------------------------------------------------------------------

    @property
    def now(self) -> int:
        return self.pair.now

    @property
    def state(self) -> Any:
        return self.pair.state

    @property
    def round(self) -> int:
        return self.now // R

    def warp(self, to: int) -> None:
        self.pair.world.warp(max(to, self.now + 1))

    def tick(self) -> None:
        """Let some time pass: mostly a little, sometimes to a round's start or past a deadline."""
        throw = self.random.random()
        if throw < 0.93:
            self.warp(self.now + self.random.randint(1, 2))
        elif throw < 0.96:
            self.warp((self.round + 1) * R)
        elif self.going(0) and throw < 0.98:
            self.warp(self.slot_end(self.random.choice(self.going(0))))
        elif self.going() and throw < 0.985:
            self.warp(self.deadline(self.random.choice(self.going())) + self.random.randint(0, 1))
        else:
            self.warp(self.now + self.random.randint(5, 30))

    def command(self, verb: type[Command], sender: bytes, /, **arguments: Any) -> Command:
        if self.exact:
            self.warp(self.now + 1)
        return verb(sender=sender, now=self.now, **arguments)

    def do(self, verb: type[Command], sender: bytes, /, **arguments: Any) -> tuple[Any, ...]:
        """Carry out a command that must be accepted."""
        decided = self.pair.do(self.command(verb, sender, **arguments))
        assert not isinstance(decided, Refusal), decided
        return decided

    def run(self, command: Command) -> tuple[Any, ...] | Refusal:
        """Carry out a command, whatever comes of it, and remember what is needed later."""
        decided = self.pair.do(command)
        if isinstance(decided, Refusal):
            return decided
        if isinstance(command, Propose):
            self.proposals[self.state.proposal_count] = command.calls
        if isinstance(command, Clear):
            self._remember_deals(command)
        return decided

    # -- people ----------------------------------------------------------------------------------

    def account(self, member: int) -> bytes:
        account: bytes = self.state.members[member].account
        return account

    def actor(self, member: int, scope: int) -> bytes:
        """Return the account of a member, or one of its signers with the scope."""
        found = [
            address
            for address, signer in self.state.signers.entries()
            if signer.member == member and signer.scopes & scope
        ]
        return self.random.choice([self.account(member), *found])

    def members(self, role: int, *, active: bool = True) -> list[int]:
        return [
            member
            for member, stored in self.state.members.entries()
            if stored.roles & role and not (active and member in self.state.suspended)
        ]

    def outsider(self) -> bytes:
        return ACCOUNTS[OUTSIDER].raw

    def admission(self, number: int, roles: int, **changes: Any) -> Admission:
        given = Admission(
            account=ACCOUNTS[number].raw,
            identity=number.to_bytes(32, "big"),
            encryption_key=bytes(32),
            key_valid_until=0,
            group=0,
            roles=roles,
            name=f"会员 {number}",
            region="350900",
            industry="C34",
        )
        return replace(given, **changes)

    # -- council ---------------------------------------------------------------------------------

    def call(self, verb: type[Command], /, **arguments: Any) -> Call:
        command = verb(sender=self.pair.deployment.council, now=0, **arguments)
        address = self.pair.world.addresses[verb.CONTRACT]
        return Call(target=bytes.fromhex(address[2:]), data=calldata.encode(command))

    def council(self, verb: type[Command], /, **arguments: Any) -> None:
        """Let the council carry a call out."""
        decided = self.decree([self.call(verb, **arguments)])
        assert not isinstance(decided, Refusal), decided

    def decree(self, calls: list[Call]) -> tuple[Any, ...] | Refusal:
        """Propose calls, let all of the council vote for them, and execute."""
        seats = self.members(COUNCIL)
        self.run(
            self.command(Propose, self.account(seats[0]), calls=tuple(calls), reason="as agreed")
        )
        proposal = self.state.proposal_count
        for seat in seats[1:]:
            self.run(self.command(Vote, self.account(seat), proposal=proposal, support=True))
        return self.run(
            self.command(Execute, self.outsider(), proposal=proposal, calls=tuple(calls))
        )

    # -- orders ----------------------------------------------------------------------------------

    def salt(self) -> int:
        self.salts += 1
        return self.random.randrange(1 << 64) << 32 | self.salts

    def batch(self, member: int, code: int, orders: list[Order], /, **changes: Any) -> OrderBatch:
        """Return a batch that is sent by the member's account and valid now."""
        side = Side.OFFER if hasattr(orders[0], "asset") else Side.REQUEST
        given = OrderBatch(
            member=member,
            class_=code,
            side=int(side),
            salt=self.salt(),
            deadline=self.now + 100,
            orders=pack_orders(orders),
            commitments=tuple(bytes(32) for _ in orders) if side == Side.REQUEST else (),
        )
        return replace(given, **changes)

    def reduction(self, member: int, wanted: dict[int, int], /, **changes: Any) -> Reduction:
        given = Reduction(
            member=member,
            salt=self.salt(),
            deadline=self.now + 100,
            ids=tuple(wanted),
            quantities=tuple(wanted.values()),
        )
        return replace(given, **changes)

    def signed(self, document: Any, key: bytes, *, domain: Any = None) -> Any:
        """Return a batch or reduction with the signature of an address's key."""
        digest = eip712.digest(document, domain or book.domain(self.state))
        return replace(document, signature=self.keys[key].sign_digest(digest))

    def classes(self) -> list[tuple[int, ClassTerms]]:
        return [(i, c) for i, c in self.state.classes.entries() if not c.retired]

    def live_orders(self) -> Iterator[int]:
        for number, _ in self.state.live_batches.entries():
            yield from batches.live_orders_of(self.state, number)

    def owner(self, order: int) -> int:
        return int(self.state.batches[order >> 6] >> 152 & 0xFFFFFF)

    def is_locked(self, order: int) -> bool:
        word = self.state.batches[order >> 6]
        market = self.state.markets[word >> 176 & 0xFFF]
        return (
            (word >> 189 & 0xFFFFFFFF) < self.round
            and self.now < self.round * R + W
            and market.cleared_round != self.round
        )

    def standing_count(self, class_index: int) -> int:
        return clearing.standing_count(self.state, class_index, self.round)

    # -- deals -----------------------------------------------------------------------------------

    def going(self, *states: int) -> list[DealTerms]:
        """List the deals that are not final, in certain states if any are named."""
        return [
            deal
            for identifier, deal in self.state.deals.entries()
            if not states or self.state.progress[identifier].state in states
        ]

    def deadline(self, deal: DealTerms) -> int:
        progress = self.state.progress[deal.id]
        if progress.state:
            return int(progress.deadline)
        return self.slot_end(deal) + PARAMETERS.deliver_within

    def slot_end(self, deal: DealTerms) -> int:
        return int(self.state.classes[deal.class_index].slot_end(deal.slot))

    def gate(self, deal: DealTerms) -> int:
        return int(self.state.classes[deal.class_index].gate(deal.slot))

    def reference(self, deal: DealTerms) -> Reference:
        return self.references[deal.id]

    def final(self) -> list[int]:
        return [d for d in self.references if self.state.progress[d].state > 3]

    def consent(self, deal: DealTerms, deadline: int, member: int, key: bytes) -> bytes:
        """Return a key's consent to undo a deal as it stands."""
        progress = self.state.progress[deal.id]
        given = Consent(
            deal=deal.id,
            state=progress.state,
            reported=progress.reported,
            accepted=progress.accepted,
            deadline=deadline,
        )
        return self.keys[key].sign_digest(eip712.digest(given, deals.domain(self.state)))

    def _remember_deals(self, command: Clear) -> None:
        index = self.state.class_index[command.class_]
        made = [
            deal
            for _, deal in self.state.deals.entries()
            if deal.class_index == index and deal.round == command.round
        ]
        leaves = [deal.leaf() for deal in made]
        for place, deal in enumerate(made):
            proof = commitment.proof(leaves, place)
            self.references[deal.id] = Reference(terms=words_of(deal), proof=tuple(proof))
