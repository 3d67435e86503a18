"""What a trade takes from both posts to settled, each call a transaction of its own."""

from dataclasses import dataclass

from capshare.codec import keccak
from capshare.market import commitment, solver
from capshare.market.book import standing
from capshare.market.certificate import verify
from capshare.market.effects import effects
from capshare.market.submission import build
from capshare.orders import Offer, Order, Request
from tests.evm.books import AHEAD, SLOT, Exchange

SLOTS = 7
ASSET = 7  # offers of one asset
UNITS, ASK, BID = 10, 3_900, 4_100


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """Gas of the transactions that carry a number of trades from post to settled."""

    trades: int
    offers: int
    requests: int
    clearing: int
    delivering: int
    accepting: int

    @property
    def total(self) -> float:
        """Return the gas of one trade."""
        steps = self.offers + self.requests + self.clearing + self.delivering + self.accepting
        return steps / self.trades


def live(exchange: Exchange, code: int, trades: int, assets: list[int]) -> Life:
    """Let the first trader sell to the second, `trades` deals in a batch, delivered in full."""
    provider, consumer = exchange.traders[:2]
    exchange.to_round(exchange.round + 1)
    first = exchange.round + AHEAD + 1
    offers: list[Order] = []
    requests: list[Order] = []
    for place in range(trades):
        slot = first + place % SLOTS
        asset = assets[place // ASSET]
        offers.append(Offer(asset=asset, slot=slot, quantity=UNITS, price=ASK))
        requests.append(Request(first_slot=slot, last_slot=slot, quantity=UNITS, price=BID))
    sold, posted = exchange.post(provider, code, offers)
    bought, asked = exchange.post(consumer, code, requests)

    exchange.to_round(exchange.round + 1)
    market, batches = exchange.market(code), exchange.batches((sold, bought))
    found = standing(market, batches.values())
    best = solver.solve(found.book)
    submission = build(found, best.fills, best.hints)
    cleared = exchange.clear(code, submission)
    assert cleared.ok
    deals = effects(market, verify(market, batches, submission, standing=found.count)).deals
    assert len(deals) == trades
    paths = commitment.proofs([deal.leaf() for deal in deals])
    named = [(deal.words(), path) for deal, path in zip(deals, paths, strict=True)]

    exchange.world.warp((first + SLOTS) * SLOT)
    quantities = [deal.quantity for deal in deals]
    evidence = [keccak(deal.id.to_bytes(8, "big")) for deal in deals]
    delivered = exchange.world.do(
        exchange.account(provider), "Deals", "deliver", (named, quantities, evidence)
    )
    accepted = exchange.world.do(
        exchange.account(consumer), "Deals", "accept", (named, quantities, [bytes(32)] * trades)
    )
    state, _, locked = 4, *exchange.world.view("Vault", "balanceOf", (consumer,))
    assert locked == 0
    assert all(exchange.world.view("Deals", "progressOf", (deal.id,))[0] == state for deal in deals)
    return Life(
        trades=trades,
        offers=posted.gas,
        requests=asked.gas,
        clearing=cleared.gas,
        delivering=delivered.gas,
        accepting=accepted.gas,
    )
