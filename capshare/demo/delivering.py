"""The life of the deals: what each party does when, until every deal is final.

Five moments a day suffice. Slots end at midnight; whoever delivers in time reports at dawn, who is
late at night; consumers look in the morning; disputes, rulings and partings come at noon; who
cannot deliver tomorrow gives the deal up in the afternoon, before the gate.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Final

from capshare.codec import keccak
from capshare.demo.cast import Cast, Player, consent_signature
from capshare.demo.firms import ARBITER
from capshare.demo.outcomes import CONTESTED, Course, Courses, Ending
from capshare.demo.scenario import DAY, Scenario
from capshare.demo.stage import Stage
from capshare.eip712 import Consent
from capshare.events import DealSettled, Released, TermsWords
from capshare.ledger.commands import (
    Accept,
    CancelDeal,
    Deliver,
    Dispute,
    Reference,
    ReleaseDeals,
    Rule,
    Settle,
)
from capshare.ledger.deals import DealState, domain
from capshare.ledger.state import Progress
from capshare.market.commitment import DealTerms

_AT_ONCE: Final = 20  # deals in one transaction
_CONSENT_FOR: Final = 3_600  # [s]
_MEMBER: Final = (1 << 24) - 1  # fields of a movement's word, contracts/types/Movement.sol
_AMOUNT: Final = (1 << 128) - 1


class Moment(IntEnum):
    """Times of a day [s after midnight UTC]."""

    KEEPING = 19_200  # 05:20, past the lock of the round
    DAWN = 21_600  # 06:00
    MORNING = 27_000  # 07:30
    NOON = 46_800  # 13:00
    AFTERNOON = 54_000  # 15:00, three hours before the gates of the next day's slots
    NIGHT = 75_600  # 21:00


class Act(StrEnum):
    """What a party does."""

    DELIVER = "deliver"
    ACCEPT = "accept"
    DISPUTE = "dispute"
    RULE = "rule"
    RELEASE = "release"
    CANCEL = "cancel"


@dataclass(slots=True)
class PlayedDeal:
    """A deal, what its parties are going to do, and what came of it."""

    deal: DealTerms
    reference: Reference
    course: Course
    state: int | None = None  # final state; None: not final yet
    settled: int = 0  # paid quantity [capacity units]


@dataclass(slots=True)
class Deliveries:
    """All deals of the play and the agenda of their parties."""

    scenario: Scenario
    stage: Stage
    cast: Cast
    courses: Courses
    deals: dict[int, PlayedDeal] = field(default_factory=dict)  # by deal id
    moved: int = 0  # money that went from one member to another [token base units]
    _agenda: dict[tuple[int, Moment], list[tuple[Act, int]]] = field(default_factory=dict)

    @property
    def unfinished(self) -> list[PlayedDeal]:
        """List the deals that are not final."""
        return [played for played in self.deals.values() if played.state is None]

    def add(self, deals: Iterable[tuple[DealTerms, tuple[bytes, ...]]]) -> None:
        """Take in a clearing's deals with their proofs, and plan their lives."""
        for deal, proof in deals:
            word0, word1, word2 = deal.words()
            provider = self.cast.by_member(deal.provider).firm.key
            played = PlayedDeal(
                deal=deal,
                reference=Reference(
                    terms=TermsWords(word0=word0, word1=word1, word2=word2), proof=proof
                ),
                course=self.courses.next(provider),
            )
            self.deals[deal.id] = played
            day = deal.slot - self.scenario.first_slot
            for when, moment, act in _plan(played.course.ending):
                self._agenda.setdefault((day + when, moment), []).append((act, deal.id))

    def see(self, event: object) -> None:
        """Note what the chain says of a deal's end, and of money that changes hands."""
        if isinstance(event, DealSettled):
            self.deals[event.deal].state = event.state
            self.deals[event.deal].settled = event.quantity
        elif isinstance(event, Released):
            for word in event.movements:
                if word >> 152 != word >> 128 & _MEMBER:
                    self.moved += word & _AMOUNT

    def act(self, day: int, moment: Moment) -> None:
        """Let the parties do what they planned for this moment of a day (0: the opening)."""
        planned: dict[Act, list[PlayedDeal]] = {}
        for act, deal in self._agenda.pop((day, moment), []):
            planned.setdefault(act, []).append(self.deals[deal])
        for act, played in planned.items():
            match act:
                case Act.DELIVER:
                    self._deliver(played)
                case Act.ACCEPT:
                    self._accept(played)
                case Act.DISPUTE:
                    self._dispute(played)
                case Act.RELEASE:
                    self._release(played)
                case Act.RULE:
                    for one in played:
                        self._rule(one)
                case Act.CANCEL:
                    for one in played:
                        self._cancel(one)

    def settle(self) -> None:
        """Carry out every deadline that has passed, as anyone may."""
        now = self.stage.now
        due = [played for played in self.unfinished if self._deadline(played) < now]
        for some in _chunks(due):
            command = Settle(sender=self.cast.keeper.raw, now=now, deals=_references(some))
            self.stage.do(self.cast.keeper, command)

    # What they do

    def _deliver(self, deals: Iterable[PlayedDeal]) -> None:
        for player, some in self._by_party(deals, is_provider=True):
            self.stage.do(
                player.operate,
                Deliver(
                    sender=player.operate.raw,
                    now=self.stage.now,
                    deals=_references(some),
                    quantities=tuple(p.course.reported(p.deal.quantity) for p in some),
                    evidence=_evidence("part count", some),
                ),
            )

    def _accept(self, deals: Iterable[PlayedDeal]) -> None:
        for player, some in self._by_party(deals, is_provider=False):
            self.stage.do(
                player.operate,
                Accept(
                    sender=player.operate.raw,
                    now=self.stage.now,
                    deals=_references(some),
                    quantities=tuple(p.course.good(p.deal.quantity) for p in some),
                    evidence=_evidence("incoming inspection", some),
                ),
            )

    def _dispute(self, deals: Iterable[PlayedDeal]) -> None:
        for player, some in self._by_party(deals, is_provider=True):
            self.stage.do(
                player.operate,
                Dispute(
                    sender=player.operate.raw,
                    now=self.stage.now,
                    deals=_references(some),
                    evidence=_evidence("second measurement", some),
                ),
            )

    def _release(self, deals: Iterable[PlayedDeal]) -> None:
        for player, some in self._by_party(deals, is_provider=True):
            command = ReleaseDeals(
                sender=player.operate.raw, now=self.stage.now, deals=_references(some)
            )
            self.stage.do(player.operate, command)

    def _rule(self, played: PlayedDeal) -> None:
        """Let an arbiter find a figure between the parties': nearer to one of them each time."""
        progress = self._progress(played)
        arbiter = self.cast.by_member(progress.arbiter)
        if played.course.ending == Ending.RULED_BY_OTHER:
            arbiter = next(
                player
                for player in self.cast.players.values()
                if player.firm.roles & ARBITER and player != arbiter
            )
        gap = progress.reported - progress.accepted
        quarters = played.deal.id % 5
        self.stage.do(
            arbiter.account,
            Rule(
                sender=arbiter.account.raw,
                now=self.stage.now,
                deal=played.reference,
                quantity=progress.accepted + gap * quarters // 4,
                reason=keccak(f"ruling on deal {played.deal.id}".encode()),
            ),
        )

    def _cancel(self, played: PlayedDeal) -> None:
        progress = self._progress(played)
        consent = Consent(
            deal=played.deal.id,
            state=progress.state,
            reported=progress.reported,
            accepted=progress.accepted,
            deadline=self.stage.now + _CONSENT_FOR,
        )
        where = domain(self.stage.state)
        signatures = [
            consent_signature(consent, self.cast.by_member(member).operate, where)
            for member in (played.deal.provider, played.deal.consumer)
        ]
        self.stage.do(
            self.cast.relay,
            CancelDeal(
                sender=self.cast.relay.raw,
                now=self.stage.now,
                deal=played.reference,
                deadline=consent.deadline,
                provider_signature=signatures[0],
                consumer_signature=signatures[1],
            ),
        )

    # How

    def _progress(self, played: PlayedDeal) -> Progress:
        return self.stage.state.progress[played.deal.id]

    def _deadline(self, played: PlayedDeal) -> int:
        progress = self._progress(played)
        if progress.state == DealState.OPEN:
            return (played.deal.slot + 1) * DAY + self.scenario.parameters.deliver_within
        return progress.deadline

    def _by_party(
        self, deals: Iterable[PlayedDeal], *, is_provider: bool
    ) -> Iterator[tuple[Player, list[PlayedDeal]]]:
        parties: dict[int, list[PlayedDeal]] = {}
        for played in deals:
            party = played.deal.provider if is_provider else played.deal.consumer
            parties.setdefault(party, []).append(played)
        for member, some in sorted(parties.items()):
            for chunk in _chunks(some):
                yield self.cast.by_member(member), chunk


