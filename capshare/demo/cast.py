"""Who holds which key in the demo, and the salts and signatures they make."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final

from capshare.demo.firms import TRADER, Firm
from capshare.devnet.accounts import DevAccount, dev_accounts
from capshare.eip712 import Consent, Domain, OrderBatch, Reduction, digest
from capshare.keys import LocalSigner

_STAGEHANDS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """A firm with its member number and its keys; who does not trade has its account only."""

    firm: Firm
    member: int
    account: DevAccount
    trade: DevAccount
    operate: DevAccount


@dataclass(slots=True)
class Cast:
    """All keys of a play: the same ones for the same seed, worth nothing elsewhere."""

    deployer: DevAccount
    relay: DevAccount  # carries batches that others signed; no member
    keeper: DevAccount  # clears, settles and expires; no member
    players: dict[str, Player]  # by the firm's key
    accounts: tuple[DevAccount, ...]
    _salts: Counter[int] = field(default_factory=Counter)

    def by_member(self, member: int) -> Player:
        """Return the player behind a member number."""
        return next(player for player in self.players.values() if player.member == member)

    def salt(self, member: int) -> int:
        """Return a salt that the member has not used yet."""
        self._salts[member] += 1
        return self._salts[member] - 1


def cast(seed: int, firms: Iterable[Firm], providers: frozenset[str]) -> Cast:
    """Hand out keys: providers part trading from operating, consumers do both with one key."""
    firms = tuple(firms)
    keys = iter(dev_accounts(f"capshare demo {seed}", _STAGEHANDS + 3 * len(firms)))
    deployer, relay, keeper = next(keys), next(keys), next(keys)
    used = [deployer, relay, keeper]
    players: dict[str, Player] = {}
    for member, firm in enumerate(firms, 1):
        account = trade = operate = next(keys)
        used.append(account)
        if firm.roles & TRADER:
            trade = operate = next(keys)
            used.append(trade)
            if firm.key in providers:
                operate = next(keys)
                used.append(operate)
        players[firm.key] = Player(
            firm=firm, member=member, account=account, trade=trade, operate=operate
        )
    return Cast(
        deployer=deployer,
        relay=relay,
        keeper=keeper,
        players=players,
        accounts=tuple(used),
    )


def signed_batch(batch: OrderBatch, key: DevAccount, domain: Domain) -> OrderBatch:
    """Return the batch with the key's signature, so that anyone may carry it."""
    return replace(batch, signature=_sign(key, digest(batch, domain)))


def signed_reduction(reduction: Reduction, key: DevAccount, domain: Domain) -> Reduction:
    """Return the reduction with the key's signature."""
    return replace(reduction, signature=_sign(key, digest(reduction, domain)))


def consent_signature(consent: Consent, key: DevAccount, domain: Domain) -> bytes:
    """Return a party's signature under the undoing of a deal."""
    return _sign(key, digest(consent, domain))


def _sign(key: DevAccount, message: bytes) -> bytes:
    return _signer(key.key).sign_digest(message)


@cache
def _signer(key: bytes) -> LocalSigner:
    return LocalSigner(key)
