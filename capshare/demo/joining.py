"""Before the first order: votes admit firms and list classes; keys, money and assets are set up."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final, TypeVar

from capshare.codec import keccak
from capshare.demo.cast import Cast, Player
from capshare.demo.firms import ATTESTOR, COUNCIL, Firm
from capshare.demo.scenario import DAY, START, Scenario
from capshare.demo.stage import Stage
from capshare.deploy import Founder
from capshare.events import Admission, Call
from capshare.ledger import calldata
from capshare.ledger.commands import (
    Admit,
    Attest,
    Command,
    Deposit,
    Execute,
    ListClass,
    Propose,
    RegisterAsset,
    SetSigner,
    Vote,
)
from capshare.replay import raw

TRADE: Final = 1
OPERATE: Final = 2
ATTESTED_UNTIL: Final = START + 400 * DAY
_CALLS: Final = 10  # a proposal

T = TypeVar("T")


def founder(player: Player) -> Founder:
    """Return a founder as the constructor admits it."""
    firm = player.firm
    return Founder(
        account=player.account.address,
        identity=firm.identity.hash(),
        name=firm.name,
        roles=firm.roles,
        region=firm.region,
        industry=firm.industry,
    )


def proposals(scenario: Scenario, stage: Stage, cast: Cast) -> list[tuple[str, tuple[Call, ...]]]:
    """Return what the council will vote on: classes first, then firms, several calls each."""
    classes = tuple(
        _call(
            stage,
            ListClass(sender=b"", now=0, class_=listed.terms, name=listed.name, unit=listed.unit),
        )
        for listed in scenario.classes
    )
    firms = [
        _call(stage, Admit(sender=b"", now=0, admission=_admission(firm, cast)))
        for firm in scenario.firms
        if not firm.roles & COUNCIL
    ]
    admissions = [
        (f"Admit firms, list {number}", tuple(calls))
        for number, calls in enumerate(_chunks(firms, _CALLS), 1)
    ]
    return [("List the first classes", classes), *admissions]


def resolve(stage: Stage, cast: Cast, reason: str, calls: tuple[Call, ...]) -> None:
    """Propose, vote until more than half of the seats agree, and execute."""
    seats = [p for p in cast.players.values() if p.firm.roles & COUNCIL]
    proposer, *voters = seats
    number = stage.state.proposal_count + 1
    stage.do(
        proposer.account,
        Propose(sender=proposer.account.raw, now=stage.now, calls=calls, reason=reason),
    )
    for voter in voters[: len(seats) // 2]:
        stage.do(
            voter.account,
            Vote(sender=voter.account.raw, now=stage.now, proposal=number, support=True),
        )
    stage.do(
        cast.keeper,
        Execute(sender=cast.keeper.raw, now=stage.now, proposal=number, calls=calls),
    )


def set_keys(scenario: Scenario, stage: Stage, cast: Cast, step: Callable[[], None]) -> None:
    """Let members name their trade and operate keys; a trade key may lock its deposit a day."""
    for key, deposit in scenario.deposits.items():
        player = cast.players[key]
        scopes = [(player.trade, TRADE, deposit), (player.operate, OPERATE, 0)]
        if player.trade == player.operate:
            scopes = [(player.trade, TRADE | OPERATE, deposit)]
        for signer, scope, limit in scopes:
            command = SetSigner(
                sender=player.account.raw,
                now=stage.now,
                signer=signer.raw,
                scopes=scope,
                limit=limit,
            )
            stage.do(player.account, command)
        step()


def pay_in(scenario: Scenario, stage: Stage, cast: Cast, step: Callable[[], None]) -> None:
    """Give each trader its deposit in tokens, and let it deposit them."""
    for key, amount in scenario.deposits.items():
        player = cast.players[key]
        stage.call_token(cast.deployer, "mint", (player.account.address, amount))
        stage.call_token(player.account, "approve", (stage.book.address("Vault"), amount))
        command = Deposit(
            sender=player.account.raw, now=stage.now, member=player.member, amount=amount
        )
        stage.do(player.account, command)
        step()


def register(scenario: Scenario, stage: Stage, cast: Cast, step: Callable[[], None]) -> None:
    """Register the assets and attest their attributes for more than a year."""
    attestor = next(p for p in cast.players.values() if p.firm.roles & ATTESTOR)
    for asset in scenario.assets:
        player = cast.players[asset.firm]
        stage.do(
            player.operate,
            RegisterAsset(
                sender=player.operate.raw,
                now=stage.now,
                member=player.member,
                code=asset.class_code,
                capacity=asset.capacity,
                identity=asset.identity,
            ),
        )
        attest(stage, attestor, stage.state.asset_by_identity[asset.identity], asset.attributes)
        step()


def attest(stage: Stage, attestor: Player, asset: int, attributes: int) -> None:
    """Let the attestor set an asset's attributes."""
    command = Attest(
        sender=attestor.account.raw,
        now=stage.now,
        asset=asset,
        attributes=attributes,
        valid_until=ATTESTED_UNTIL,
        document=keccak(f"certificate of asset {asset}: {attributes:#x}".encode()),
    )
    stage.do(attestor.account, command)


def _admission(firm: Firm, cast: Cast) -> Admission:
    return Admission(
        account=cast.players[firm.key].account.raw,
        identity=firm.identity.hash(),
        encryption_key=bytes(32),
        key_valid_until=0,
        group=0,
        roles=firm.roles,
        name=firm.name,
        region=firm.region,
        industry=firm.industry,
    )


def _call(stage: Stage, command: Command) -> Call:
    return Call(target=raw(stage.book.address(command.CONTRACT)), data=calldata.encode(command))


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