def _plan(ending: Ending) -> Iterator[tuple[int, Moment, Act]]:
    """Yield what happens on which day after the slot's, and when."""
    if ending == Ending.RELEASED:
        yield -1, Moment.AFTERNOON, Act.RELEASE
    elif ending == Ending.CANCELLED:
        yield -1, Moment.AFTERNOON, Act.CANCEL
    elif ending == Ending.LATE:
        yield 1, Moment.NIGHT, Act.DELIVER
        yield 2, Moment.MORNING, Act.ACCEPT
    elif ending != Ending.DEFAULTED:
        yield 1, Moment.DAWN, Act.DELIVER
        if ending != Ending.SILENT:
            yield 1, Moment.MORNING, Act.ACCEPT
    if ending == Ending.CANCELLED_CONTESTED:
        yield 2, Moment.NOON, Act.CANCEL
    elif ending in CONTESTED and ending != Ending.CONCEDED:
        yield 2, Moment.NOON, Act.DISPUTE
    if ending == Ending.RULED:
        yield 3, Moment.NOON, Act.RULE
    elif ending == Ending.RULED_BY_OTHER:
        yield 6, Moment.NOON, Act.RULE  # half of the time to rule has passed


def _references(deals: Iterable[PlayedDeal]) -> tuple[Reference, ...]:
    return tuple(played.reference for played in deals)


def _evidence(what: str, deals: Iterable[PlayedDeal]) -> tuple[bytes, ...]:
    return tuple(keccak(f"{what} of deal {played.deal.id}".encode()) for played in deals)


def _chunks(deals: list[PlayedDeal]) -> Iterator[list[PlayedDeal]]:
    for start in range(0, len(deals), _AT_ONCE):
        yield deals[start : start + _AT_ONCE]
