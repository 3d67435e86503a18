"""Between a clearing's computation and its inclusion anybody may send anything.

In the first W seconds of a round only a suspension, a reinstatement or a pause can disturb it.
"""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from capshare.market.certificate import Certificate
from capshare.orders import Offer, Request, order_id
from tests.evm.books import LEAD, ROUND, Exchange, open_exchange
from tests.evm.comparison import require_refused, require_same, twin
from tests.evm.perturbations import Case
from tests.evm.random_books import MASKS, Posted, Recipe, case_of, post_book
from tests.evm.world import ACCOUNTS, revm_world

CODE = 1
RECIPE = Recipe(
    offers=30,
    requests=30,
    slots=4,
    masks=MASKS[2],
    bands=3,
    widest=3,
    price=100,
    spread=40,
    units=40,
    members=5,
    reference=100,
    waits=2,
    suspends=False,
    reduced=0.2,
)
OUTSIDER = ACCOUNTS[150].address


class Scene:
    """A market at a round's start, and the clearing that somebody has just worked out."""

    def __init__(self, seed: int = 0) -> None:
        self.chance = random.Random(seed)
        self.exchange: Exchange = open_exchange(revm_world, traders=6)
        self.posted: Posted = post_book(self.exchange, CODE, RECIPE, self.chance)
        self.case: Case = case_of(self.exchange, self.posted)
        verdict = twin(self.case, self.case.submission)
        assert isinstance(verdict, Certificate)
        assert self.case.standing.dead
        assert verdict.fills
        self.verdict = verdict
        self.attempts = 0

    def live_order(self) -> int:
        """Return an order of the clearing, living or dead."""
        book = self.case.standing.book
        living = [order.id for order in (*book.offers, *book.requests)]
        return self.chance.choice([*living, *self.case.standing.dead])

    def owner(self, order: int) -> int:
        return self.case.batches[order >> 6].member

    def wait(self) -> None:
        """Let some seconds of the locked time pass."""
        self.attempts += 1
        end = self.case.market.round * ROUND + self.exchange.world.parameters.lock
        now = self.exchange.world.now
        self.exchange.world.warp(now + self.chance.randrange((end - now) // 8))

    def require_cleared(self) -> None:
        """Send the clearing; require that it does what was worked out."""
        outcome = self.exchange.clear(CODE, self.case.submission)
        require_same(self.exchange, self.case, self.verdict, outcome)

    def require_refused(self, name: str, *values: object) -> None:
        require_refused(self.exchange.clear(CODE, self.case.submission), name, *values)


@pytest.fixture
def scene() -> Scene:
    return Scene()


# -- what anybody can try ------------------------------------------------------------------------


def expire_everything(scene: Scene) -> None:
    """Try to have orders removed: dead ones, living ones, unknown ones. All are skipped."""
    numbers = [*scene.case.batches, 2**20]
    ids = [order_id(number, index) for number in numbers for index in range(4)]
    outcome = scene.exchange.world.do(OUTSIDER, "CapacityBook", "expire", (ids,))
    assert not outcome.logs


def cancel(scene: Scene) -> None:
    """Try to take an order away, or make it smaller."""
    order = scene.live_order()
    outcome = scene.exchange.reduce(scene.owner(order), {order: 0})
    end = scene.case.market.round * ROUND + scene.exchange.world.parameters.lock
    require_refused(outcome, "MarketLocked", CODE, end)


def post_better_offer(scene: Scene) -> None:
    """Post an offer that would win if it stood."""
    member = scene.chance.choice(scene.exchange.traders)
    asset = scene.exchange.add_asset(member, CODE, 3)
    slot = scene.exchange.round + 4
    order = Offer(asset=asset, slot=slot, quantity=40, price=0, attributes=3, credit=2)
    number, _ = scene.exchange.post(member, CODE, [order, order])
    assert scene.exchange.reduce(member, {order_id(number, 0): scene.chance.randrange(40)}).ok


def post_better_request(scene: Scene) -> None:
    """Post a request that would win if it stood."""
    member = scene.chance.choice(scene.exchange.traders)
    slot = scene.exchange.round + 4
    order = Request(first_slot=slot, last_slot=slot + 3, quantity=40, price=10_000)
    number, _ = scene.exchange.post(member, CODE, [order])
    if scene.chance.random() < 0.5:
        assert scene.exchange.reduce(member, {order_id(number, 0): 0}).ok


def revoke_attestation(scene: Scene) -> None:
    """Take an offered asset's attributes away, and try to have its offers removed."""
    offer = scene.chance.choice(scene.case.standing.book.offers)
    scene.exchange.attest(offer.asset, 0)
    outcome = scene.exchange.world.do(OUTSIDER, "CapacityBook", "expire", ([offer.id],))
    assert not outcome.logs


def withdraw(scene: Scene) -> None:
    """Take all free money away."""
    member = scene.chance.choice(scene.exchange.traders)
    free, _ = scene.exchange.world.view("Vault", "balanceOf", (member,))
    account = scene.exchange.account(member)
    if free:
        scene.exchange.world.do(account, "Vault", "withdraw", (member, free))
        scene.exchange.world.fund(member, account, 1 << 100)


def clear_worse(scene: Scene) -> None:
    """Try to clear with fewer fills."""
    shorter = replace(scene.case.submission, fills=scene.case.submission.fills[:-8])
    verdict = twin(scene.case, shorter)
    assert not isinstance(verdict, Certificate)
    outcome = scene.exchange.clear(CODE, shorter)
    require_refused(outcome, verdict.name, *verdict.values.values())


def use_another_market(scene: Scene) -> None:
    """List another market and post there."""
    round_ = scene.exchange.round
    other = 1_000 + scene.attempts
    scene.exchange.list_class(replace(scene.exchange.classes[CODE][1], code=other))
    member = scene.exchange.traders[0]
    asset = scene.exchange.add_asset(member, other, 0)
    scene.exchange.post(member, other, [Offer(asset=asset, slot=round_ + 9, quantity=1, price=1)])


ATTEMPTS: tuple[Callable[[Scene], None], ...] = (
    expire_everything,
    cancel,
    post_better_offer,
    post_better_request,
    revoke_attestation,
    withdraw,
    clear_worse,
    use_another_market,
)


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.__name__)
def test_clearing_succeeds_whatever_was_sent_before_it(scene, attempt):
    scene.wait()
    attempt(scene)
    scene.wait()
    scene.require_cleared()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 13))
