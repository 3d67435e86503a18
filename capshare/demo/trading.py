"""A trading day: orders in, second thoughts, a certificate revoked, and the markets cleared."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from capshare.codec import keccak
from capshare.data import OfferRow
from capshare.demo.cast import Cast, Player, signed_batch, signed_reduction
from capshare.demo.firms import ATTESTOR
from capshare.demo.joining import attest
from capshare.demo.scenario import Posting, Row, Scenario, Withdrawal
from capshare.demo.stage import Stage
from capshare.devnet.accounts import DevAccount
from capshare.eip712 import Domain, OrderBatch, Reduction
from capshare.ledger.batches import batch_at
from capshare.ledger.commands import Clear, Expire, Post, Reduce
from capshare.ledger.credit import band_of
from capshare.ledger.views import order_of
from capshare.market import baselines, commitment
from capshare.market.book import Market, Standing, standing
from capshare.market.commitment import DealTerms
from capshare.market.prices import GroupPrice
from capshare.market.solver import solve
from capshare.market.submission import build
from capshare.orders import (
    Batch,
    Offer,
    Order,
    Request,
    order_id,
    pack_orders,
)
from capshare.parameters import ClassTerms
from capshare.questions import new_deals

_CARRIED: Final = 12  # batches in one transaction
_SIGNED_FOR: Final = 3_600  # a signed batch may be carried for so long [s]
_SHARE: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """A market's clearing: the book it met, what came of it, and what people do without it."""

    class_code: int
    round: int
    day: int  # trading day, from 0
    offers: int
    requests: int
    offered: int  # [capacity units]
    requested: int
    dead: int
    fills: int
    volume: int
    surplus: int  # [token base units]
    greedy: int  # surplus of greedy matching on the same book
    first_come: int  # surplus of first-come matching on the same book
    prices: tuple[GroupPrice, ...]
    calldata: int  # [bytes]
    gas: int  # before refunds


