"""A market without a chain: the ledger, and people with roles to act in it."""

from dataclasses import dataclass, field
from typing import Any

from eth_account import Account

from capshare import ledger
from capshare.eip712 import OrderBatch, Reduction
from capshare.events import Admission, Call, Event, MemberAdmitted, RulesSet, ValidatorsSet
from capshare.ledger import calldata, clearing
from capshare.ledger.commands import (
    Attest,
    Clear,
    Command,
    Deposit,
    ListClass,
    Post,
    Reference,
    RegisterAsset,
)
from capshare.ledger.core import Refusal
from capshare.ledger.proofs import words_of
from capshare.market import commitment, solver, submission
from capshare.orders import Offer, Order, Request, Side, pack_orders
from capshare.parameters import ClassTerms, Parameters

START = 1_000_000  # [s]; a multiple of R and S
R, W, S, L = 100, 30, 200, 20
CODE = 7
REFERENCE = 20

PARAMETERS = Parameters(
    round=R,
    lock=W,
    horizon=5_000,
    move_delay=300,
    proposal_life=1_000,
    deliver_within=150,
    accept_within=120,
    answer_within=110,
    rule_within=200,
    good_half_life=50_000,
    bad_half_life=100_000,
    dispute_rate=1_000,
    bond_rates=(3000, 2500, 2000, 1500, 1200, 1000, 800, 500),
    ratios=(0, 2, 4, 8, 12, 20, 30, 50),
    thresholds=(0, 100, 500, 2_000, 6_000, 20_000, 50_000, 100_000),
    counterparty_cap=3_000,
    newcomer_cap=60_000,
)
CLASS = ClassTerms(
    code=CODE,
    slot_length=S,
    gate_lead=L,
    reference=REFERENCE,
    lot=2,
    window=3,
    book_size=60,
    retired=False,
    mask=3,
    terms=bytes(32),
)

# Members by their ids, with their role bits.
COUNCIL, PROVIDER, CONSUMER, OTHER, ARBITER, ATTESTOR, PLAIN = range(1, 8)
ROLES = {COUNCIL: 2, PROVIDER: 1, CONSUMER: 1, OTHER: 1, ARBITER: 8, ATTESTOR: 32, PLAIN: 0}
FIRST_SLOT = START // S + 3  # open in the next rounds


def key(number: int) -> Any:
    """Return the account number `number` with its private key."""
    return Account.from_key(number.to_bytes(32, "big"))


def address(number: int) -> bytes:
    """Return the address of account number `number`; members act from their ids' accounts."""
    return bytes.fromhex(key(number).address[2:])


def sign(number: int, digest: bytes) -> bytes:
    """Return account number `number`'s signature over a digest."""
    return bytes(key(number).unsafe_sign_hash(digest).signature)


DEPLOYMENT = ledger.Deployment(
    chain_id=1337,
    **{
        name: bytes(19) + bytes([0xC0 + place])
        for place, name in enumerate(
            (
                "council",
                "members",
                "assets",
                "book",
                "clearing",
                "deals",
                "vault",
                "credit",
                "token",
            )
        )
    },
)