def test_clearing_succeeds_after_any_sequence(seed):
    scene = Scene(seed)
    for attempt in scene.chance.choices(ATTEMPTS, k=20):
        scene.wait()
        attempt(scene)
    scene.require_cleared()


def test_clearing_is_refused_once_somebody_else_cleared_the_market_alike(scene):
    scene.require_cleared()
    scene.require_refused("AlreadyCleared", CODE, scene.case.market.round)


def test_clearing_after_the_locked_time_can_be_overtaken_by_a_cancel(scene):
    lock = scene.exchange.world.parameters.lock
    order = scene.case.fills[0].offer
    scene.exchange.world.warp(scene.case.market.round * ROUND + lock - 1)
    assert not scene.exchange.reduce(scene.owner(order), {order: 0}).ok
    scene.exchange.world.warp(scene.case.market.round * ROUND + lock)
    assert scene.exchange.reduce(scene.owner(order), {order: 0}).ok
    scene.require_refused("OrderNotStanding", order)


def test_clearing_in_time_frees_the_market_for_cancels_at_once(scene):
    scene.require_cleared()
    batches = scene.exchange.batches(scene.case.batches)
    left = [
        (batch, index)
        for batch in batches.values()
        for index in range(len(batch.orders))
        if batch.is_live(index) and batch.round < scene.case.market.round
    ]
    batch, index = left[0]
    assert scene.exchange.reduce(batch.member, {order_id(batch.number, index): 0}).ok


def test_clearing_is_not_stopped_by_a_gate_that_passes_in_the_round(scene):
    """A slot open in a round has its gate after the round's end, so none can pass."""
    scene.exchange.world.warp((scene.case.market.round + 1) * ROUND - 1)
    gates = {order.slot * ROUND - LEAD for order in scene.case.standing.book.offers}
    assert min(gates) > scene.exchange.world.now
    scene.require_cleared()


# -- what the council can do ---------------------------------------------------------------------


def test_clearing_is_disturbed_by_a_suspension(scene):
    offer = scene.case.standing.book.offers[0]
    scene.exchange.suspend(offer.member)
    verdict = twin(replace(scene.case, market=scene.exchange.market(CODE)), scene.case.submission)
    assert not isinstance(verdict, Certificate)
    assert verdict.name == "OrderDead"
    scene.require_refused(verdict.name, *verdict.values.values())


def test_clearing_succeeds_once_the_member_is_reinstated(scene):
    member = scene.case.standing.book.offers[0].member
    scene.exchange.suspend(member)
    scene.exchange.reinstate(member)
    scene.require_cleared()


def test_clearing_is_disturbed_by_a_reinstatement(scene):
    offer = scene.case.standing.book.offers[0]
    scene.exchange.suspend(offer.member)
    without = case_of(scene.exchange, scene.posted)
    assert offer.id in without.standing.dead
    scene.exchange.reinstate(offer.member)
    alive = [order for order in without.standing.dead if order not in scene.case.standing.dead]
    outcome = scene.exchange.clear(CODE, without.submission)
    require_refused(outcome, "OrderAlive", alive[0])


def test_clearing_is_stopped_by_a_pause_and_goes_on_after_it(scene):
    scene.exchange.council(("CapacityBook", "setPaused", (True,)))
    scene.require_refused("ClearingPaused")
    scene.exchange.council(("CapacityBook", "setPaused", (False,)))
    scene.require_cleared()


def test_clearing_of_a_round_that_is_over_is_refused(scene):
    scene.exchange.to_round(scene.case.market.round + 1)
    outcome = scene.exchange.clear(CODE, scene.case.submission, scene.case.market.round)
    require_refused(outcome, "WrongRound", scene.case.market.round, scene.case.market.round + 1)
