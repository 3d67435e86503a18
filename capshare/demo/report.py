"""The figures of a play: plain numbers, for tables and JSON.

Money is in base units of the token (1/1000 EUR), quantities in minutes, shares in 1/10,000.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from capshare.data import OfferRow
from capshare.demo.delivering import PlayedDeal
from capshare.demo.outcomes import Ending
from capshare.demo.play import Played
from capshare.demo.scenario import Posting
from capshare.ledger.deals import DealState
from capshare.orders import Side
from capshare.replay import Replay

SHARE = 10_000
GONE = frozenset({DealState.RELEASED, DealState.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketRow:
    """A class over all its clearings; the naive surpluses are on the same books."""

    class_code: int
    name: str
    clearings: int
    orders: int
    requested: int  # of orders posted
    volume: int
    surplus: int
    greedy: int
    first_come: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """What a class's capacity of one day traded at, over all clearings and groups."""

    class_code: int
    slot: int
    low: int  # [base units a minute]
    high: int
    hourly: int  # mean by quantity, rounded [base units an hour]
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarRow:
    """An asset's days: what it offered, and what of it is in deals that were kept or broken."""

    asset: str
    firm: str
    class_code: int
    offered: tuple[int, ...]  # by day from the opening
    sold: tuple[int, ...]

    @property
    def used(self) -> int:
        """Return the sold share of what was offered."""
        return share(sum(self.sold), sum(self.offered))


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRow:
    """Deals that ended in one way."""

    ending: Ending
    deals: int
    quantity: int
    settled: int
    paid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmRow:
    """A trading member's money and credit from joining to leaving; it began in band 0."""

    name: str
    side: Side
    deals: int
    deposited: int
    withdrawn: int
    good: int
    bad: int
    band: int  # at the end
    highest: int  # band it ever had of an evening


