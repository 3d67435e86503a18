"""One clearing on the contract and on its twin: the same verdict, the same figures."""

from collections.abc import Sequence

from capshare.abi import ContractError
from capshare.errors import RuleRefused
from capshare.events import logs
from capshare.events.market import MarketCleared, OrdersMatched, PricesSet
from capshare.market.certificate import Certificate, verify
from capshare.market.effects import Effects, effects
from capshare.market.submission import Submission
from tests.evm.books import Exchange
from tests.evm.machines import Outcome, Revm
from tests.evm.perturbations import Case
from tests.evm.world import ACCOUNTS, error_of

Verdict = ContractError | Certificate


def twin(case: Case, submission: Submission) -> Verdict:
    """Return the twin's certificate or its refusal."""
    try:
        return verify(case.market, case.batches, submission, standing=case.standing.count)
    except RuleRefused as error:
        return ContractError(name=error.name, values=dict(enumerate(error.values)))


def compare(exchange: Exchange, case: Case, submission: Submission) -> Verdict:
    """Require one verdict of both and return it; leave the chain as it was."""
    verdict = twin(case, submission)
    machine = exchange.world.machine
    assert isinstance(machine, Revm)
    checkpoint = machine.snapshot()
    outcome = exchange.clear(case.market.class_code, submission)
    if isinstance(verdict, Certificate):
        require_same(exchange, case, verdict, outcome)
    else:
        require_refused(outcome, verdict.name, *verdict.values.values())
    machine.revert(checkpoint)
    return verdict


def require_refused(outcome: Outcome, name: str, *values: object) -> None:
    """Require that a transaction reverted with this error and these values."""
    assert not outcome.ok, (name, values)
    error = error_of(outcome)
    assert isinstance(error, ContractError), error
    assert (error.name, *error.values.values()) == (name, *values)


def require_same(exchange: Exchange, case: Case, verdict: Certificate, outcome: Outcome) -> Effects:
    """Require that the contract accepted, with the twin's root, prices, fills and dead orders."""
    assert outcome.ok, error_of(outcome)
    expected = effects(case.market, verdict)
    assert outcome.data == expected.root
    code, number = case.market.class_code, case.market.round
    found = [
        logs.decode("Clearing", log.topics, log.data)
        for log in outcome.logs
        if log.address == exchange.world.addresses["Clearing"]
    ]
    cleared = MarketCleared(
        class_=code,
        round=number,
        sender=ACCOUNTS[0].raw,
        root=expected.root,
        deals=len(expected.deals),
        dead=expected.dead,
    )
    assert found == [cleared, *_traded(code, number, verdict, expected)]
    return expected


def _traded(
    code: int, number: int, verdict: Certificate, expected: Effects
) -> Sequence[PricesSet | OrdersMatched]:
    """Return the events of a clearing with fills."""
    if not verdict.fills:
        return ()
    prices = [
        word
        for row in verdict.prices
        for word in (
            row.slot << 144 | row.attributes << 80 | row.credit << 72 | row.price,
            row.low << 128 | row.high,
        )
    ]
    matched = [
        fill.offer << 144 | fill.request << 104 | fill.quantity << 72 | price
        for fill, price in zip(verdict.fills, expected.fill_prices, strict=True)
    ]
    return (
        PricesSet(class_=code, round=number, prices=tuple(prices)),
        OrdersMatched(class_=code, round=number, fills=tuple(matched)),
    )
