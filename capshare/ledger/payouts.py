"""A deal's payouts and bonds: pure arithmetic, the twin of contracts/libraries/Settlement.sol."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from capshare.market.commitment import DealTerms
from capshare.parameters import RATE_BASE


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """Where a final deal's locked money goes, and what it says of the parties [base units].

    The provider's lock is `returned + forfeited`, the consumer's `earned + refunded`.
    """

    earned: int = 0  # consumer to provider
    refunded: int = 0  # consumer to consumer
    returned: int = 0  # provider to provider
    forfeited: int = 0  # provider to consumer
    provider_good: int = 0  # credit
    provider_bad: int = 0
    consumer_good: int = 0
    consumer_bad: int = 0

    def __add__(self, other: Payout) -> Payout:
        """Add up what two deals between the same parties pay."""
        return Payout(
            **{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        )


def paid(deal: DealTerms, quantity: int) -> Payout:
    """Pay for a quantity delivered; the bond of the rest goes to the consumer. 0: a default."""
    missing = deal.quantity - quantity
    return Payout(
        earned=quantity * deal.price,
        refunded=missing * deal.price,
        returned=quantity * deal.bond_per_unit,
        forfeited=missing * deal.bond_per_unit,
        provider_good=quantity * deal.price,
        provider_bad=missing * deal.price,
    )


def ruled(deal: DealTerms, reported: int, accepted: int, quantity: int, bond: int) -> Payout:
    """Pay as ruled: whose figure is farther from it loses the dispute bond to the other."""
    payout = paid(deal, quantity)
    above_accepted, below_reported = quantity - accepted, reported - quantity
    if above_accepted > below_reported:
        payout = replace(
            payout, earned=payout.earned + bond, consumer_bad=above_accepted * deal.price
        )
    else:
        payout = replace(payout, refunded=payout.refunded + bond)
    if below_reported > above_accepted:
        return replace(payout, forfeited=payout.forfeited + bond)
    return replace(payout, returned=payout.returned + bond)


def given_up(deal: DealTerms) -> Payout:
    """Give half of the bond, rounded up, for a deal given up before its gate."""
    bond, value = deal.quantity * deal.bond_per_unit, deal.quantity * deal.price
    forfeited = (bond + 1) // 2
    return Payout(
        refunded=value,
        forfeited=forfeited,
        returned=bond - forfeited,
        provider_bad=(value + 1) // 2,
    )


def undone(deal: DealTerms) -> Payout:
    """Return everything and touch nobody's credit."""
    return Payout(refunded=deal.quantity * deal.price, returned=deal.quantity * deal.bond_per_unit)


def dispute_bond(deal: DealTerms, reported: int, accepted: int, rate: int) -> int:
    """Return what contesting or disputing locks: so much of the amount in question."""
    return ((reported - accepted) * deal.price * rate + RATE_BASE - 1) // RATE_BASE