@dataclass(slots=True)
class Floor:
    """The trading floor: which order came of which row of the book."""

    scenario: Scenario
    stage: Stage
    cast: Cast
    ids: dict[int, int] = field(default_factory=dict)  # by the row's line
    rows: dict[int, Row] = field(default_factory=dict)  # by order id
    relayed: int = 0  # orders whose batch another carried
    cancelled: int = 0
    reduced: int = 0
    revoked: int = 0  # offers expired after a revocation
    cleared: list[Cleared] = field(default_factory=list)

    def post(self, postings: Iterable[Posting]) -> None:
        """Post a morning's orders: a firm's in one transaction, signed ones through the relay."""
        own: dict[str, list[tuple[Posting, OrderBatch]]] = {}
        carried: list[tuple[Posting, OrderBatch]] = []
        for posting in postings:
            player = self.cast.players[posting.firm]
            batch = self._batch(posting, player)
            if posting.relayed:
                carried.append((posting, signed_batch(batch, player.trade, self._domain)))
                self.relayed += len(posting.rows)
            else:
                own.setdefault(posting.firm, []).append((posting, batch))
        for firm, batches in own.items():
            for some in _chunks(batches, _CARRIED):
                self._send(self.cast.players[firm].trade, some)
        for some in _chunks(carried, _CARRIED):
            self._send(self.cast.relay, some)

    def withdraw(self, withdrawals: Iterable[Withdrawal]) -> None:
        """Let firms cancel or lower what is left of orders; what is gone by now they let be."""
        wanted: dict[str, list[tuple[int, int]]] = {}
        for withdrawal in withdrawals:
            order = self.ids[withdrawal.row.line]
            left = self._left(order)
            remaining = left * withdrawal.share // _SHARE
            if left:
                wanted.setdefault(withdrawal.row.firm, []).append((order, remaining))
                self.cancelled += not remaining
                self.reduced += bool(remaining)
        signed = []
        for firm, changes in sorted(wanted.items()):
            player = self.cast.players[firm]
            reduction = Reduction(
                member=player.member,
                salt=self.cast.salt(player.member),
                deadline=self.stage.now + _SIGNED_FOR,
                ids=tuple(order for order, _ in changes),
                quantities=tuple(remaining for _, remaining in changes),
            )
            if player.member % 2:
                signed.append(signed_reduction(reduction, player.trade, self._domain))
            else:
                self._reduce(player.trade, (reduction,))
        if signed:
            self._reduce(self.cast.relay, tuple(signed))

    def revoke(self) -> None:
        """Take a certificate back, and expire the offers that rest on it, as anyone may."""
        plan = self.scenario.revocation
        asset = self._asset(plan.asset)
        attestor = next(p for p in self.cast.players.values() if p.firm.roles & ATTESTOR)
        attest(self.stage, attestor, asset, plan.attributes)
        held = self.stage.state.assets[asset].attributes
        ids = tuple(
            order_id(batch.number, index)
            for batch in self._batches()
            for index, order in enumerate(batch.orders)
            if batch.is_live(index)
            and isinstance(order, Offer)
            and order.asset == asset
            and order.attributes & ~held
        )
        self.revoked += self.expire(ids)

    def expire(self, ids: tuple[int, ...]) -> int:
        """Remove dead or uncovered orders for their members; return how many there were."""
        if ids:
            command = Expire(sender=self.cast.keeper.raw, now=self.stage.now, ids=ids)
            self.stage.do(self.cast.keeper, command)
        return len(ids)

    def dead(self) -> tuple[int, ...]:
        """List the orders in all markets that no clearing can fill any more."""
        round_ = self.stage.now // self.scenario.parameters.round
        return tuple(
            order
            for listed in self.scenario.classes
            for order in self._standing(self._market(listed.terms, round_)).dead
        )

    def clear(self, day: int) -> list[tuple[DealTerms, tuple[bytes, ...]]]:
        """Clear every market that has a standing order; return the new deals with their proofs."""
        made: list[tuple[DealTerms, tuple[bytes, ...]]] = []
        for listed in self.scenario.classes:
            round_ = self.stage.now // self.scenario.parameters.round
            market = self._market(listed.terms, round_)
            found = self._standing(market)
            if found.count:
                self._clear(listed.terms.code, round_, day, found)
                deals = new_deals(self.stage.state, market.class_index, round_)
                leaves = [deal.leaf() for deal in deals]
                made += [(d, commitment.proof(leaves, place)) for place, d in enumerate(deals)]
        return made

    def asset_key(self, asset: int) -> str:
        """Return an asset's name in the book."""
        return self.scenario.assets[asset - 1].key

    # How

    @property
    def _domain(self) -> Domain:
        state = self.stage.state
        return Domain(chain_id=state.deployment.chain_id, contract=state.deployment.book)

    def _batch(self, posting: Posting, player: Player) -> OrderBatch:
        requests = [row for row in posting.rows if not isinstance(row, OfferRow)]
        return OrderBatch(
            member=player.member,
            class_=posting.class_code,
            side=posting.side,
            salt=self.cast.salt(player.member),
            deadline=self.stage.now + _SIGNED_FOR,
            orders=pack_orders(self._order(row, player) for row in posting.rows),
            commitments=tuple(
                keccak(f"specification {self.scenario.seed}/{row.line}".encode())
                for row in requests
            ),
        )

    def _order(self, row: Row, player: Player) -> Order:
        if not isinstance(row, OfferRow):
            return Request(
                first_slot=self.scenario.slot(row.first_slot),
                last_slot=self.scenario.slot(row.last_slot),
                quantity=row.quantity,
                price=row.price,
                needs=row.needs,
                min_credit=row.min_credit,
            )
        asset = self._asset(row.asset)
        state = self.stage.state
        mask = state.classes[state.assets[asset].class_index].mask
        return Offer(
            asset=asset,
            slot=self.scenario.slot(row.slot),
            quantity=row.quantity,
            price=row.price,
            attributes=row.attributes & mask & state.assets[asset].attributes,
            credit=min(row.credit, band_of(state, player.member, self.stage.now)),
        )

    def _send(self, sender: DevAccount, batches: list[tuple[Posting, OrderBatch]]) -> None:
        first = self.stage.state.batch_count + 1
        command = Post(
            sender=sender.raw, now=self.stage.now, batches=tuple(batch for _, batch in batches)
        )
        self.stage.do(sender, command)
        for number, (posting, _) in enumerate(batches, first):
            for index, row in enumerate(posting.rows):
                self.ids[row.line] = order_id(number, index)
                self.rows[order_id(number, index)] = row

    def _reduce(self, sender: DevAccount, reductions: tuple[Reduction, ...]) -> None:
        command = Reduce(sender=sender.raw, now=self.stage.now, reductions=reductions)
        self.stage.do(sender, command)

    def _asset(self, key: str) -> int:
        plan = next(asset for asset in self.scenario.assets if asset.key == key)
        return self.stage.state.asset_by_identity[plan.identity]

    def _left(self, order: int) -> int:
        _, left = order_of(self.stage.state, order)
        return left

    def _batches(self) -> Iterator[Batch]:
        for number, _ in self.stage.state.live_batches.entries():
            yield batch_at(self.stage.state, number)

    def _market(self, terms: ClassTerms, round_: int) -> Market:
        rules, state = self.scenario.parameters, self.stage.state
        return Market(
            class_code=terms.code,
            class_index=state.class_index[terms.code],
            round=round_,
            round_length=rules.round,
            slot_length=terms.slot_length,
            gate_lead=terms.gate_lead,
            reference=terms.reference,
            bond_rates=rules.bond_rates,
            suspended=state.suspended,
        )

    def _standing(self, market: Market) -> Standing:
        return standing(market, self._batches())

    def _clear(self, code: int, round_: int, day: int, found: Standing) -> None:
        book = found.book
        best = solve(book)
        submission = build(found, best.fills, best.hints)
        receipt = self.stage.do(
            self.cast.keeper,
            Clear(
                sender=self.cast.keeper.raw,
                now=self.stage.now,
                class_=code,
                round=round_,
                submission=submission,
            ),
        )
        self.cleared.append(
            Cleared(
                class_code=code,
                round=round_,
                day=day,
                offers=len(book.offers),
                requests=len(book.requests),
                offered=sum(offer.quantity for offer in book.offers),
                requested=sum(request.quantity for request in book.requests),
                dead=len(found.dead),
                fills=len(best.fills),
                volume=best.volume,
                surplus=best.surplus,
                greedy=baselines.surplus(book, baselines.greedy(book)),
                first_come=baselines.surplus(book, baselines.first_come(book)),
                prices=best.prices,
                calldata=submission.size,
                gas=receipt.gas_before_refunds,
            )
        )


def _chunks(
    items: list[tuple[Posting, OrderBatch]], size: int
) -> Iterator[list[tuple[Posting, OrderBatch]]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