@dataclass
class Play:
    """A deployment under way. `do` carries out and folds, `refusal` must be refused."""

    parameters: Parameters = PARAMETERS
    now: int = START
    state: ledger.State = field(default_factory=lambda: ledger.State(DEPLOYMENT))
    log: list[tuple[Event, int]] = field(default_factory=list)
    salt: int = 0

    def __post_init__(self) -> None:
        self.fold(RulesSet(rules_version=1, parameters=self.parameters))
        for member, roles in ROLES.items():
            self.fold(
                MemberAdmitted(
                    member=member, account=address(member), admission=admission(member, roles)
                )
            )
        self.fold(ValidatorsSet(validators=(address(COUNCIL),)))

    def fold(self, event: Event) -> None:
        """Apply an event."""
        ledger.apply(self.state, event, self.now)
        self.log.append((event, self.now))

    def decide(self, verb: type[Command], sender: int | bytes, /, **arguments: Any) -> Any:
        """Return what the ledger decides on a command, sent by an account or address."""
        by = address(sender) if isinstance(sender, int) else sender
        return ledger.decide(self.state, verb(sender=by, now=self.now, **arguments))

    def do(self, verb: type[Command], sender: int | bytes, /, **arguments: Any) -> list[Event]:
        """Carry out a command that must be accepted; return its events."""
        decided = self.decide(verb, sender, **arguments)
        assert not isinstance(decided, Refusal), decided
        for event in decided:
            self.fold(event)
        assert ledger.check_conservation(self.state) == []
        return list(decided)

    def refusal(
        self, verb: type[Command], sender: int | bytes, /, **arguments: Any
    ) -> tuple[Any, ...]:
        """Return error name and values of a command that must be refused."""
        decided = self.decide(verb, sender, **arguments)
        assert isinstance(decided, Refusal), decided
        assert calldata.decode_refusal(calldata.encode_refusal(decided)) == decided
        return (decided.name, *decided.values)

    def by_council(self, verb: type[Command], /, **arguments: Any) -> list[Event]:
        """Carry out what the council itself calls."""
        return self.do(verb, DEPLOYMENT.council, **arguments)

    def council_refusal(self, verb: type[Command], /, **arguments: Any) -> tuple[Any, ...]:
        """Return why a call is refused when the council itself makes it."""
        return self.refusal(verb, DEPLOYMENT.council, **arguments)

    def call(self, verb: type[Command], /, **arguments: Any) -> Call:
        """Return a call for a proposal."""
        command = verb(sender=DEPLOYMENT.council, now=0, **arguments)
        contracts = {name: a for a, name in DEPLOYMENT.by_address().items()}
        return Call(target=contracts[verb.CONTRACT], data=calldata.encode(command))

    # -- trading ---------------------------------------------------------------------------------

    def open_market(self) -> None:
        """List a class, fund three traders, register and attest an asset of each provider."""
        self.by_council(ListClass, class_=CLASS, name="milling", unit="MIN")
        for member in (PROVIDER, CONSUMER, OTHER):
            self.do(Deposit, member, member=member, amount=1_000_000)
        for member in (PROVIDER, OTHER):
            self.do(
                RegisterAsset,
                member,
                member=member,
                code=CODE,
                capacity=100,
                identity=bytes([member]) * 32,
            )
            self.do(
                Attest,
                ATTESTOR,
                asset=self.state.asset_count,
                attributes=3,
                valid_until=START + 10**6,
                document=bytes(32),
            )

    def batch(self, poster: int, /, *orders: Order, **changes: Any) -> OrderBatch:
        """Return a batch that is valid now; `changes` override its fields."""
        self.salt += 1
        side = Side.OFFER if isinstance(orders[0], Offer) else Side.REQUEST
        count = 0 if side == Side.OFFER else len(orders)
        values = {
            "member": poster,
            "class_": CODE,
            "side": int(side),
            "salt": self.salt,
            "deadline": self.now + 50,
            "orders": pack_orders(orders),
            "commitments": (bytes(32),) * count,
        }
        return OrderBatch(**{**values, **changes})

    def post(self, member: int, *orders: Order) -> list[int]:
        """Post orders from the member's account; return their ids."""
        self.do(Post, member, batches=(self.batch(member, *orders),))
        return [self.state.batch_count * 64 + index for index in range(len(orders))]

    def reduction(self, owner: int, lowered: dict[int, int], /, **changes: Any) -> Reduction:
        """Return a reduction that is valid now; `changes` override its fields."""
        self.salt += 1
        values = {
            "member": owner,
            "salt": self.salt,
            "deadline": self.now,
            "ids": tuple(lowered),
            "quantities": tuple(lowered.values()),
        }
        return Reduction(**{**values, **changes})

    def next_round(self) -> None:
        """Go to the start of the next round."""
        self.now = (self.now // R + 1) * R

    def clearing(self) -> dict[str, Any]:
        """Return the arguments of the clearing that the solver finds now."""
        index, round_ = self.state.class_index[CODE], self.now // R
        stands = clearing.standing_at(self.state, index, round_)
        found = solver.solve(stands.book)
        given = submission.build(stands, found.fills, found.hints)
        return {"class_": CODE, "round": round_, "submission": given}

    def clear(self) -> list[Reference]:
        """Clear the market now; return its deals with their proofs."""
        round_ = self.now // R
        self.do(Clear, PLAIN, **self.clearing())
        deals = [d for _, d in self.state.deals.entries() if d and d.round == round_]
        leaves = [deal.leaf() for deal in deals]
        return [
            Reference(terms=words_of(deal), proof=commitment.proof(leaves, place))
            for place, deal in enumerate(deals)
        ]

    def one_deal(self, quantity: int = 10) -> Reference:
        """Post an offer and a request that meet, and clear; the price is 25."""
        self.open_market()
        self.post(PROVIDER, offer(quantity=quantity, price=20))
        self.post(CONSUMER, request(quantity=quantity, price=30))
        self.next_round()
        return self.clear()[0]


def admission(number: int, rights: int, /, **changes: Any) -> Admission:
    """Return the admission of the member who acts from account `number`."""
    values = {
        "account": address(number),
        "identity": number.to_bytes(32, "big"),
        "encryption_key": bytes(32),
        "key_valid_until": 0,
        "group": 0,
        "roles": rights,
        "name": f"Member {number}",
        "region": "",
        "industry": "",
    }
    return Admission(**{**values, **changes})


def offer(**changes: Any) -> Offer:
    """Return the provider's offer; `changes` override its fields."""
    return Offer(**{"asset": 1, "slot": FIRST_SLOT, "quantity": 10, "price": 20, **changes})


def request(**changes: Any) -> Request:
    """Return a request for the first slot; `changes` override its fields."""
    values = {"first_slot": FIRST_SLOT, "last_slot": FIRST_SLOT, "quantity": 10, "price": 30}
    return Request(**{**values, **changes})