@dataclass(frozen=True, slots=True, kw_only=True)
class GasRow:
    """Transactions of one function; gas before refunds."""

    function: str
    transactions: int
    gas: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """Where the money came from and went to; `in_` equals `out` plus what is still held."""

    deposited: int
    withdrawn: int
    held: int  # what the vault owes
    balance: int  # what the vault has
    paid: int  # for capacity delivered
    forfeited: int  # bonds that went from one member to another
    gained: int  # sum of what members took home above their deposits: 0

    @property
    def conserved(self) -> bool:
        """Say whether not one base unit was made or lost."""
        return (
            self.deposited == self.withdrawn + self.held
            and self.held == self.balance
            and not self.gained
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All figures of a play and its audit."""

    seed: int
    days: int
    trading_days: int
    firms: int
    offers: int
    requests: int
    relayed: int
    cancelled: int
    reduced: int
    revoked: int
    clearings: int
    rounds: int
    deals: int
    transactions: int
    blocks: int
    gas: int
    state_root: str
    markets: tuple[MarketRow, ...]
    prices: tuple[PriceRow, ...]
    calendar: tuple[CalendarRow, ...]
    outcomes: tuple[OutcomeRow, ...]
    accounts: tuple[FirmRow, ...]
    money: Money
    functions: tuple[GasRow, ...]
    audit: Replay

    @property
    def orders(self) -> int:
        """Count the orders posted."""
        return self.offers + self.requests

    @property
    def good(self) -> bool:
        """Say whether the audit found nothing and no money was made or lost."""
        return not self.audit.findings and self.money.conserved

    def total(self, name: str) -> MarketRow:
        """Return all classes together, as a row of that name."""
        return MarketRow(
            class_code=0,
            name=name,
            clearings=sum(row.clearings for row in self.markets),
            orders=sum(row.orders for row in self.markets),
            requested=sum(row.requested for row in self.markets),
            volume=sum(row.volume for row in self.markets),
            surplus=sum(row.surplus for row in self.markets),
            greedy=sum(row.greedy for row in self.markets),
            first_come=sum(row.first_come for row in self.markets),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as JSON can hold them."""
        plain = asdict(self)
        plain["money"]["conserved"] = self.money.conserved
        plain["good"] = self.good
        return plain


def report(played: Played, audit: Replay) -> Report:
    """Draw the figures of a play that its audit has looked at."""
    scenario, stage, floor = played.scenario, played.stage, played.floor
    postings = [posting for day in scenario.days for posting in day.postings]
    deals = list(played.deliveries.deals.values())
    spent = sorted(stage.spent.items(), key=lambda entry: -entry[1].gas)
    return Report(
        seed=scenario.seed,
        days=played.days,
        trading_days=len(scenario.days),
        firms=len(scenario.firms),
        offers=_count(postings, Side.OFFER),
        requests=_count(postings, Side.REQUEST),
        relayed=floor.relayed,
        cancelled=floor.cancelled,
        reduced=floor.reduced,
        revoked=floor.revoked,
        clearings=len(floor.cleared),
        rounds=len({cleared.round for cleared in floor.cleared}),
        deals=len(deals),
        transactions=sum(entry.transactions for _, entry in spent),
        blocks=stage.chain.head.number,
        gas=sum(entry.gas for _, entry in spent),
        state_root="0x" + stage.chain.head.header.state_root.hex(),
        markets=tuple(_markets(played, postings)),
        prices=tuple(_prices(played, deals)),
        calendar=tuple(_calendar(played, postings, deals)),
        outcomes=tuple(_outcomes(deals)),
        accounts=tuple(_accounts(played, deals)),
        money=_money(played, deals),
        functions=tuple(
            GasRow(function=name, transactions=s.transactions, gas=s.gas, most=s.most)
            for name, s in spent
        ),
        audit=audit,
    )


def share(part: int, whole: int) -> int:
    """Return a share in 1/10,000, rounded down; of nothing it is 0."""
    return part * SHARE // whole if whole else 0


def _count(postings: Iterable[Posting], side: Side) -> int:
    return sum(len(posting.rows) for posting in postings if posting.side == side)


def _markets(played: Played, postings: list[Posting]) -> Iterable[MarketRow]:
    for listed in played.scenario.classes:
        code = listed.terms.code
        own = [posting for posting in postings if posting.class_code == code]
        cleared = [entry for entry in played.floor.cleared if entry.class_code == code]
        yield MarketRow(
            class_code=code,
            name=listed.name,
            clearings=len(cleared),
            orders=sum(len(posting.rows) for posting in own),
            requested=sum(row.quantity for p in own if p.side == Side.REQUEST for row in p.rows),
            volume=sum(entry.volume for entry in cleared),
            surplus=sum(entry.surplus for entry in cleared),
            greedy=sum(entry.greedy for entry in cleared),
            first_come=sum(entry.first_come for entry in cleared),
        )


def _prices(played: Played, deals: Iterable[PlayedDeal]) -> Iterable[PriceRow]:
    classes = played.stage.state.classes
    traded: dict[tuple[int, int], Counter[int]] = defaultdict(Counter)
    for entry in deals:
        deal = entry.deal
        traded[deal.class_index, deal.slot][deal.price] += deal.quantity
    for (class_index, slot), prices in sorted(traded.items()):
        quantity = prices.total()
        value = sum(price * minutes for price, minutes in prices.items())
        yield PriceRow(
            class_code=classes[class_index].code,
            slot=slot,
            low=min(prices),
            high=max(prices),
            hourly=(60 * value * 2 + quantity) // (2 * quantity),
            quantity=quantity,
        )


def _calendar(
    played: Played, postings: Iterable[Posting], deals: Iterable[PlayedDeal]
) -> Iterable[CalendarRow]:
    scenario = played.scenario
    offered: dict[str, Counter[int]] = defaultdict(Counter)
    for posting in postings:
        for row in posting.rows:
            if isinstance(row, OfferRow):
                day = scenario.slot(row.slot) - scenario.first_slot
                offered[row.asset][day] += row.quantity
    sold: dict[str, Counter[int]] = defaultdict(Counter)
    for deal in deals:
        if deal.state not in GONE:
            day = deal.deal.slot - scenario.first_slot
            sold[played.floor.asset_key(deal.deal.asset)][day] += deal.deal.quantity
    names = {firm.key: firm.name for firm in scenario.firms}
    last = max(max(days) for days in offered.values())
    for asset in scenario.assets:
        yield CalendarRow(
            asset=asset.key,
            firm=names[asset.firm],
            class_code=asset.class_code,
            offered=tuple(offered[asset.key][day] for day in range(last + 1)),
            sold=tuple(sold[asset.key][day] for day in range(last + 1)),
        )


def _outcomes(deals: Iterable[PlayedDeal]) -> Iterable[OutcomeRow]:
    by_ending: dict[Ending, list[PlayedDeal]] = {ending: [] for ending in Ending}
    for played in deals:
        by_ending[played.course.ending].append(played)
    for ending, some in by_ending.items():
        yield OutcomeRow(
            ending=ending,
            deals=len(some),
            quantity=sum(played.deal.quantity for played in some),
            settled=sum(played.settled for played in some),
            paid=_paid(some),
        )


def _paid(deals: Iterable[PlayedDeal]) -> int:
    return sum(played.settled * played.deal.price for played in deals)


def _accounts(played: Played, deals: Iterable[PlayedDeal]) -> Iterable[FirmRow]:
    parties = Counter(member for d in deals for member in (d.deal.provider, d.deal.consumer))
    providers = {asset.firm for asset in played.scenario.assets}
    for player in played.traders:
        key, member = player.firm.key, player.member
        good, bad = played.credit[member]
        yield FirmRow(
            name=player.firm.name,
            side=Side.OFFER if key in providers else Side.REQUEST,
            deals=parties[member],
            deposited=played.scenario.deposits[key],
            withdrawn=played.withdrawn[member],
            good=good,
            bad=bad,
            band=played.bands[member][-1],
            highest=max(played.bands[member]),
        )


def _money(played: Played, deals: Iterable[PlayedDeal]) -> Money:
    stage = played.stage
    deposits: Mapping[str, int] = played.scenario.deposits
    deposited, withdrawn = sum(deposits.values()), sum(played.withdrawn.values())
    paid = _paid(deals)
    vault = stage.book.address("Vault")
    taken_home = sum(
        stage.view("SettlementToken", "balanceOf", player.account.address)
        for player in played.traders
    )
    return Money(
        deposited=deposited,
        withdrawn=withdrawn,
        held=stage.view("Vault", "held"),
        balance=stage.view("SettlementToken", "balanceOf", vault),
        paid=paid,
        forfeited=played.deliveries.moved - paid,
        gained=taken_home - deposited,
    )
